"""Playing events: whatever tells of a row is played, and what a later program adds moves nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from intermediary.audit.chain import START, Event
from intermediary.audit.events import EVENTS
from intermediary.audit.standing import _PLAYS, Standing, differences, hold_differences

AT = datetime(2026, 11, 21, tzinfo=UTC)
SILENT = {"intake.duplicate", "delivery.waits"}
"""Of rows, but without a change that is compared."""


def test_events_of_rows_are_played() -> None:
    """Whoever adds an event that moves a Nachricht or a Zustellung says here, or in `standing`, what it does to the row."""
    of_rows = {
        name for name in EVENTS if name.split(".")[0] in {"intake", "nachricht", "delivery", "verdict", "answer"}
    }

    assert of_rows - SILENT <= _PLAYS.keys() <= EVENTS.keys()


def test_an_event_of_a_later_program_moves_nothing() -> None:
    """An older verifier does not stumble over it."""
    standing = Standing()
    standing.tell(Event("n", 1, AT, "nachricht.danced", "m", fields={"x": 1}))

    assert ({}, {}) == (standing.row, standing.zustellungen)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", Event("n", 1, AT, "nachricht.parked", "m").canonical()])
def test_events_that_cannot_be_played_are_one_difference(body: bytes) -> None:
    """Damaged, or without the fields of their kind."""
    assert ["events: cannot be played"] == list(differences([body], {}, []))


def test_a_value_is_quoted_only_where_it_is_a_word() -> None:
    """States and codes are shown on both sides; hashes, proofs and pins only named."""
    fields = {"channel": "c", "content_type": "x", "direction": "in", "body_sha256": "ab", "body_length": 1}
    event = Event("n", 1, AT, "intake.taken", "m", fields=fields, prev=START)
    standing = Standing()
    standing.tell(Event.parse(json.loads(event.canonical())))
    row = {**standing.row, "state": "parked", "body_sha256": "cd", "plan": {}}

    assert ["body_sha256", "state (events: received, row: parked)"] == list(differences([event.canonical()], row, []))


def _of_holds(name: str, **fields: str) -> bytes:
    return Event("i", 1, AT, name, "", actor="a.adler", fields=fields).canonical()


def test_the_end_of_a_mandant_ends_its_standing_holds() -> None:
    """Chains that tell no release of theirs are sound, and another Mandant's hold stands."""
    why = {"reason": "Klage"}
    told = [
        _of_holds("hold.standing-set", mandant="gone", route="", **why),
        _of_holds("hold.standing-set", mandant="gone", route="bauantrag", **why),
        _of_holds("hold.standing-set", mandant="stays", route="", **why),
        _of_holds("mandant.deleted", mandant="gone", **why),
        _of_holds("hold.standing-released", mandant="gone", route="", **why),
    ]

    assert ["hold stays: missing"] == list(hold_differences(told, []))


def test_holds_that_cannot_be_played_are_one_difference() -> None:
    """Damaged, or without the fields of their kind."""
    assert ["events: cannot be played"] == list(hold_differences([_of_holds("hold.standing-set")], []))


@pytest.mark.parametrize("words", ["hold.standing-set, siehe Vorgang 7", "mandant.deleted"])
def test_words_of_a_reason_are_no_hold(words: str) -> None:
    """Whoever gives the name of an event as their reason breaks nothing: only the name of the event itself counts."""
    told = [
        _of_holds("hold.standing-set", mandant="gone", route="", reason="Klage"),
        _of_holds("person.searched", found="0", reason=words),
        _of_holds("mandant.deletion-begun", mandant="gone", reason=words),
    ]

    assert ["hold gone: missing"] == list(hold_differences(told, []))
