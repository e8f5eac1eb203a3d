"""When a Nachricht is looked at next: table tests of the pure part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from intermediary.core.decide import Standing
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.store.due import due_at, standings, wait_reason
from intermediary.store.records import NachrichtRecord, ZustellungRecord

N, Z = NachrichtState, ZustellungState
NOW = datetime(2026, 11, 21, tzinfo=UTC)
SOON, LATE = NOW + timedelta(minutes=1), NOW + timedelta(hours=1)

NACHRICHT = NachrichtRecord(
    id="n",
    mandant="m",
    channel="c",
    content_type="t",
    direction="in",
    state=N.PLANNED,
    code="",
    wait_reason="",
    received_at=NOW,
    since=NOW,
    due_at=None,
    own_due_at=None,
    attempts=0,
    unexplained=0,
    route="r",
    verdict="",
    verdict_code="",
    pins={},
    body_sha256="",
    body_length=0,
    payload="present",
    revision=0,
    plan={},
)
ZUSTELLUNG = ZustellungRecord(
    key="k",
    nachricht_id="n",
    target="t",
    required=True,
    state=Z.DUE,
    code="",
    attempts=0,
    due_at=None,
    intended_at=None,
    output_sha256="",
    redelivery=0,
    redelivers="",
    reason="",
    proof={},
    correlation={},
    until=None,
    since=NOW,
)


def _zustellung(state: Z, due: datetime | None = None, code: str = "", **values: object) -> ZustellungRecord:
    return replace(ZUSTELLUNG, state=state, due_at=due, code=code, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "own", "records", "wanted"),
    [
        (N.RECEIVED, SOON, [], SOON),
        (N.PLANNED, None, [_zustellung(Z.DUE, LATE), _zustellung(Z.UNCLEAR, SOON)], SOON),
        (N.PLANNED, None, [_zustellung(Z.INTENDED, SOON)], SOON),
        (N.PLANNED, None, [_zustellung(Z.DELIVERED, SOON), _zustellung(Z.PARKED, SOON)], None),
        (N.PLANNED, LATE, [_zustellung(Z.DUE, SOON)], LATE),
        (N.PLANNED, LATE, [_zustellung(Z.AWAITING, SOON)], SOON),
        (N.ANSWERING, LATE, [_zustellung(Z.DUE, SOON)], SOON),
        (N.COMPLETED, None, [_zustellung(Z.DUE, SOON)], SOON),
        (N.COMPLETED, None, [_zustellung(Z.DUE, None)], None),
        (N.PARKED, SOON, [_zustellung(Z.DUE, SOON)], None),
        (N.DISCARDED, SOON, [_zustellung(Z.DUE, SOON)], None),
    ],
)
def test_due_at(state: N, own: datetime | None, records: list[ZustellungRecord], wanted: datetime | None) -> None:
    """The earliest of what is open; nothing while a person has the word."""
    assert wanted == due_at(replace(NACHRICHT, state=state, own_due_at=own), records)


@pytest.mark.parametrize(
    ("nachricht", "records", "wanted"),
    [
        (
            replace(NACHRICHT, own_due_at=SOON, wait_reason="route.missing"),
            [_zustellung(Z.DUE, SOON, "x")],
            "route.missing",
        ),
        (NACHRICHT, [_zustellung(Z.DUE, SOON, "first"), _zustellung(Z.PARKED, None, "second")], "second"),
        (NACHRICHT, [_zustellung(Z.DELIVERED, None, ""), _zustellung(Z.UNCLEAR, SOON, "y")], "y"),
        (
            NACHRICHT,
            [_zustellung(Z.DUE, SOON, "target.resting"), _zustellung(Z.DUE, SOON, "target.misconfigured")],
            "target.misconfigured",
        ),
        (replace(NACHRICHT, wait_reason="old"), [_zustellung(Z.DUE, SOON)], ""),
        (replace(NACHRICHT, state=N.DISCARDED, wait_reason="old"), [_zustellung(Z.PARKED, None, "z")], ""),
    ],
)
def test_wait_reason(nachricht: NachrichtRecord, records: list[ZustellungRecord], wanted: str) -> None:
    """Its own reason first, then that of a parked Zustellung, then of a waiting one; old reasons do not stay.

    Of those that wait, what a person has to heal comes before what time heals.
    """
    assert wanted == wait_reason(nachricht, records)


def test_a_redelivery_takes_the_place_of_its_predecessor() -> None:
    """Composition sees one Zustellung per target: the newest."""
    old = _zustellung(Z.REFUSED)
    new = _zustellung(Z.DUE, key="k2", redelivery=1)
    other = _zustellung(Z.DELIVERED, key="k3", target="u", required=False)

    assert (Standing(Z.DUE, True), Standing(Z.DELIVERED, False)) == standings([old, new, other])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, "redelivery.refused"),
        ({"required": True}, ""),
        ({"code": "person.discarded"}, ""),
        ({"state": Z.DELIVERED}, ""),
        ({"state": Z.PARKED}, "target.refused"),
    ],
)
def test_what_is_over_bears_a_refused_redelivery(changed: dict[str, object], expected: str) -> None:
    """The newest of its target, that the sender's answer did not tell of, until a person has acted on it."""
    again = replace(ZUSTELLUNG, state=Z.REFUSED, code="target.refused", redelivery=2, required=False, key="again")
    records = (
        replace(again, key="earlier", redelivery=1),
        replace(again, **changed),  # type: ignore[arg-type]
        replace(again, redelivery=3, target="u"),
    )

    assert expected == wait_reason(replace(NACHRICHT, state=N.COMPLETED), records[:2])
    assert "" == wait_reason(replace(NACHRICHT, state=N.COMPLETED), (replace(again, redelivery=0),))
    assert "" == wait_reason(replace(NACHRICHT, state=N.DISCARDED), records)
    assert "" == wait_reason(replace(NACHRICHT, state=N.ANSWERING), records[2:])
