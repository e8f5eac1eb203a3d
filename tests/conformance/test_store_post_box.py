"""Any engine: what lies in a post box, what a reader's fetching and closing mean, what a sender can take back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from intermediary.audit.standing import differences
from intermediary.cli.sheet import moment, sheet
from intermediary.core.decide import Decision
from intermediary.operations.look import detail
from intermediary.store import Claim, Store
from intermediary.store.beside import beside
from intermediary.store.errors import Busy, NotFound, NotPossible
from intermediary.store.post_box import FETCHED, box_of
from tests.conformance.store_kit import (
    LATER,
    MANDANTEN,
    NOW,
    OUTPUT,
    SECOND,
    SECOND_TARGET,
    TARGET,
    Bench,
    N,
    Z,
    eingang,
)

MANDANT, OTHER = MANDANTEN
READER = "fvt:0001"
BOX = box_of(MANDANT, READER)
PROOF = {"closed_by": READER}


def lay(store: Store, message_id: str, *, reader: str = READER, two: bool = False, mandant: str = MANDANT) -> str:
    """A Nachricht whose Zustellung lies in a box; its key."""
    (taken,) = store.take([eingang(message_id, mandant=mandant)])
    claim = store.claim_one(taken.nachricht_id, "w", NOW)
    targets = [TARGET, SECOND_TARGET] if two else [TARGET]
    claim = store.plan(claim, route="r", pins={}, plan={}, targets=targets, now=NOW)
    claim = laid(store, claim, claim.zustellungen[0].key, reader)
    store.release(claim, now=NOW)
    return claim.zustellungen[0].key


def laid(store: Store, claim: Claim, key: str, reader: str = READER) -> Claim:
    claim = store.intend(claim, key, output_sha256=OUTPUT, now=NOW)
    waits = Decision(Z.AWAITING, due_at=NOW + timedelta(minutes=5))
    return store.settle(claim, key, waits, now=NOW, correlation={"post_box": reader}, until=LATER)


def test_what_waits_lies_in_the_box_of_its_reader(bench: Bench) -> None:
    """In order, seen by every host after any restart, and in nobody else's box."""
    store = bench.open()
    keys = [lay(store, f"a-{number}") for number in range(3)]
    lay(store, "b", reader="fvt:0002")
    lay(store, "c", mandant=OTHER)

    found = bench.open().post_boxes.waiting([BOX], limit=10)

    assert set(keys) == {one.zustellung.key for one in found}
    assert {MANDANT} == {one.mandant for one in found}
    assert 2 == len(store.post_boxes.waiting([BOX], limit=2))
    assert 4 == len(store.post_boxes.waiting([BOX, box_of(OTHER, READER)], limit=10))


def test_it_stays_there_while_the_worker_looks_after_it(bench: Bench) -> None:
    """A look for the verdict that finds none changes nothing, and when it was fetched first stays known."""
    store = bench.open()
    key = lay(store, "a")
    at = NOW + timedelta(minutes=6)
    (claim,) = store.claim("w", at)
    store.post_boxes.note_fetch(key, reader=READER, now=at)
    waits = Decision(Z.AWAITING, due_at=at + timedelta(minutes=5))
    correlation = claim.zustellung(key).correlation
    store.release(store.settle(claim, key, waits, now=at, correlation=correlation, until=LATER), now=at)
    store.post_boxes.note_fetch(key, reader=READER, now=LATER)

    (found,) = store.post_boxes.waiting([BOX], limit=10)

    assert found.zustellung.correlation[FETCHED].startswith("2026-11-21T12:06")
    assert 1 == sum(entry.event.name == "post-box.fetched" for entry in store.events(found.zustellung.nachricht_id))


def test_closing_delivers_once(bench: Bench) -> None:
    """The verdict follows in the same commit; repeated, it is the same; nothing lies there any more."""
    store = bench.open()
    key = lay(store, "a")

    first = store.post_boxes.close(key, reader=READER, proof=PROOF, now=NOW + SECOND)
    again = bench.open().post_boxes.close(key, reader=READER, proof={"closed_by": "again"}, now=LATER)

    (found,) = store.post_boxes.those([key])
    assert (True, False) == (first, again)
    assert (Z.DELIVERED, PROOF) == (found.zustellung.state, found.zustellung.proof)
    assert N.ANSWERING is store.get(found.zustellung.nachricht_id).state
    assert () == store.post_boxes.waiting([BOX], limit=10)


def test_closing_waits_for_whoever_holds_the_nachricht(bench: Bench) -> None:
    """What a worker knows does not change under its hands; when it has given it back, closing is possible."""
    store = bench.open()
    key = lay(store, "a", two=True)
    (claim,) = store.claim("w", NOW)

    with pytest.raises(Busy):
        store.post_boxes.close(key, reader=READER, proof=PROOF, now=NOW)
    store.release(claim, now=NOW)

    assert store.post_boxes.close(key, reader=READER, proof=PROOF, now=NOW)
    assert N.PLANNED is store.get(claim.nachricht.id).state


def test_show_tells_whose_box_it_is_and_whether_it_was_fetched(bench: Bench) -> None:
    """What a person is asked when a maker says that nothing arrives: laid there, until when, fetched or not."""
    store = bench.open()
    key = lay(store, "a")
    (one,) = store.post_boxes.those([key])
    own = one.zustellung.nachricht_id
    said = {"before": "\n".join(sheet(detail(store, own)))}
    store.post_boxes.note_fetch(key, reader=READER, now=NOW)
    said["fetched"] = "\n".join(sheet(detail(store, own)))
    store.post_boxes.close(key, reader=READER, proof=PROOF, now=NOW)

    assert f"  Postfach          {READER}\n  Abgeholt          noch nicht\n" in said["before"]
    assert f"  Abgeholt          {moment(NOW.isoformat())}\n" in said["fetched"]
    assert f"  Zu bestätigen bis {moment(LATER.isoformat())}\n" in said["fetched"]
    assert "Zu bestätigen" not in "\n".join(sheet(detail(store, own)))


@pytest.mark.parametrize("state", [Z.UNCLEAR, Z.PARKED])
def test_a_late_reader_is_believed(bench: Bench, state: Z) -> None:
    """Whoever closes after the deadline had it all the same: the person who was asked has nothing left to do."""
    store = bench.open()
    key = lay(store, "a")
    (claim,) = store.claim("w", LATER)
    overdue = Decision(Z.UNCLEAR, "delivery.ack.overdue", due_at=LATER)
    claim = store.settle(claim, key, overdue, now=LATER)
    if state is Z.PARKED:
        claim = store.settle(claim, key, replace(overdue, state=Z.PARKED, due_at=None), now=LATER)
    store.release(claim, now=LATER)

    assert store.post_boxes.close(key, reader=READER, proof=PROOF, now=LATER)
    assert Z.DELIVERED is store.zustellungen(claim.nachricht.id)[0].state


def test_a_box_is_its_readers_alone(bench: Bench) -> None:
    """Nobody else can fetch or close, and what was never there is not found."""
    store = bench.open()
    key = lay(store, "a")

    for reader, wanted in (("fvt:0002", key), (READER, "00000000-0000-4000-8000-000000000000")):
        with pytest.raises(NotFound):
            store.post_boxes.close(wanted, reader=reader, proof=PROOF, now=NOW)
        with pytest.raises(NotFound):
            store.post_boxes.note_fetch(wanted, reader=reader, now=NOW)


def test_a_sender_takes_back_what_nobody_has_judged(bench: Bench) -> None:
    """Before its moment nobody gets it; taken back it is discarded, repeatedly; once judged it is too late."""
    store = bench.open()
    early = replace(eingang("a"), not_before=LATER)
    (taken,) = store.take([early])

    assert [] == store.claim("w", NOW)
    assert store.post_boxes.cancel(taken.nachricht_id, now=NOW)
    assert not store.post_boxes.cancel(taken.nachricht_id, now=NOW)
    assert (N.DISCARDED, "intake.cancelled") == (
        store.get(taken.nachricht_id).state,
        store.get(taken.nachricht_id).code,
    )
    with pytest.raises(NotPossible):
        store.post_boxes.cancel(store.post_boxes.those([lay(store, "b")])[0].zustellung.nachricht_id, now=NOW)


def test_what_comes_before_its_moment_is_due_at_it(bench: Bench) -> None:
    """A submission with `not_before` waits unjudged, and its deadline counts from that moment."""
    store = bench.open()
    (taken,) = store.take([replace(eingang("a"), not_before=LATER)])

    record = store.get(taken.nachricht_id)

    assert (LATER, LATER, NOW) == (record.due_at, record.since, record.received_at)
    assert 1 == len(store.claim("w", LATER))


def test_the_audit_trail_agrees_with_the_rows(bench: Bench) -> None:
    """Closing, fetching and taking back can be played again from their events."""
    store = bench.open()
    key = lay(store, "a")
    store.post_boxes.note_fetch(key, reader=READER, now=NOW)
    store.post_boxes.close(key, reader=READER, proof=PROOF, now=NOW)
    (taken,) = store.take([replace(eingang("b"), not_before=LATER)])
    store.post_boxes.cancel(taken.nachricht_id, now=NOW)

    with bench.database().read() as tx:
        found = [one for one in beside(tx, "-") if one.row is not None]
        told = [tuple(differences(one.events, one.row or {}, one.zustellungen)) for one in found]

    assert [(), ()] == told
