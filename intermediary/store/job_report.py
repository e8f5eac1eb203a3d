"""What has become of the Nachrichten of a job: counted where they rest, for its report and for the brake on errors."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, literal, or_, select

from intermediary.core.decide import DEADLINES
from intermediary.core.states import FINAL, NachrichtState, ZustellungState
from intermediary.store.job_records import Fate, JobRecord, JobReport
from intermediary.store.tables import job_items, nachrichten, zustellungen

WINDOW = 1_000
"""So many of the latest are looked at: enough to judge, few enough to be cheap."""

SAMPLE = 20
"""Fewer decided ones say nothing about a share."""

FLOOD = 500
"""With so many undecided ones and not a single decided one ahead of it, a job waits for the targets."""

_WAITS = (ZustellungState.DUE, ZustellungState.UNCLEAR)
_I, _N, _Z = job_items.c, nachrichten.c, zustellungen.c

_FATE = case(
    (_I.state == "failed", literal(Fate.FAILED.value)),
    (
        _I.key != "",
        case(
            (_Z.state == ZustellungState.DELIVERED, literal(Fate.SETTLED.value)),
            (_Z.state == ZustellungState.AWAITING, literal(Fate.HANDED.value)),
            (_Z.due_at.is_(None), literal(Fate.RETURNED.value)),
            else_=literal(Fate.OPEN.value),
        ),
    ),
    (_N.state.in_(sorted(FINAL)), literal(Fate.SETTLED.value)),
    (_N.state == NachrichtState.PARKED, literal(Fate.RETURNED.value)),
    (_N.due_at.is_(None), literal(Fate.RETURNED.value)),
    else_=literal(Fate.OPEN.value),
)


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the latest of a job fare."""

    fates: Counter[Fate]

    @property
    def decided(self) -> int:
        return sum(self.fates.values()) - self.fates[Fate.OPEN]

    def is_bad(self, error_percent: int) -> bool:
        """Whether a larger share than allowed failed or came back."""
        bad = self.fates[Fate.FAILED] + self.fates[Fate.RETURNED]
        return self.decided >= SAMPLE and bad * 100 > error_percent * self.decided

    @property
    def is_flooded(self) -> bool:
        """Whether the targets take nothing at present."""
        return self.fates[Fate.OPEN] >= FLOOD and not self.decided


def outlook(tx: Connection, row: Row[Any]) -> Outlook:
    """Of the latest of a job, since a person last let it run."""
    first = max(row.round_from, row.cursor - WINDOW)
    return Outlook(_fates(tx, row.id, and_(_I.position > first, _I.position <= row.cursor)))


def report(tx: Connection, job: JobRecord) -> JobReport:
    """Of the whole job."""
    chosen = (
        select(_I.state, _I.action, _I.ground, func.count())
        .where(_I.job_id == job.id)
        .group_by(_I.state, _I.action, _I.ground)
        .order_by(func.count().desc(), _I.ground)
    )
    counts: dict[str, dict[str, int]] = {"done": {}, "nothing": {}, "failed": {}}
    for state, action, ground, count in tx.execute(chosen):
        if state in counts:
            word = action if state == "done" else ground
            counts[state][word] = counts[state].get(word, 0) + count
    return JobReport(job, counts["done"], counts["nothing"], counts["failed"], _fates(tx, job.id), _held(tx, job.id))


def _held(tx: Connection, job_id: str) -> dict[tuple[str, str], int]:
    """How many Zustellungen of those that were moved on wait until their target takes something, the most first."""
    own = _I.nachricht_id == _Z.nachricht_id
    waits = (_Z.waits_for != "", _Z.code.in_(sorted(DEADLINES)), _Z.state.in_(_WAITS))
    chosen = select(_Z.waits_for, _Z.code, func.count()).select_from(job_items.join(zustellungen, own))
    chosen = chosen.where(_I.job_id == job_id, _I.state == "done", or_(_I.key == "", _I.key == _Z.key), *waits)
    rows = tx.execute(chosen.group_by(_Z.waits_for, _Z.code).order_by(func.count().desc(), _Z.waits_for))
    return {(target, code): count for target, code, count in rows}


def _fates(tx: Connection, job_id: str, part: ColumnElement[bool] | None = None) -> Counter[Fate]:
    places = job_items.join(nachrichten, _N.id == _I.nachricht_id, isouter=True)
    places = places.join(zustellungen, _Z.key == _I.key, isouter=True)
    chosen = select(_FATE.label("fate"), func.count()).select_from(places)
    chosen = chosen.where(_I.job_id == job_id, _I.state.in_(("done", "failed")))
    if part is not None:
        chosen = chosen.where(part)
    return Counter({Fate(fate): count for fate, count in tx.execute(chosen.group_by("fate"))})
