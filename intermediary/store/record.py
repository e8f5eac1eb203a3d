"""What the worker writes under a claim: the judgement, waits, intents, verdicts, the answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from intermediary.audit.chain import canonical, moment
from intermediary.core.decide import OVERDUE, Decision
from intermediary.core.ids import zustellung_key
from intermediary.core.states import VERDICTS, IllegalTransition, NachrichtState, ZustellungState, check_nachricht
from intermediary.core.values import Befund
from intermediary.store import order
from intermediary.store.database import Database, whole
from intermediary.store.doubt import put_in_doubt
from intermediary.store.draft import Draft
from intermediary.store.post_box import held_for
from intermediary.store.records import Claim, Judged, PlannedTarget, ZustellungRecord
from intermediary.store.search_keys import search_rows
from intermediary.store.verdict import compose_verdict, stay_unsent
from intermediary.store.vorgang import INVOLVED, WAITS, keeps_order
from intermediary.store.work import Work, under_claim, under_claim_anew

_N = NachrichtState
_Z = ZustellungState

_SETTLED = frozenset({*VERDICTS, _Z.PARKED})
_SENDING = frozenset({_N.PLANNED, _N.ANSWERING, _N.COMPLETED, _N.REJECTED})


def plan(db: Database, claim: Claim, judged: Judged, now: datetime, *, at_once: bool) -> Claim:
    """See `Store.plan`. Where the Vorgang has its order, the places in it are given under its lock, and written at once."""
    targets = judged.targets
    if not any(target.required for target in targets) or len({one.name for one in targets}) != len(targets):
        raise ValueError("a plan has at least one required target, and every target once")
    if at_once or judged.vorgang is not None or claim.nachricht.vorgang_place in INVOLVED:
        return _write_plan(db, claim, judged, now, lasting=at_once)
    draft = Draft(claim, now)
    _draw_up(db, draft, judged, None, now)
    return draft.claim()


@whole
def _write_plan(db: Database, claim: Claim, judged: Judged, now: datetime, *, lasting: bool) -> Claim:
    with db.write(lasting=lasting) as tx:
        found = _number(db, tx, claim, judged.vorgang, now) if judged.vorgang else None
        work = under_claim(tx, claim, now)
        _draw_up(db, work, judged, found, now)
        return work.save()


def _draw_up(db: Database, draft: Draft, judged: Judged, found: order.Numbered | None, now: datetime) -> None:
    _demand_unjudged(draft)
    records = [_new_zustellung(db, draft, target, now) for target in judged.targets]
    fields = {
        "route": judged.route,
        "pins": dict(judged.pins),
        "plan_sha256": _fingerprint(judged.plan),
        "targets": [
            {"target": one.target, "key": one.key, "required": one.required, "output_sha256": one.output_sha256}
            for one in records
        ],
    }
    draft.move(
        _N.PLANNED,
        "nachricht.planned",
        fields,
        route=judged.route,
        pins=dict(judged.pins),
        plan=dict(judged.plan),
        unexplained=0,
        **order.placed(draft.nachricht, found, in_order=judged.vorgang is not None),
    )
    for record in records:
        draft.add_zustellung(record)
    if db.doubt is not None and db.doubt.covers(draft.nachricht.received_at, now):
        put_in_doubt(draft, [record.key for record in records], now)
    draft.index(search_rows(db, draft.nachricht, judged.search_keys))


@whole
def refuse(
    db: Database, claim: Claim, code: str, findings: Sequence[Befund], plan: Mapping[str, Any], now: datetime
) -> Claim:
    """See `Store.refuse`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        _demand_unjudged(work)
        whole = {**plan, "findings": [asdict(finding) for finding in findings]} if findings else dict(plan)
        work.move(
            _N.ANSWERING,
            "nachricht.refused",
            {"code": code, "findings": len(findings), "plan_sha256": _fingerprint(whole)},
            code=code,
            verdict="rejected",
            verdict_code=code,
            plan=whole,
            own_due_at=now,
            unexplained=0,
        )
        return work.save()


@whole
def wait(db: Database, claim: Claim, decision: Decision, now: datetime, findings: Sequence[Befund] = ()) -> Claim:
    """See `Store.wait`."""
    if decision.state is _N.PARKED:
        return park(db, claim, decision.code, now, findings)
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        before = work.nachricht
        if decision.state is not before.state or decision.due_at is None:
            raise ValueError("waiting keeps the state and names a moment")
        if decision.counts or decision.code != before.wait_reason:
            work.event(
                "nachricht.waits",
                {
                    "state": before.state,
                    "code": decision.code,
                    "until": moment(decision.due_at),
                    "counts": decision.counts,
                },
            )
        work.change(
            own_due_at=decision.due_at,
            wait_reason=decision.code,
            attempts=before.attempts + decision.counts,
            unexplained=0,
            plan=_with_findings(before.plan, findings),
        )
        work.end_lease()
        return work.save()


@whole
def park(db: Database, claim: Claim, code: str, now: datetime, findings: Sequence[Befund] = ()) -> Claim:
    """See `Store.park`."""
    with db.write() as tx:
        work = under_claim_anew(tx, claim, now)
        fields = {"state": work.nachricht.state, "code": code}
        plan = _with_findings(work.nachricht.plan, findings)
        work.move(_N.PARKED, "nachricht.parked", fields, code=code, unexplained=0, plan=plan)
        work.end_lease()
        return work.save()


def _with_findings(plan: Mapping[str, Any], findings: Sequence[Befund]) -> Mapping[str, Any]:
    """What `explain` shows beside a code; the latest findings replace those before."""
    return {**plan, "findings": [asdict(finding) for finding in findings]} if findings else plan


@whole
def intend(db: Database, claim: Claim, key: str, output_sha256: str, now: datetime) -> Claim:
    """See `Store.intend`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        if work.nachricht.state not in _SENDING:
            raise IllegalTransition(f"nothing is delivered while the Nachricht is {work.nachricht.state}")
        record = work.zustellung(key)
        if record.state is _Z.UNCLEAR:
            fields = {"attempt": record.attempts, "code": record.code, "until": moment(now)}
            work.move_zustellung(key, _Z.DUE, "delivery.due", fields)
        elif record.state is not _Z.DUE:
            raise IllegalTransition(f"the Zustellung is {record.state}")
        if keeps_order(work.nachricht, record) and order.blocker(tx, work.nachricht, record.target) is not None:
            return _wait_in_order(work, record)
        attempt = record.attempts + 1
        work.move_zustellung(
            key,
            _Z.INTENDED,
            "delivery.intended",
            {"attempt": attempt, "output_sha256": output_sha256},
            code="",
            attempts=attempt,
            due_at=now,
            intended_at=now,
            output_sha256=output_sha256,
        )
        _end_own_waiting(work)
        return work.save()


@whole
def settle(
    db: Database,
    claim: Claim,
    key: str,
    decision: Decision,
    *,
    now: datetime,
    proof: Mapping[str, str],
    correlation: Mapping[str, str],
    until: datetime | None,
) -> Claim:
    """See `Store.settle`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        before = work.zustellung(key)
        state = _Z(decision.state)
        is_late = (before.state, before.code, state) == (_Z.PARKED, OVERDUE, _Z.DELIVERED)
        if before.state in _SETTLED and not is_late:
            raise IllegalTransition(f"the Zustellung is {before.state}")
        values: dict[str, Any] = {
            "code": decision.code,
            "due_at": decision.due_at,
            "attempts": _attempts(before, state, decision),
            "proof": dict(proof) or before.proof,
            "correlation": dict(correlation) or before.correlation,
            "until": (until or before.until) if state is _Z.AWAITING else None,
            "waits_for": decision.waits_for,
        }
        if state is _Z.AWAITING:
            values["waits_for"] = held_for(work.nachricht.mandant, values["correlation"])
        is_quiet = decision.code == "" or not decision.counts
        if is_quiet and state is before.state and decision.code == before.code:
            work.change_zustellung(key, **values)
        else:
            event, fields = _told(before, state, decision, values)
            work.move_zustellung(key, state, event, fields, **values)
        if before.state is not _Z.UNCLEAR or state in (_Z.DELIVERED, _Z.REFUSED, _Z.PARKED):
            work.change(unexplained=0)
        _end_own_waiting(work)
        compose_verdict(work, now)
        stay_unsent(work)
        return work.save()


@whole
def answered(db: Database, claim: Claim, state: NachrichtState, proof: Mapping[str, str], now: datetime) -> Claim:
    """See `Store.answered`. Not lasting: should the machine forget it, the same Quittung goes out once more."""
    with db.write(lasting=False) as tx:
        work = under_claim(tx, claim, now)
        told = work.nachricht
        check_nachricht(told.state, state)
        fitting = {"accepted": _N.COMPLETED, "rejected": _N.REJECTED}.get(told.verdict)
        if state is not fitting:
            raise ValueError(f"the verdict is {told.verdict or 'open'}, the answer says {state}")
        fields = {"state": state, "proof": dict(proof)}
        work.move(state, "answer.sent", fields, code=told.verdict_code, unexplained=0)
        work.end_lease()
        return work.save()


def _number(db: Database, tx: Connection, claim: Claim, vorgang: str, now: datetime) -> order.Numbered | None:
    """A place for a key found by opening, where the door knew none; before the Nachricht is locked, as always."""
    if claim.nachricht.vorgang_hash or not vorgang.strip():
        return None
    wanted = (claim.nachricht.mandant, vorgang)
    db.dialect.queue_for(tx, order.hashes_of(db, wanted))
    return order.number(db, tx, [wanted], now)[0]


def _wait_in_order(work: Work, record: ZustellungRecord) -> Claim:
    """No attempt and no moment: the end of what holds it back makes it due."""
    if record.code != WAITS:
        fields = {"attempt": record.attempts, "state": record.state, "code": WAITS, "until": ""}
        work.event("delivery.waits", {"target": record.target, "key": record.key, **fields})
    work.change_zustellung(record.key, code=WAITS, due_at=None)
    _end_own_waiting(work)
    return work.save()


def _demand_unjudged(draft: Draft) -> None:
    """Leaving `parked` is in the tables too, but a person's to order: the judgement begins at `received` only."""
    if draft.nachricht.state is not _N.RECEIVED:
        raise IllegalTransition(f"a Nachricht that is {draft.nachricht.state} is not judged")


def _new_zustellung(db: Database, draft: Draft, target: PlannedTarget, now: datetime) -> ZustellungRecord:
    key = zustellung_key(db.installation, nachricht_id=draft.nachricht.id, target=target.name, redelivery=0)
    return ZustellungRecord(
        key=key,
        nachricht_id=draft.nachricht.id,
        target=target.name,
        required=target.required,
        state=_Z.DUE,
        code="",
        attempts=0,
        due_at=now,
        intended_at=None,
        output_sha256=target.output_sha256,
        redelivery=0,
        redelivers="",
        reason="",
        proof={},
        correlation={},
        until=None,
        since=draft.nachricht.since,
    )


def _attempts(before: ZustellungRecord, state: _Z, decision: Decision) -> int:
    """An intent has counted already; a wait for the operator gives it back, a failed look-up counts by itself."""
    if before.state is _Z.INTENDED:
        return before.attempts - (state is _Z.DUE and not decision.counts)
    is_failed_look = state is before.state and decision.counts and decision.code != ""
    return before.attempts + is_failed_look


def _told(
    before: ZustellungRecord, state: _Z, decision: Decision, values: Mapping[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The event that tells of a settlement, and its fields."""
    fields: dict[str, Any] = {"attempt": before.attempts}
    until = moment(decision.due_at) if decision.due_at else ""
    if state is before.state:
        return "delivery.waits", {**fields, "state": state, "code": decision.code, "until": until}
    match state:
        case _Z.DELIVERED:
            return "delivery.delivered", {**fields, "proof": values["proof"]}
        case _Z.REFUSED:
            return "delivery.refused", {**fields, "code": decision.code, "proof": values["proof"]}
        case _Z.AWAITING:
            last = moment(values["until"]) if values["until"] else ""
            return "delivery.awaiting", {**fields, "until": last, "correlation": values["correlation"]}
        case _Z.UNCLEAR:
            return "delivery.unclear", {**fields, "code": decision.code, "reason": "outcome"}
        case _Z.PARKED:
            return "delivery.parked", {**fields, "code": decision.code}
        case _:
            return "delivery.due", {**fields, "code": decision.code, "until": until}


def _end_own_waiting(work: Work) -> None:
    if work.nachricht.state is _N.PLANNED and work.nachricht.own_due_at is not None:
        work.change(own_due_at=None, wait_reason="", attempts=0)


def _fingerprint(plan: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(plan)).hexdigest()
