"""A wrong or replaced KEK is noticed when the store is opened, not when the first payload does not open."""

from __future__ import annotations

import pytest
from sqlalchemy import delete

from intermediary.core.faults import Misconfigured
from intermediary.keys.wrap import KekFiles, MandantKeys, create_kek
from intermediary.store.tables import data_keys, meta
from tests.conformance.store_kit import MANDANTEN, Bench, eingang

MANDANT, OTHER = MANDANTEN


def _keys(bench: Bench, current: str, *previous: str) -> MandantKeys:
    """The first Mandant under these files, made where they are missing; the second one as always."""
    folder = bench.data.parent
    for name in (current, *previous):
        if not (folder / name).exists():
            create_kek(folder / name)
    files = {MANDANT: KekFiles(folder / current, tuple(folder / name for name in previous))}
    return MandantKeys({**files, OTHER: KekFiles(folder / f"{OTHER}.kek")})


def _refused(bench: Bench) -> str:
    with pytest.raises(Misconfigured, match=r"key\.unavailable") as fault:
        bench.open()
    return fault.value.where


def test_a_replaced_kek_is_refused(bench: Bench) -> None:
    """The fault names the file, the Mandant and how many Nachrichten the file does not fit."""
    bench.open().take([eingang("a"), eingang("b"), eingang("c", mandant=OTHER)])
    bench.keys = _keys(bench, "wrong.kek")

    where = _refused(bench)

    assert f"kek_file {bench.data.parent / 'wrong.kek'}" in where
    assert f"2 Nachrichten of {MANDANT}" in where
    assert where == _refused(bench), "a refused start must not make the wrong KEK a known one"


def test_a_rotation_is_welcome_and_remembered(bench: Bench) -> None:
    """A new current KEK beside the old one opens; from then on both are demanded while they have data keys."""
    bench.open().take([eingang("a")])
    bench.keys = _keys(bench, "new.kek", f"{MANDANT}.kek")
    bench.open().take([eingang("b")])

    bench.keys = _keys(bench, "new.kek")
    assert "1 Nachrichten" in _refused(bench)
    bench.keys = _keys(bench, f"{MANDANT}.kek")
    assert "1 Nachrichten" in _refused(bench)
    bench.keys = _keys(bench, "third.kek", "new.kek", f"{MANDANT}.kek")
    bench.open()


def test_a_kek_without_data_keys_may_go(bench: Bench) -> None:
    """Nothing was taken under it, or everything was erased: the next one is welcome, and then known."""
    bench.open()
    bench.keys = _keys(bench, "second.kek")
    store = bench.open()
    store.take([eingang("a")])
    with store._db.write() as tx:
        tx.execute(delete(data_keys))
    bench.keys = _keys(bench, "third.kek")
    bench.open().take([eingang("b")])
    bench.keys = _keys(bench, "second.kek")

    assert "1 Nachrichten" in _refused(bench)


def test_a_store_from_before_is_looked_through_once(bench: Bench) -> None:
    """A store that never noted its KEKs learns them from its data keys, and refuses the wrong one all the same."""
    store = bench.open()
    store.take([eingang("a")])
    with store._db.write() as tx:
        tx.execute(delete(meta).where(meta.c.name == "keks"))
    right, bench.keys = bench.keys, _keys(bench, "wrong.kek")

    assert "1 Nachrichten" in _refused(bench)
    bench.keys = right
    bench.open()


def test_another_mandant_is_not_touched(bench: Bench) -> None:
    """A Mandant that is not configured any more keeps nobody from opening the store."""
    bench.open().take([eingang("a"), eingang("b", mandant=OTHER)])
    bench.keys = MandantKeys({MANDANT: KekFiles(bench.data.parent / f"{MANDANT}.kek")})

    bench.open()


def test_who_needs_no_key_opens_without(bench: Bench) -> None:
    """A KEK that does not open or fit is told when it is needed; the other Mandant's works, and nothing becomes known."""
    folder = bench.data.parent
    taken = bench.open().take([eingang("a"), eingang("b", mandant=OTHER)])
    right = bench.keys
    create_kek(folder / "wrong.kek")
    for current in (folder / "none.kek", folder / "wrong.kek"):
        files = {MANDANT: KekFiles(current), OTHER: KekFiles(folder / f"{OTHER}.kek")}
        bench.keys = MandantKeys(files, must_open=False)
        store = bench.open()

        assert {one.nachricht_id for one in taken} == {line.id for line in store.state_lines()}
        assert "b" == store.headers(taken[1].nachricht_id).message_id
        for use in (lambda s=store: s.headers(taken[0].nachricht_id), lambda s=store: s.take([eingang("c")])):
            with pytest.raises(Misconfigured, match=rf"key\.unavailable.*{current.name}"):
                use()
    bench.keys = right

    assert "a" == bench.open().headers(taken[0].nachricht_id).message_id
