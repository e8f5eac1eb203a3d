"""Events: the closed list, the canonical form, and lines that can be read back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from intermediary.audit.chain import START, Entry, Event, Malformed, canonical, follow, moment
from intermediary.audit.events import EVENTS

AT = datetime(2026, 11, 21, 13, 0, 0, 5, tzinfo=UTC)


def _entry(**changed: Any) -> Entry:
    values: dict[str, Any] = {
        "chain": "n-1",
        "seq": 1,
        "prev": START,
        "at": AT,
        "name": "nachricht.parked",
        "mandant": "musterstadt",
        "fields": {"state": "received", "code": "bug.unexpected"},
    }
    return follow(**{**values, **changed})


def test_the_canonical_form() -> None:
    """Exactly these bytes are hashed, with a zero byte in front: the format is public."""
    wanted = (
        '{"actor":"","at":"2026-11-21T13:00:00.000005Z","chain":"n-1",'
        '"fields":{"code":"bug.unexpected","state":"received"},"mandant":"musterstadt",'
        f'"name":"nachricht.parked","prev":"{START}","seq":1}}'
    ).encode()
    entry = _entry()

    assert wanted == entry.event.canonical()
    assert hashlib.sha256(b"\x00" + wanted).hexdigest() == entry.digest


def test_a_line_is_read_back() -> None:
    """With its number, umlauts as they are, and the same digest."""
    entry = replace(_entry(actor="Jörg"), number=7)
    again = Entry.parse(entry.line())

    assert (entry, entry.digest) == (again, again.event.digest())
    assert "Jörg" in entry.line()


def test_moments_are_in_utc() -> None:
    """Equal moments of other zones have equal forms; a moment without a zone has none."""
    assert moment(AT) == moment(AT.astimezone(timezone(timedelta(hours=1))))
    with pytest.raises(ValueError, match="time zone"):
        moment(AT.replace(tzinfo=None))


@pytest.mark.parametrize("value", [1.5, b"x", {1: "x"}, {"a": {"b": [AT]}}], ids=str)
def test_what_has_no_canonical_form(value: object) -> None:
    """Fractions, bytes and moments cannot enter the trail in a form that another reader might write differently."""
    with pytest.raises(TypeError):
        canonical({"fields": value})


def test_the_list_is_closed() -> None:
    """An event that is not listed, or has other fields than listed, is a defect of the caller."""
    with pytest.raises(LookupError):
        _entry(name="nachricht.danced")
    with pytest.raises(ValueError, match="fields"):
        _entry(fields={"state": "received"})


def test_every_kind_says_what_it_means() -> None:
    """A German sentence for the auditor, and no field twice."""
    for kind in EVENTS.values():
        assert kind.meaning.endswith(".")
        assert len(set(kind.fields)) == len(kind.fields)


def _changed(**values: object) -> dict[str, object]:
    good: dict[str, object] = json.loads(_entry().event.canonical())
    return {**good, **values}


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        _changed(more=1),
        _changed(seq="1"),
        _changed(seq=True),
        _changed(at="2026-11-21"),
        _changed(fields=[]),
        _changed(actor=None),
    ],
)
def test_what_is_no_event(value: object) -> None:
    """Missing, additional and wrongly typed keys are all refused."""
    with pytest.raises(Malformed):
        Event.parse(value)


@pytest.mark.parametrize("line", ["", "{", "[]", '{"number":1}', '{"number":"1","digest":"","event":{}}'])
def test_what_is_no_line(line: str) -> None:
    """Neither is what is no JSON."""
    with pytest.raises(Malformed):
        Entry.parse(line)
