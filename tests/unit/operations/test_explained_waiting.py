"""What `explain` says of a Zustellung that waits for its target, and of a history that several targets share."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from intermediary.audit.chain import Event
from intermediary.core.breaker import Health, TargetState
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.daemon.places import Places
from intermediary.daemon.telling import local
from intermediary.operations.explained import actions, held_now, latest
from intermediary.operations.look import explain
from intermediary.store.target_rows import Pause, TargetRecord
from intermediary.store.targets import Standing
from tests.unit.store.test_due import NACHRICHT, NOW, ZUSTELLUNG

LOOK, UNTIL = NOW + timedelta(minutes=5), NOW + timedelta(hours=72)
LYING = replace(
    ZUSTELLUNG,
    state=ZustellungState.AWAITING,
    due_at=LOOK,
    until=UNTIL,
    correlation={"post_box": "fvt:0000000001"},
)


def _event(seq: int, name: str = "delivery.delivered", **fields: str) -> Event:
    return Event(chain="n", seq=seq, at=NOW, name=name, mandant="m", fields=fields)


def test_of_a_post_box_it_is_told_whose_it_is_and_whether_it_was_fetched() -> None:
    """The operator waits for the reader, not for our next look: neither that nor a next attempt is told."""
    planned = replace(NACHRICHT, state=NachrichtState.PLANNED, due_at=LOOK)

    lying = explain(planned, (LYING,), NOW).lines
    fetched = replace(LYING, correlation={**LYING.correlation, "fetched_at": NOW.isoformat()})

    assert "  Sie liegt im Postfach von fvt:0000000001; abgeholt hat der Leser sie noch nicht." in lying
    assert f"  Bleibt die Bestätigung bis {local(UNTIL)} aus, wartet sie auf einen Menschen." in lying
    assert not [line for line in lying if "Nächster" in line]
    assert (
        f"  Sie liegt im Postfach von fvt:0000000001; abgeholt am {local(NOW)}, aber noch nicht bestätigt."
        in explain(planned, (fetched,), NOW).lines
    )


def test_another_verdict_that_comes_later_has_its_next_look_and_its_end() -> None:
    """A target that is asked for its verdict is looked at by us; the next attempt of the Nachricht is no other moment."""
    planned = replace(NACHRICHT, state=NachrichtState.PLANNED, due_at=LOOK)

    told = explain(planned, (replace(LYING, correlation={"ticket": "4711"}),), NOW).lines

    assert [line for line in told if "Nächster" in line] == [f"  Nächster Blick: {local(LOOK)}."]
    assert f"  Bleibt die Bestätigung bis {local(UNTIL)} aus, wartet sie auf einen Menschen." in told


def test_a_nachricht_that_waits_for_itself_has_its_next_attempt() -> None:
    """Before anything is planned there is no Zustellung that could say when it goes on."""
    received = replace(NACHRICHT, state=NachrichtState.RECEIVED, due_at=LOOK)

    assert explain(received, (), NOW).lines == (f"Nächster Versuch: {local(LOOK)}.",)


def test_what_may_be_typed_is_what_the_remedy_says() -> None:
    """A look at the target heals it sooner than our next look: the commands stand there; where time heals, they do not."""
    unclear = replace(LYING, state=ZustellungState.UNCLEAR, until=None, correlation={}, code="target.answer.unreadable")
    completed = replace(NACHRICHT, state=NachrichtState.COMPLETED)

    typed = [command.split()[2:4] for command, _ in actions(completed, (unclear,), Places(NOW))]

    assert [["n/t", "confirm-delivered"], ["n/t", "send-again"]] == typed[:2]
    assert [["n"]] == [
        command.split()[2:] for command, _ in actions(completed, (replace(unclear, code="target.full"),), Places(NOW))
    ]


@pytest.mark.parametrize(
    ("stored", "rests", "scope", "code", "told"),
    [
        ("target.paused", True, "", "target.resting", "Das Ziel ruht"),
        ("target.paused", False, "", "", "nimmt wieder an"),
        ("target.resting", False, "", "", "nimmt wieder an"),
        ("target.resting", False, "m", "target.paused", "hat das Ziel angehalten"),
        ("target.paused", True, "m/r", "target.paused", "hat das Ziel angehalten"),
        ("target.limited", False, "", "target.limited", "Grenzen"),
    ],
)
def test_what_waits_for_a_target_is_told_as_the_target_stands_now(
    stored: str, rests: bool, scope: str, code: str, told: str
) -> None:
    """A pause or a rest that is over is no reason any more, and no command speaks of it."""
    state = TargetState.RESTS if rests else TargetState.WORKS
    pauses = (Pause(scope, "Umzug", "chef", NOW, None),) if scope else ()
    standing = Standing({"m/r/t": TargetRecord("m/r/t", Health(state, NOW))}, pauses)
    places = Places.of((), standing, NOW)
    held = replace(ZUSTELLUNG, code=stored, due_at=UNTIL, waits_for="m/r/t")
    planned = replace(NACHRICHT, state=NachrichtState.PLANNED, wait_reason=stored, due_at=UNTIL)

    nachricht, zustellungen = held_now(planned, (held,), places)
    text = " ".join(explain(nachricht, zustellungen, NOW).lines)
    typed = [command for command, _ in actions(nachricht, zustellungen, places)]

    assert (code, code) == (nachricht.wait_reason, zustellungen[0].code)
    assert told in text
    assert "Nächster" not in text
    assert ("angehalten" in text) is (code == "target.paused")
    assert [f'intermediary targets resume {scope} --reason "…"'] * bool(scope) == [c for c in typed if "resume" in c]
    assert "intermediary targets list m/r/t" in typed


def test_the_headline_tells_of_an_optional_target_that_is_still_open() -> None:
    """The sender has its answer, and somebody may still have to do something."""
    completed = replace(NACHRICHT, state=NachrichtState.COMPLETED)
    optional = replace(LYING, required=False)

    assert "Zugestellt und quittiert." == explain(completed, (), NOW).headline
    assert "Zugestellt und quittiert; eine weitere Zustellung ist noch offen." == (
        explain(completed, (optional,), NOW).headline
    )
    assert "Zugestellt und quittiert; eine weitere Zustellung wartet auf eine Entscheidung." == (
        explain(completed, (optional, replace(optional, state=ZustellungState.PARKED)), NOW).headline
    )


def test_a_redelivery_that_the_target_refuses_is_told_and_blames_no_sender() -> None:
    """The sender's Quittung went out long ago; who ordered it again has to know, and to ask the target."""
    completed = replace(NACHRICHT, state=NachrichtState.COMPLETED)
    first = replace(ZUSTELLUNG, state=ZustellungState.DELIVERED)
    again = replace(
        ZUSTELLUNG, state=ZustellungState.REFUSED, code="target.refused", required=False, redelivery=1, attempts=1
    )

    told = explain(completed, (first, again), NOW)

    assert "Zugestellt und quittiert; eine erneute Zustellung hat das Ziel abgelehnt." == told.headline
    assert "Zustellung an t (erneut) wurde vom Ziel abgelehnt nach 1 Versuch." in told.lines
    assert not [line for line in told.lines if "der Sender muss" in line or "freiwillig" in line]
    assert [line for line in told.lines if "Der Sender weiß davon nichts" in line]

    bears = replace(completed, wait_reason="redelivery.refused")
    typed = [command.split()[1:5] for command, _ in actions(bears, (first, again), Places(NOW))]
    given_up = explain(completed, (first, replace(again, code="person.discarded")), NOW)

    assert [["replay", "n", "--redeliver", "t"], ["decide", "n", "discard", "--reason"]] == typed[:2]
    assert 1 == sum("Der Sender weiß davon nichts" in line for line in explain(bears, (first, again), NOW).lines)
    assert ("Zugestellt und quittiert.", True) == (given_up.headline, "dabei bleibt" in given_up.lines[-1])


def test_the_history_of_several_targets_names_them() -> None:
    """Two targets have taken it: each line says which; of a single one nothing has to be said."""
    events = [_event(1, target="eakte"), _event(2, "delivery.due", target="archiv", code="target.full")]

    of_two, _ = latest(events)
    of_one, _ = latest(events[:1])

    assert of_two[0].endswith(" (eakte)")
    assert of_two[1].endswith(" (archiv: target.full)")
    assert not of_one[0].endswith(")")


def test_the_history_never_leaves_out_a_single_event() -> None:
    """A line that says one line is left out would be no shorter than that line."""
    nine, ten = ([_event(seq) for seq in range(1, most + 1)] for most in (9, 10))

    assert (len(latest(nine)[0]), latest(nine)[1]) == (9, 0)
    assert (len(latest(ten)[0]), latest(ten)[1]) == (8, 2)
