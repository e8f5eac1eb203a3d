"""One Nachricht, two Zustellungen: a Fachverfahren and an e-file, each once, composed to one answer for the sender."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.eakte_xdomea.connector import EakteOrdner
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.operations.act import Decide, Replay
from intermediary.operations.check import doctor, lint
from intermediary.operations.person import Request
from intermediary.operations.selection import Selection
from intermediary.store.errors import NotPossible
from intermediary.store.records import ZustellungRecord
from intermediary.testing.samples import sample_letter
from tests.acceptance.rig import Rig
from tests.acceptance.two_targets import ACKNOWLEDGED, answers, write_route
from tests.conformance.eakte_target import Imported, confirmation, receipt

N, Z = NachrichtState, ZustellungState
WHY = Request(actor="pruefer", reason="Probe")
RECHECK = timedelta(minutes=6)
YES = Imported()
NO = Imported(False, ["E4711"], "Akte von Erika Musterfrau ist gesperrt")


class Crash(BaseException):
    """The end of the process, as far as anybody can see from inside."""


def submitted(rig: Rig) -> str:
    """A usual letter, taken and worked on as far as it goes now."""
    found = rig.submit(sample_letter(1, now=rig.clock()), "a-1")
    rig.work()
    return found


def later(rig: Rig, step: timedelta = RECHECK) -> None:
    """What is awaited is looked at again."""
    rig.clock.advance(step)
    rig.work()


def by_target(rig: Rig, nachricht_id: str) -> dict[str, list[ZustellungRecord]]:
    """The Zustellungen of each target, oldest first."""
    found: dict[str, list[ZustellungRecord]] = {"fachverfahren": [], "eakte": []}
    for zustellung in rig.store.zustellungen(nachricht_id):
        found[zustellung.target].append(zustellung)
    return found


def states(rig: Rig, nachricht_id: str) -> dict[str, list[ZustellungState]]:
    """The same, as states."""
    return {target: [one.state for one in those] for target, those in by_target(rig, nachricht_id).items()}


def test_each_target_gets_it_once_and_one_quittung_follows(rig: Rig) -> None:
    """The Quittung waits for the import confirmation; a receipt is not one, but stands in the proof."""
    eakte = write_route(rig.site)
    found = submitted(rig)
    assert {"fachverfahren": [Z.DELIVERED], "eakte": [Z.AWAITING]} == states(rig, found)
    eakte.consume()
    eakte.answer(receipt(found))
    later(rig)
    assert (N.PLANNED, []) == (rig.get(found).state, rig.answers())

    eakte.answer(confirmation(found, YES))
    later(rig)

    fach, akte = (those[0] for those in by_target(rig, found).values())
    assert N.COMPLETED is rig.get(found).state
    assert [("accepted", "a-1")] == [(answer["status"], answer["messageId"]) for answer in rig.answers()]
    assert (1, 1) == (len(rig.packages()), len(eakte.arrived()))
    assert fach.proof["sha256"] == akte.proof["sha256"] == eakte.arrived()[0].sha256
    assert ("0402", "0403", "1") == (akte.proof["answer"], akte.proof["receipt"], akte.proof["objects"])
    assert fach.key != akte.key
    assert [] == eakte.names("answers")


def test_split_verdict_is_parked_without_quittung(rig: Rig) -> None:
    """One has it, the other refuses it: a person decides, the sender hears nothing yet, and no free text is kept."""
    eakte = write_route(rig.site)
    found = submitted(rig)
    eakte.consume()
    eakte.answer(confirmation(found, YES, NO))
    later(rig)

    assert (N.PARKED, "split-verdict") == (rig.get(found).state, rig.get(found).code)
    assert {"fachverfahren": [Z.DELIVERED], "eakte": [Z.REFUSED]} == states(rig, found)
    (refused,) = by_target(rig, found)["eakte"]
    assert ("E4711", "2", "1") == (refused.proof["reason"], refused.proof["objects"], refused.proof["failed"])
    assert [] == rig.answers()
    assert "Musterfrau" not in repr(rig.store.events(found)) + repr(refused)
    parked = [entry.event for entry in rig.store.events(found) if entry.event.name == "nachricht.parked"]
    assert ["split-verdict"] == [event.fields["code"] for event in parked]
    later(rig, timedelta(days=4))
    assert (N.PARKED, []) == (rig.get(found).state, rig.answers())
    with pytest.raises(NotPossible):
        Decide(rig.store, now=rig.clock).resume(found, WHY)


def test_redelivery_to_the_one_that_refused_heals_the_split(rig: Rig) -> None:
    """After redelivery and resume the sender gets its one Quittung; a late copy of the refusal refuses nothing."""
    eakte = write_route(rig.site)
    found = submitted(rig)
    eakte.consume()
    refusal = confirmation(found, NO)
    eakte.answer(refusal)
    later(rig)
    list(Replay(rig.store, now=rig.clock).carry_out(Selection.parse([found]), WHY, redeliver="eakte"))
    rig.work()
    assert 1 == len(eakte.arrived())  # a parked Nachricht rests

    Decide(rig.store, now=rig.clock).resume(found, WHY)
    rig.work()
    eakte.consume()
    eakte.answer(refusal)
    later(rig)
    assert {"fachverfahren": [Z.DELIVERED], "eakte": [Z.REFUSED, Z.AWAITING]} == states(rig, found)
    eakte.answer(confirmation(found, YES))
    later(rig)

    assert N.COMPLETED is rig.get(found).state
    assert {"fachverfahren": [Z.DELIVERED], "eakte": [Z.REFUSED, Z.DELIVERED]} == states(rig, found)
    assert ["accepted"] == [answer["status"] for answer in rig.answers()]
    assert (1, 2) == (len(rig.packages()), len(eakte.arrived()))
    assert [] == eakte.names("unmatched")


def test_refusal_by_an_optional_target_spoils_nothing(rig: Rig) -> None:
    """The sender's answer depends on required targets only; what the other said is kept."""
    eakte = write_route(rig.site, required=False)
    found = submitted(rig)
    eakte.consume()
    eakte.answer(confirmation(found, NO))
    later(rig)

    assert N.COMPLETED is rig.get(found).state
    assert {"fachverfahren": [Z.DELIVERED], "eakte": [Z.REFUSED]} == states(rig, found)
    assert ["accepted"] == [answer["status"] for answer in rig.answers()]


def test_optional_target_may_be_late(rig: Rig) -> None:
    """The Quittung does not wait for it, and its verdict is still collected afterwards."""
    eakte = write_route(rig.site, required=False)
    found = submitted(rig)
    assert (N.COMPLETED, ["accepted"]) == (rig.get(found).state, [answer["status"] for answer in rig.answers()])
    assert [Z.AWAITING] == states(rig, found)["eakte"]

    later(rig, timedelta(hours=20))
    eakte.consume()
    eakte.answer(confirmation(found, YES))
    later(rig)

    assert [Z.DELIVERED] == states(rig, found)["eakte"]
    assert (N.COMPLETED, 1, 1) == (rig.get(found).state, len(rig.answers()), len(eakte.arrived()))


def test_both_refuse_is_a_rejection(rig: Rig) -> None:
    """Nobody has it: the sender is told so, once."""
    eakte = write_route(rig.site, acknowledgement=ACKNOWLEDGED)
    found = submitted(rig)
    assert {"fachverfahren": [Z.AWAITING], "eakte": [Z.AWAITING]} == states(rig, found)
    eakte.consume()
    eakte.answer(confirmation(found, NO))
    later(rig)
    assert (N.PLANNED, []) == (rig.get(found).state, rig.answers())
    (package,) = rig.packages()
    (answers(rig.site) / f"{package.name}.error").write_text("E1")
    later(rig)

    assert (N.REJECTED, "target.refused") == (rig.get(found).state, rig.get(found).verdict_code)
    assert ["rejected"] == [answer["status"] for answer in rig.answers()]


def test_refusal_keeps_the_other_from_being_sent(rig: Rig) -> None:
    """Refused by one while the other cannot be reached yet: rejected, and the other never gets it."""
    eakte = write_route(rig.site, acknowledgement=ACKNOWLEDGED)
    leftover = eakte["drop"] / "x"
    eakte["archive"].rmdir()
    found = submitted(rig)
    assert {"fachverfahren": [Z.AWAITING], "eakte": [Z.DUE]} == states(rig, found)
    (package,) = rig.packages()
    (answers(rig.site) / f"{package.name}.error").write_text("E1")
    later(rig)
    assert N.REJECTED is rig.get(found).state

    eakte["archive"].mkdir()
    rig.store.wake_misconfigured(rig.clock())
    later(rig, timedelta(hours=2))

    assert not leftover.exists()
    assert [] == eakte.arrived()
    assert ["rejected"] == [answer["status"] for answer in rig.answers()]


def test_missing_confirmation_parks_and_a_late_one_is_read_after_send_again(rig: Rig) -> None:
    """After the deadline a person is asked; whoever then says `send-again` sends nothing twice."""
    eakte = write_route(rig.site)
    found = submitted(rig)
    eakte.consume()
    later(rig, timedelta(hours=23))
    assert [Z.AWAITING] == states(rig, found)["eakte"]
    later(rig, timedelta(hours=1))
    (overdue,) = by_target(rig, found)["eakte"]
    assert (Z.PARKED, "delivery.ack.overdue") == (overdue.state, overdue.code)
    assert (N.PLANNED, []) == (rig.get(found).state, rig.answers())

    eakte.answer(confirmation(found, YES))
    Decide(rig.store, now=rig.clock).send_again(found, "eakte", WHY)
    rig.work()

    assert N.COMPLETED is rig.get(found).state
    assert 1 == len(eakte.arrived())


def test_answer_before_our_own_commit_is_matched(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies after the hand-over and before its verdict is committed; the e-file has answered already."""
    eakte = write_route(rig.site)
    real = EakteOrdner.deliver

    def deliver(connector: EakteOrdner, *arguments: object) -> object:
        real(connector, *arguments)  # type: ignore[arg-type]
        eakte.consume()
        eakte.answer(confirmation(found, YES))
        raise Crash

    found = rig.submit(sample_letter(1, now=rig.clock()), "a-1")
    with monkeypatch.context() as patch:
        patch.setattr(EakteOrdner, "deliver", deliver)
        with pytest.raises(Crash):
            rig.work()
    assert [Z.INTENDED] == states(rig, found)["eakte"]
    rig.store.release_dead(lambda owner: False, rig.clock())  # as the next daemon does when it starts
    later(rig)
    later(rig)

    assert N.COMPLETED is rig.get(found).state
    assert (1, 1, 1) == (len(rig.packages()), len(eakte.arrived()), len(rig.answers()))
    assert [] == eakte.names("unmatched")


def test_answers_find_their_nachricht_among_many(rig: Rig) -> None:
    """Twenty Nachrichten, answered in reverse with every fourth refused: each gets its own verdict."""
    eakte = write_route(rig.site)
    found = [rig.submit(sample_letter(number, now=rig.clock()), f"a-{number}") for number in range(20)]
    rig.work()
    eakte.consume()
    for number, nachricht_id in reversed(list(enumerate(found))):
        eakte.answer(confirmation(nachricht_id, YES if number % 4 else NO))
    later(rig)

    expected = [N.COMPLETED if number % 4 else N.PARKED for number in range(20)]
    assert expected == [rig.get(nachricht_id).state for nachricht_id in found]
    assert 15 == len(rig.answers())
    assert (20, 20) == (len(rig.packages()), len(eakte.arrived()))


def test_lint_and_doctor_know_both_targets(rig: Rig) -> None:
    """The settings are sound; an answer that was set aside shows in `doctor` until a person has looked."""
    eakte = write_route(rig.site)
    found = submitted(rig)
    assert [] == [finding for finding in lint(rig.site.config) if "target" in finding.path]
    assert {"ok"} == verdicts_on_targets(rig)

    eakte.consume()
    eakte.answer(confirmation("0b1ec7b8-0000-4000-8000-000000000001", YES), "fremd.xml")
    later(rig)
    assert (N.PLANNED, ["fremd.xml"]) == (rig.get(found).state, eakte.names("unmatched"))
    assert {"ok", "bad"} == verdicts_on_targets(rig)

    (eakte["unmatched"] / "fremd.xml").unlink()
    assert {"ok"} == verdicts_on_targets(rig)


def verdicts_on_targets(rig: Rig) -> set[str]:
    """What `doctor` finds when it asks the targets."""
    found = [one for one in doctor(rig.site.config, rig.clock()) if "target" in one.subject]
    assert len(found) == 2
    return {one.verdict for one in found}
