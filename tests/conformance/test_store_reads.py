"""Any engine: finding, paging, counting, and one line per Nachricht for checkers."""

from __future__ import annotations

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.keys.wrap import KekFiles, MandantKeys, create_kek
from intermediary.store import Ambiguous, NotFound, Store
from tests.conformance.store_kit import (
    DELIVERED,
    MANDANTEN,
    NOW,
    SECOND,
    TARGET,
    Bench,
    N,
    Z,
    attempt,
    eingang,
    key_of,
    parked,
    planned,
)


def test_found_newest_first_page_by_page(store: Store) -> None:
    """`after` continues exactly behind the page before, also among equal moments."""
    store.take([eingang(f"antrag-{number}", at=NOW + (number // 3) * SECOND) for number in range(10)])
    whole = [record.id for record in store.find()]
    paged: list[str] = []
    while page := [record.id for record in store.find(limit=4, after=paged[-1] if paged else None)]:
        paged += page

    assert (10, whole) == (len(set(whole)), paged)
    assert sorted((store.get(one).received_at for one in whole), reverse=True) == [
        store.get(one).received_at for one in whole
    ]


def test_found_by_what_an_operator_knows(store: Store) -> None:
    """Mandant, state, code, route and time narrow the list, alone and together."""
    stopped = parked(store, message_id="a").nachricht.id
    routed = planned(store, message_id="b").nachricht.id
    [other] = store.take([eingang("c", mandant=MANDANTEN[1], at=NOW + SECOND)])

    def found(**wanted: object) -> set[str]:
        return {record.id for record in store.find(**wanted)}  # type: ignore[arg-type]

    assert {stopped} == found(state=N.PARKED) == found(code="bug.unexpected")
    assert {routed} == found(route="bauantrag") == found(mandant=MANDANTEN[0], state=N.PLANNED)
    assert {other.nachricht_id} == found(mandant=MANDANTEN[1]) == found(since=NOW + SECOND)
    assert {stopped, routed} == found(until=NOW + SECOND)
    assert set() == found(mandant=MANDANTEN[1], state=N.PARKED)


def test_found_by_the_senders_id(store: Store) -> None:
    """All Nachrichten under one message id, oldest first: two after a conflict."""
    first, second = store.take([eingang("a", b"1"), eingang("a", b"2", at=NOW + SECOND)])
    found = store.find_by_message_id(MANDANTEN[0], "a")

    assert [first.nachricht_id, second.nachricht_id] == [record.id for record in found]
    assert () == store.find_by_message_id(MANDANTEN[0], "b")


def test_resolved_by_prefix(store: Store) -> None:
    """A unique beginning is enough; nothing and too little are told apart."""
    ids = [taken.nachricht_id for taken in store.take([eingang(f"antrag-{number}") for number in range(40)])]

    assert ids[0] == store.resolve(ids[0][:12]) == store.resolve(ids[0])
    with pytest.raises(NotFound):
        store.resolve("zz")
    with pytest.raises(NotFound):
        store.resolve("")
    crowded = next(one[0] for one in ids if sum(other[0] == one[0] for other in ids) > 1)
    with pytest.raises(Ambiguous):
        store.resolve(crowded)


def test_counted_by_state_and_code(store: Store) -> None:
    """What the overview shows."""
    parked(store, message_id="a")
    parked(store, message_id="b")
    planned(store, message_id="c")

    assert {(N.PARKED, "bug.unexpected"): 2, (N.PLANNED, ""): 1} == store.counts()


def test_one_line_per_nachricht(store: Store) -> None:
    """Id, state, code and the Zustellungen with target, key and state."""
    claim = attempt(store, planned(store, message_id="a"), DELIVERED)
    [waiting] = store.take([eingang("b", at=NOW + SECOND)])
    lines = list(store.state_lines())

    assert [claim.nachricht.id, waiting.nachricht_id] == [line.id for line in lines]
    assert (N.ANSWERING, ((TARGET.name, key_of(claim), Z.DELIVERED),)) == (lines[0].state, lines[0].zustellungen)


def test_a_rotated_kek(bench: Bench) -> None:
    """Under a new KEK old messages stay readable and their ids findable; without the old one they wait for it."""
    store = bench.open()
    [taken] = store.take([eingang("a", b"1")])
    folder = bench.data.parent
    create_kek(folder / "new.kek")
    old = folder / f"{MANDANTEN[0]}.kek"
    bench.keys = MandantKeys({MANDANTEN[0]: KekFiles(folder / "new.kek", previous=(old,))})
    rotated = bench.open()

    assert b"1" == rotated.body(taken.nachricht_id).read()
    assert [taken.nachricht_id] == [one.id for one in rotated.find_by_message_id(MANDANTEN[0], "a")]
    assert "conflict" == rotated.take([eingang("a", b"2")])[0].outcome

    bench.keys = MandantKeys({MANDANTEN[0]: KekFiles(folder / "new.kek")})
    with pytest.raises(Misconfigured, match=r"key\.unavailable"):
        bench.open().body(taken.nachricht_id)
