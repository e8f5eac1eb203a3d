"""What passes between a lane and us: the same on both sides, and nothing else is believed."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from intermediary.connect.lane.codec import (
    contents_of,
    read_auftrag,
    read_manifest,
    read_outcome,
    write_auftrag,
    write_manifest,
    write_outcome,
)
from intermediary.connect.lane.wire import Line
from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, Idempotency, Manifest, NotDelivered, Refused
from intermediary.core.targets import POST_BOX
from intermediary.core.values import Befund, Dokument, MemoryContent
from intermediary.testing.connectors import make_auftrag

UNTIL = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OUTCOMES = [
    None,
    Delivered({"id": "ä"}),
    Refused("x", {"a": "b"}),
    Awaiting(UNTIL, {"file": "n"}),
    NotDelivered(),
]
FAULTS: list[Fault] = [
    Transient("target.full", where="w", retry_after=timedelta(seconds=1.5)),
    Transient("target.full"),
    Misconfigured("target.misconfigured", findings=(Befund("config.key.unknown", "a.b", 3, "r", "h"),)),
    Rejected("target.refused", where="w"),
    Unclear("delivery.unclear"),
]


def travelled(found: Any) -> Any:
    return json.loads(json.dumps(found))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_outcomes_travel(outcome: Any) -> None:
    """What a connector returns is what the worker gets."""
    assert outcome == read_outcome(travelled(write_outcome(outcome)))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_faults_travel(fault: Fault) -> None:
    """With class, code, place, findings and the rest that was asked for."""
    read = read_outcome(travelled(write_outcome(fault)))

    assert isinstance(read, Fault)
    assert type(fault) is type(read)
    assert vars(fault) == vars(read)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"kind": "paid"},
        {"kind": "delivered"},
        {"kind": "delivered", "proof": {"a": 1}},
        {"kind": "delivered", "proof": {"a": "x" * 5000}},
        {"kind": "delivered", "proof": {str(n): "" for n in range(101)}},
        {"kind": "delivered", "proof": ["a"]},
        {"kind": "awaiting", "until": "2026-11-22T09:00:00", "correlation": {}},
        {"kind": "awaiting", "until": "soon", "correlation": {}},
        {"kind": "awaiting", "until": "2026-11-22T09:00:00+00:00", "correlation": {"post_box": "ags:05999"}},
        {"kind": "delivered", "proof": {"a": "\ud800"}},
        {"kind": "delivered", "proof": {"a": "\x1b[2J"}},
        {"kind": "refused", "reason": "x\ny", "proof": {}},
        {"kind": "awaiting", "until": "9999-12-31T23:59:59-12:00", "correlation": {}},
        {"kind": "fault", "fault": "Transient", "code": "target.full", "where": "", "retry_after": 8e13},
        {"kind": "fault", "fault": "Transient", "code": "target.full", "where": "", "retry_after": -1e9},
        {"kind": "fault", "fault": "Transient", "code": "target.full", "where": "", "retry_after": float("nan")},
        {"kind": "fault", "fault": "Rejected", "code": "target.refused", "where": "", "findings": [{"code": ["a"]}]},
        {
            "kind": "fault",
            "fault": "Rejected",
            "code": "target.refused",
            "where": "",
            "findings": [{"code": "a" * 5000}],
        },
        {"kind": "fault", "fault": "Transient", "code": "no.such.code", "where": "", "retry_after": None},
        {"kind": "fault", "fault": "Fault", "code": "target.full", "where": "", "findings": []},
        {"kind": "fault", "fault": "Unclear", "code": 1, "where": "", "findings": []},
    ],
)
def test_what_no_connector_can_have_said_is_not_believed(said: dict[str, Any]) -> None:
    """A lane's process may send anything."""
    with pytest.raises((ValueError, LookupError, TypeError, AttributeError, OverflowError)):
        read_outcome(said)


def test_only_ours_lay_into_a_box() -> None:
    """What is in whose box, a vendor's connector cannot say; one of ours can, which the kit calls in a lane as well."""
    said = travelled(write_outcome(Awaiting(UNTIL, {POST_BOX: "fvt:1"})))

    with pytest.raises(ValueError, match="box"):
        read_outcome(said)
    assert Awaiting(UNTIL, {POST_BOX: "fvt:1"}) == read_outcome(said, is_vendors=False)


def test_a_fault_is_shown_in_one_line() -> None:
    """What a connector writes into a fault reaches a log and a terminal as one short line, and stays the same fault."""
    said = Rejected("target.refused", where="a\n\x1b[2J\ud800" + "x" * 5000, findings=(Befund("c", hint="b\tb"),))

    read = read_outcome(travelled(write_outcome(said)))

    assert isinstance(read, Rejected)
    assert read.where.startswith("a??[2J?x")
    assert 4096 == len(read.where)
    assert "b?b" == read.findings[0].hint


def test_a_line_that_is_too_deep_is_no_message() -> None:
    """Brackets without end break the protocol and nothing else."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        text = b"[" * 100_000
        theirs.sendall(len(text).to_bytes(4, "big") + text)
        with pytest.raises(ValueError, match="too deep"):
            Line(ours).hear()


def test_an_auftrag_travels_without_its_bytes() -> None:
    """Documents are named by place, length and hash; everything else is the same."""
    files = tuple(Dokument(f"{n}.pdf", "application/pdf", MemoryContent(b"x" * n)) for n in range(3))
    auftrag = replace(
        make_auftrag(),
        dokumente=files,
        nachricht=MemoryContent(b"<geheim/>"),
        business_keys={"az": "1"},
        standard="xdomea 3.1.0",
        is_test=True,
    )
    written = travelled(write_auftrag(auftrag))
    contents = contents_of(auftrag)
    read = read_auftrag(written, lambda place, length, sha256: contents[place])

    assert auftrag == read
    assert "geheim" not in json.dumps(written)


def test_a_manifest_travels() -> None:
    """With its steps and limits."""
    manifest = Manifest("a", Idempotency.NONE, "s", ("case", "close"), 10, 3)

    assert manifest == read_manifest(travelled(write_manifest(manifest)))
