"""Judging at the door: exactly one Nachricht, nothing delivered, and only what a door may open."""

from __future__ import annotations

from datetime import timedelta

from intermediary.osci.passive.told import ToldInResponse
from intermediary.osci.passive.verdict import Open, read_verdict
from intermediary.testing.demo_site import SERVICE_WITHOUT_ROUTE
from intermediary.testing.samples import sample_letter
from tests.acceptance.rig import Rig


def test_it_judges_and_delivers_nothing(rig: Rig) -> None:
    """Planned, with its Zustellung still due; the lease is given back, and a worker delivers."""
    own = rig.submit(sample_letter(1, now=rig.clock()), "portal/1")
    other = rig.submit(sample_letter(2, now=rig.clock()), "portal/2")
    rig.worker.judge_one(own)

    assert ("planned", "received") == (rig.get(own).state, rig.get(other).state)
    assert [] == rig.packages()
    rig.work()
    assert "completed" == rig.get(own).state


def test_twice_is_once(rig: Rig) -> None:
    """What is judged already stays as it is, and is asked for again without harm."""
    own = rig.submit(sample_letter(1, now=rig.clock(), is_broken=True), "portal/1")
    for _ in range(2):
        rig.worker.judge_one(own)

    assert "answering" == rig.get(own).state
    assert 1 == [entry.event.name for entry in rig.store.events(own)].count("nachricht.refused")


def test_who_is_at_it_is_not_disturbed(rig: Rig) -> None:
    """A leased Nachricht is left to its holder."""
    own = rig.submit(sample_letter(1, now=rig.clock()), "portal/1")
    (claim,) = rig.store.claim("somebody", rig.clock())
    rig.worker.judge_one(own)

    assert "received" == rig.get(own).state
    assert Open.IN_HAND is read_verdict(rig.get(own), rig.clock())
    rig.store.release(claim, rig.clock())


def test_a_suspect_is_not_opened_at_a_door(rig: Rig) -> None:
    """A claim of it ended unexplained: it is opened alone, in a process of its own (DESIGN 2.7)."""
    own = rig.submit(sample_letter(1, now=rig.clock()), "portal/1")
    rig.store.claim("host:boot:1:2:3", rig.clock())
    rig.store.release_crashed("host:boot:1:2", rig.clock(), alone=False)
    rig.worker.judge_one(own)

    assert "received" == rig.get(own).state
    assert 1 == rig.get(own).unexplained


def test_what_waits_goes_on_waiting(rig: Rig) -> None:
    """A repetition is no reason to look for a route again before its time."""
    own = rig.submit(sample_letter(1, now=rig.clock(), service=SERVICE_WITHOUT_ROUTE), "portal/1")
    rig.worker.judge_one(own)
    due = rig.get(own).own_due_at
    rig.clock.advance(timedelta(seconds=10))
    rig.worker.judge_one(own)

    assert due == rig.get(own).own_due_at
    assert Open.WAITS is read_verdict(rig.get(own), rig.clock())


def test_what_the_response_told_needs_no_quittung() -> None:
    """The proof says where it was told; a verdict that came after the response reached nobody."""
    way = ToldInResponse()

    def proof(code: str) -> object:
        quittung = b'{"status": "rejected", "code": "%b"}' % code.encode()
        return way.answer(quittung, quittung_id="q", message_id="m", correlation_id="", reply_to="")["sent"]

    assert "in the response to the delivery" == proof("validate.input.invalid")
    assert "no way back configured" == proof("target.refused")
