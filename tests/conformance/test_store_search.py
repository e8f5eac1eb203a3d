"""Any engine: what a LeikaId or business key leads to, newest first, few or many, whichever program wrote it."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import insert, update

from intermediary.core.ids import LeikaId
from intermediary.keys.wrap import KekFiles, MandantKeys, create_kek
from intermediary.store import Store, newest
from intermediary.store.tables import search_keys
from tests.conformance.store_kit import (
    DELIVERED,
    MANDANTEN,
    NOW,
    SECOND,
    TARGET,
    Bench,
    N,
    attempt,
    eingang,
)

LEIKA = LeikaId("99012013001000")


def judged(
    store: Store, name: str, *, at: datetime = NOW, mandant: str = MANDANTEN[0], route: str = "bauantrag", **keys: str
) -> str:
    """A Nachricht that can be found by the LeikaId all have, and by keys of its own; its id."""
    [taken] = store.take([eingang(name, at=at, mandant=mandant)])
    claim = store.claim_one(taken.nachricht_id, "w1", at)
    held = {"leika": LEIKA, **keys}
    claim = store.plan(claim, route=route, pins={}, plan={}, targets=[TARGET], search_keys=held, now=at)
    store.release(claim, at)
    return taken.nachricht_id


def many(store: Store) -> list[str]:
    """Twelve with one LeikaId, of both Mandanten, three at each moment; their ids, newest first."""
    made = []
    for number in range(12):
        at = NOW + (number // 3) * SECOND
        made.append((at, judged(store, f"a-{number}", at=at, mandant=MANDANTEN[number % 2])))
    return [one for _, one in sorted(made, reverse=True)]


def found(store: Store, key: str, **wanted: object) -> list[str]:
    return [record.id for record in store.find(search_key=key, **wanted)]  # type: ignore[arg-type]


def paged(store: Store, key: str, size: int) -> list[str]:
    pages: list[str] = []
    while page := found(store, key, limit=size, after=pages[-1] if pages else None):
        pages += page
    return pages


def written_by_an_older_program(bench: Bench, ids: list[str]) -> None:
    """What a program that knows no moment beside a key leaves there."""
    with bench.database().write() as tx:
        tx.execute(update(search_keys).where(search_keys.c.nachricht_id.in_(ids)).values(received_at=None))


def test_a_key_of_all_leads_to_the_newest_first(store: Store) -> None:
    """Mandant by Mandant or together, whole or page by page, also among equal moments."""
    ids = many(store)

    assert ids == found(store, LEIKA) == paged(store, LEIKA, 5) == paged(store, LEIKA, 1)
    assert ids[:4] == found(store, LEIKA, limit=4)
    of_one = [one for one in ids if store.get(one).mandant == MANDANTEN[1]]
    assert of_one == found(store, LEIKA, mandant=MANDANTEN[1]) != ids


def test_a_key_of_one_leads_to_that_one(store: Store) -> None:
    """Among many others, capitals and blanks aside; what nobody has leads nowhere."""
    many(store)
    one = judged(store, "b", aktenzeichen="AZ 4711/26")

    assert [one] == found(store, "az  4711/26") == found(store, "AZ 4711/26", limit=50)
    assert [] == found(store, "AZ 4711/27")
    assert [] == found(store, "AZ 4711/26", mandant=MANDANTEN[1])


def test_a_value_under_two_names_is_one_nachricht(store: Store) -> None:
    """It is met once and takes one place of a page."""
    ids = [judged(store, f"a-{n}", at=NOW + n * SECOND, aktenzeichen="4711", vorgang="4711") for n in range(5)][::-1]

    assert ids == found(store, "4711") == found(store, "4711", limit=5) == paged(store, "4711", 2)
    assert ids[:3] == found(store, "4711", limit=3)


@pytest.mark.parametrize("older", [slice(0, 12), slice(0, 12, 3), slice(4, 9), slice(11, 12)])
def test_what_an_older_program_wrote_stands_in_its_place(bench: Bench, older: slice) -> None:
    """In a rolling upgrade its keys have no moment beside them; order and pages stay the same (G15)."""
    store = bench.open()
    ids = many(store)
    rare = judged(store, "b", aktenzeichen="4711")
    ids.insert(next(place for place, one in enumerate(ids) if (NOW, rare) > (store.get(one).received_at, one)), rare)
    written_by_an_older_program(bench, [*ids[older], rare])

    assert ids == found(store, LEIKA) == paged(store, LEIKA, 5)
    assert [rare] == found(store, "4711")
    seconds = [one for one in ids if store.get(one).received_at == NOW + SECOND]
    assert seconds == found(store, LEIKA, since=NOW + SECOND, until=NOW + 2 * SECOND)


def test_an_older_program_can_write(bench: Bench) -> None:
    """A row without the moment is a row: the new column asks nothing of who does not know it (G15)."""
    store = bench.open()
    one = judged(store, "a")
    rests = bench.keys.index_hash(MANDANTEN[0], "search\n4711")
    with bench.database().write() as tx:
        tx.execute(insert(search_keys), {"nachricht_id": one, "name": "aktenzeichen", "value_hash": rests})

    assert [one] == found(store, "4711")


def test_what_a_key_leads_to_is_narrowed(bench: Bench) -> None:
    """By route, state, code and time, alone and together."""
    store = bench.open()
    ids = many(store)
    other = judged(store, "b", at=NOW + 9 * SECOND, route="wohnsitz")
    sent = judged(store, "c", at=NOW + 8 * SECOND)
    attempt(store, store.claim_one(sent, "w1", NOW), DELIVERED)
    stopped = judged(store, "d", at=NOW + 7 * SECOND)
    store.park(store.claim_one(stopped, "w1", NOW), "bug.unexpected", NOW)

    assert [other] == found(store, LEIKA, route="wohnsitz")
    assert [sent] == found(store, LEIKA, state=N.ANSWERING)
    assert [stopped] == found(store, LEIKA, code="bug.unexpected") == found(store, LEIKA, state=N.PARKED)
    assert [] == found(store, LEIKA, code="bug.unexpected", route="wohnsitz")
    assert ids[:6] == found(store, LEIKA, since=NOW + 2 * SECOND, until=NOW + 7 * SECOND)
    assert [other, sent] == found(store, LEIKA, since=NOW, limit=2)
    assert ids[-3:] == found(store, LEIKA, until=NOW + SECOND)


def test_more_mandanten_than_one_statement_takes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What several statements lead to is one list, and ends where it shall."""
    ids = many(store)
    monkeypatch.setattr(newest, "_MOST_AT_ONCE", 1)

    assert ids == found(store, LEIKA) == paged(store, LEIKA, 5)
    assert ids[:4] == found(store, LEIKA, limit=4)


def test_a_rotated_kek_parts_no_list(bench: Bench) -> None:
    """Keys rest under the old KEK and the new one, and lead to one list."""
    store = bench.open()
    ids = [judged(store, f"a-{number}", at=NOW + number * SECOND) for number in range(3)]
    folder = bench.data.parent
    create_kek(folder / "new.kek")
    rotated = KekFiles(folder / "new.kek", previous=(folder / f"{MANDANTEN[0]}.kek",))
    bench.keys = MandantKeys({MANDANTEN[0]: rotated})
    store = bench.open()
    ids.insert(1, judged(store, "b", at=NOW + SECOND / 2))

    assert ids[::-1] == found(store, LEIKA) == paged(store, LEIKA, 3)


def test_what_is_judged_anew_is_found_by_its_new_keys(store: Store) -> None:
    """The old ones lead nowhere."""
    one = judged(store, "a", aktenzeichen="4711")
    claim = store.judge_anew(store.claim_one(one, "person", NOW), actor="person", reason="Test", now=NOW)
    store.plan(claim, route="r", pins={}, plan={}, targets=[TARGET], search_keys={"az": "4712"}, now=NOW)

    assert ([], [one]) == (found(store, "4711"), found(store, "4712"))
