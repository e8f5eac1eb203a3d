"""The simulator is killed at its own lines: afterwards each request has happened altogether, or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intermediary.osci.write import DialogRequest, Fetch, chunk_package, seal
from intermediary.testing import simulate
from intermediary.testing.crashes import kill_at
from intermediary.testing.samples import sample_letter
from intermediary.testing.simulate.osci.books import Books
from intermediary.unseal.osci.partial import ChunkInformation
from tests.unit.testing.simulate.conftest import KB, Rig

CODE = Path(simulate.__file__).parent
STRIDE = 11


def _fetch_again(rig: Rig) -> bytes:
    """The request that acknowledges one delivery and is served the next."""
    rig.fill(2)
    client = rig.client()
    client.init()
    client.fetch()
    return client.request("FetchDelivery", Fetch())


def _exit(rig: Rig) -> bytes:
    rig.fill(1)
    client = rig.client()
    client.init()
    client.fetch()
    return client.request("ExitDialog", DialogRequest())


def _store(rig: Rig) -> bytes:
    letter = replace(sample_letter(1, now=rig.now), message_type="StoreDelivery", message_id=rig.filler.new_id())
    return seal(letter, parties=rig.pki.parties, random=rig.random, now=rig.now)


def _last_chunk(rig: Rig) -> bytes:
    client = rig.client("originator")
    client.init()
    message_id = client.new_id()
    letter = replace(
        sample_letter(1, now=rig.now),
        message_type="StoreDelivery",
        message_id=message_id,
        transport_cipher=None,
        transport_signature=None,
    )
    whole = seal(letter, parties=rig.pki.parties, random=rig.random, now=rig.now)
    size = -(-len(whole) // (2 * KB)) * KB
    chunks = [ChunkInformation(number=n, chunk_bytes=size, total=2, total_kilobytes=len(whole) // KB) for n in (1, 2)]
    client.store_chunk(message_id, chunks[0], chunk_package(whole[:size]))
    kept: list[bytes] = []
    client.send = _keeping(kept)
    with pytest.raises(_Kept):
        client.store_chunk(message_id, chunks[1], chunk_package(whole[size:]))
    return kept[0]


class _Kept(Exception):
    """The request was written and is not sent."""


def _keeping(kept: list[bytes]) -> Callable[[bytes], bytes]:
    def send(body: bytes) -> bytes:
        kept.append(body)
        raise _Kept

    return send


def _told(books: Books) -> tuple[Any, ...]:
    """The state without what is drawn anew in every process: challenges."""
    dialogs = {one.conversation: (one.sequence, one.pending) for one in books.dialogs.values()}
    arriving = {name: (sorted(one.chunks), one.feedback) for name, one in books.arriving.items()}
    return (sorted(books.deliveries), dict(books.cards), dialogs, sorted(books.issued), arriving)


@pytest.mark.parametrize("prepare", [_fetch_again, _exit, _store, _last_chunk])
def test_a_request_has_happened_altogether_or_not_at_all(
    rig: Rig, prepare: Callable[[Rig], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Killed at every eleventh line: the next process has the state of before or of after, and all files it needs."""
    body = prepare(rig)
    rig.journal.close()
    start, origin = tmp_path_factory.mktemp("start") / "copy", rig.folder
    shutil.copytree(origin, start)
    rig.start()
    before = _told(rig.desk.books)
    rig.desk.answer(body)
    after = _told(rig.desk.books)
    seen, step = [], 1
    while True:
        rig.journal.close()
        shutil.rmtree(origin)
        shutil.copytree(start, origin)
        rig.start()
        was_killed = kill_at(step, lambda: rig.desk.answer(body), code=CODE, meanwhile=lambda: None)
        rig.start()
        now = _told(rig.desk.books)
        seen.append(now)

        assert now in (before, after)
        assert {path.name for path in (origin / "messages").iterdir()} == rig.desk.books.files()
        if not was_killed:
            break
        step += STRIDE

    assert before != after
    assert [before, after] == [seen[0], seen[-1]]
    assert len(seen) > 5
