"""Attacks on the one who fetches and sends: an intermediary, or somebody on the line, that lies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from intermediary.core.faults import Fault, Unclear
from intermediary.core.joined import JoinedContent
from intermediary.core.values import MemoryContent
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.osci.client.dialog import Dialog
from intermediary.osci.client.emptying import Visiting
from intermediary.osci.client.http import HttpExchange, HttpLimits
from intermediary.osci.write import DialogRequest, chunk_package, write_fault
from intermediary.unseal import NotOpened, profile
from intermediary.unseal.osci.message import open_message
from tests.evil.forger import NOW
from tests.unit.osci.client.conftest import keyring, logged, make_line, pki  # noqa: F401  # the same cast
from tests.unit.osci.client.partner import Lying, open_package
from tests.unit.osci.client.test_fetch_door import door_of

LINE_BREAK = "9000\nHerr Mustermann wohnt in der Musterstraße"


def fault_with(code: str) -> bytes:
    return write_fault("9000", "synthetisch", server=True).replace(b"<osci:Code>9000<", f"<osci:Code>{code}<".encode())


@pytest.mark.parametrize("code", ["9805", "9806", "9801", "9803", "9810", "0800", "3800"])
def test_a_fault_nobody_signed_is_no_verdict_on_an_order(make_line: Any, code: str) -> None:  # noqa: F811
    """A SOAP fault is plain: a code of the order level in it neither refuses nor confirms what was sent."""
    line, fake = make_line()
    fake.twist(1, lambda _: fault_with(code))
    dialog = Dialog(line)
    dialog.open()

    with pytest.raises(Unclear) as caught:
        dialog.ask("GetMessageId", DialogRequest())

    assert "dialog.no-answer" == caught.value.code


def test_what_stands_in_a_fault_is_not_repeated(make_line: Any) -> None:  # noqa: F811
    """The place of a fault holds four digits or nothing: no names, no line breaks, whatever the other side writes."""
    line, fake = make_line()
    fake.twist(0, lambda _: fault_with(LINE_BREAK))

    with pytest.raises(Fault) as caught:
        Dialog(line).open()

    assert "Mustermann" not in caught.value.where


def test_a_fault_that_is_handed_in_brings_no_code_of_its_own() -> None:
    """What is kept of a refused message for the operator is not the sender's text."""
    with pytest.raises(NotOpened) as caught:
        open_message(MemoryContent(fault_with(LINE_BREAK)), keyring=Keyring([]), policy=profile("osci"), at=NOW)

    assert "Mustermann" not in (caught.value.osci_code or "")


def door_for(line: Any, **visiting: Any) -> tuple[Any, Any]:
    door, shelf, _ = door_of(line, visiting=Visiting(**visiting))
    return door, shelf


def test_empty_chunks_do_not_keep_a_thread_busy(make_line: Any) -> None:  # noqa: F811
    """A delivery of a hundred thousand chunks of which each is empty is not asked for to its end."""
    line, fake = make_line([Lying("gross", open_package(b"x" * 9000))], max_chunk_kilobytes=4)

    def emptied(reply: Any) -> Any:
        chunk = replace(reply.order.chunk, total=100_000)
        return replace(reply, order=replace(reply.order, chunk=chunk), package=chunk_package(b""))

    for number in range(1, 50):
        fake.twist(number, emptied)
    door, shelf = door_for(line, chunk_bytes=4096)

    door.sweep()

    assert 3 > fake.seen.count("PartialFetchDelivery")
    assert [] == shelf.kept


def test_chunks_are_not_kept_with_their_envelopes(make_line: Any) -> None:  # noqa: F811
    """Small chunks of a large delivery lie in the spool: memory does not grow with their number (promise G7)."""
    line, _ = make_line([Lying("gross", open_package(b"x" * 150_000))], max_chunk_kilobytes=1)
    door, shelf = door_for(line, chunk_bytes=1024)

    door.sweep()

    (eingang,) = shelf.kept
    assert not isinstance(eingang.body, JoinedContent)


def test_a_post_box_that_never_empties_is_not_fetched_without_a_pause(make_line: Any) -> None:  # noqa: F811
    """The same delivery over and over, whatever was received: the next visit waits as after nothing (promise G13)."""
    line, fake = make_line([Lying("a/1")])
    fake._acknowledge = lambda _: None
    door, shelf = door_for(line, most=5)

    visits = 0
    while door.sweep() and visits < 20:
        visits += 1

    assert visits < 3
    assert ["a/1"] == shelf.ids


class Crumbs(httpx2.BaseTransport):
    """Takes ten seconds for each piece of a request."""

    def __init__(self) -> None:
        self.now = 0.0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert isinstance(request.stream, httpx2.SyncByteStream)
        for _ in request.stream:
            self.now += 10
        return httpx2.Response(200, stream=httpx2.ByteStream(b"y"))


def test_a_request_is_not_fed_for_ever(tmp_path: Path) -> None:
    """Who takes a request in crumbs, each in time, is left when the time for the whole is over (T28)."""
    slow = Crumbs()
    limits = HttpLimits(total_seconds=50)
    line = HttpExchange(
        "https://x.example", where="x", spool=Spool(tmp_path), limits=limits, ticks=lambda: slow.now, transport=slow
    )
    with pytest.raises(Unclear) as caught:
        line.post(MemoryContent(b"x" * 4_000_000))

    assert "dialog.no-answer" == caught.value.code
    assert 60 == slow.now
