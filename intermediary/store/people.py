"""What a person decides under a claim; each with actor and reason in the audit chain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, select

from intermediary.core.decide import compose
from intermediary.core.ids import zustellung_key
from intermediary.core.states import FINAL, VERDICTS, NachrichtState, ZustellungState
from intermediary.store.database import Database, whole
from intermediary.store.doubt import put_in_doubt
from intermediary.store.due import GIVEN_UP, REFUSED_AGAIN, refused_again, standings
from intermediary.store.erasure import erase_keys
from intermediary.store.errors import NotPossible
from intermediary.store.holds import QUEUE, demand_free
from intermediary.store.records import Claim, Place, ZustellungRecord
from intermediary.store.tables import nachrichten, search_keys
from intermediary.store.verdict import compose_verdict, stay_unsent
from intermediary.store.work import Work, under_claim

_N = NachrichtState
_Z = ZustellungState
_ARRIVED = frozenset({_Z.DELIVERED, _Z.AWAITING, _Z.UNCLEAR, _Z.INTENDED})


@whole
def confirm_delivered(
    db: Database, claim: Claim, key: str, *, actor: str, reason: str, proof: str, now: datetime
) -> Claim:
    """See `Store.confirm_delivered`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        record = work.zustellung(key)
        _demand(record.state in (_Z.UNCLEAR, _Z.AWAITING, _Z.PARKED), f"the Zustellung is {record.state}")
        work.move_zustellung(
            key,
            _Z.DELIVERED,
            "person.confirmed",
            {"reason": reason, "proof": proof},
            actor=actor,
            code="",
            due_at=None,
            until=None,
            proof={**record.proof, "confirmed_by": actor, "confirmation": proof},
        )
        compose_verdict(work, now)
        stay_unsent(work)
        return work.save()


@whole
def send_again(db: Database, claim: Claim, key: str, *, actor: str, reason: str, now: datetime) -> Claim:
    """See `Store.send_again`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        order_again(work, key, actor=actor, because={"reason": reason}, now=now)
        return work.save()


def order_again(work: Work, key: str, *, actor: str, because: Mapping[str, str], now: datetime) -> None:
    """`send_again` inside a transaction; `because` is the reason, and the job it belongs to."""
    record = work.zustellung(key)
    _demand(record.state in (_Z.UNCLEAR, _Z.PARKED), f"the Zustellung is {record.state}")
    is_over = work.nachricht.verdict == "rejected" or work.nachricht.state is _N.DISCARDED
    _demand(not is_over, f"the Nachricht is {work.nachricht.state}")
    _demand_payload(work)
    work.move_zustellung(key, _Z.DUE, "person.sent-again", because, actor=actor, code="", due_at=now, since=now)


@whole
def resume(db: Database, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
    """See `Store.resume`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        order_resumption(work, actor=actor, because={"reason": reason}, now=now)
        return work.save()


def order_resumption(work: Work, *, actor: str, because: Mapping[str, str], now: datetime) -> None:
    """`resume` inside a transaction, as `order_again`."""
    before = work.nachricht
    _demand(before.state is _N.PARKED, f"the Nachricht is {before.state}")
    state, values = _N.RECEIVED, {"own_due_at": now, "code": ""}
    if before.verdict:
        state, values = _N.ANSWERING, {"own_due_at": now, "code": before.verdict_code}
    elif before.route:
        decision = compose(standings(work.zustellungen))
        is_split = decision is not None and decision.state is _N.PARKED
        _demand(not is_split, "the verdict is still split: redeliver to the target that refused, or reject")
        state, values = _N.PLANNED, {}
    fields = {"state": state, **because}
    work.move(state, "person.resumed", fields, actor=actor, unexplained=0, since=now, **values)
    compose_verdict(work, now)
    stay_unsent(work)


@whole
def reject(db: Database, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
    """See `Store.reject`."""
    code = "person.rejected"
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        state = work.nachricht.state
        _demand(state in (_N.RECEIVED, _N.PLANNED, _N.PARKED), f"the Nachricht is {state}")
        _demand(not work.nachricht.verdict, f"the verdict is {work.nachricht.verdict} already")
        arrived = [one.target for one in work.zustellungen if one.required and one.state in _ARRIVED]
        is_open = state is not _N.PARKED and arrived
        _demand(
            not is_open, f"{', '.join(arrived)} has it, or may have it: end that Zustellung first (confirm-delivered)"
        )
        work.move(
            _N.ANSWERING,
            "person.rejected",
            {"code": code, "reason": reason},
            actor=actor,
            code=code,
            verdict="rejected",
            verdict_code=code,
            own_due_at=now,
            unexplained=0,
        )
        stay_unsent(work)
        return work.save()


@whole
def discard(db: Database, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
    """See `Store.discard`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        if work.nachricht.wait_reason == REFUSED_AGAIN:
            for record in refused_again(work.zustellungen):
                fields = {"target": record.target, "key": record.key, "reason": reason}
                work.event("person.redelivery-discarded", fields, actor=actor)
                work.change_zustellung(record.key, code=GIVEN_UP)
            return work.save()
        _demand(work.nachricht.state is _N.PARKED, f"the Nachricht is {work.nachricht.state}")
        work.move(_N.DISCARDED, "person.discarded", {"reason": reason}, actor=actor, code="person.discarded")
        return work.save()


@whole
def redeliver(db: Database, claim: Claim, target: str, *, actor: str, reason: str, now: datetime) -> Claim:
    """See `Store.redeliver`."""
    with db.write() as tx:
        work = under_claim(tx, claim, now)
        order_redelivery(db, work, target, actor=actor, because={"reason": reason}, now=now)
        return work.save()


def order_redelivery(
    db: Database, work: Work, target: str, *, actor: str, because: Mapping[str, str], now: datetime
) -> str:
    """`redeliver` inside a transaction, as `order_again`; the key of the new Zustellung."""
    _demand(work.nachricht.state is not _N.DISCARDED, "the Nachricht is discarded")
    _demand_payload(work)
    known = [record for record in work.zustellungen if record.target == target]
    _demand(bool(known), f"the Nachricht has no Zustellung to {target}")
    last = max(known, key=lambda record: record.redelivery)
    _demand(last.state in VERDICTS, f"the last Zustellung to {target} is {last.state}")
    record = _successor(db, work, last, reason=because["reason"], now=now)
    fields = {
        "target": target,
        "key": record.key,
        "redelivery": record.redelivery,
        "redelivers": last.key,
        **because,
    }
    work.event("person.redelivered", fields, actor=actor)
    work.add_zustellung(record)
    if db.doubt is not None and now < db.doubt.until:  # the same may have been ordered after the backup was made
        put_in_doubt(work, [record.key], now)
    return record.key


@whole
def erase(db: Database, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
    """See `Store.erase`."""
    with db.write() as tx:
        db.dialect.queue_for(tx, [QUEUE])
        work = under_claim(tx, claim, now)
        _demand(work.nachricht.state in FINAL, f"the Nachricht is {work.nachricht.state}")
        _demand(work.nachricht.due_at is None, "a Zustellung is still open")
        if work.nachricht.payload == "erased":
            return claim
        demand_free(tx, work.nachricht.id)
        work.event("payload.erased", {"reason": reason}, actor=actor)
        work.change(payload="erased", vorgang_hash="", vorgang_number=0, vorgang_place=Place.NONE)
        own = nachrichten.c.id == work.nachricht.id
        blob = tx.execute(select(nachrichten.c.blob).where(own)).scalar_one()
        tx.execute(delete(search_keys).where(search_keys.c.nachricht_id == work.nachricht.id))
        erase_keys(tx, [work.nachricht.id])
        erased = work.save()
    db.blobs.remove(blob)
    return erased


def _successor(db: Database, work: Work, last: ZustellungRecord, *, reason: str, now: datetime) -> ZustellungRecord:
    number = last.redelivery + 1
    key = zustellung_key(db.installation, nachricht_id=last.nachricht_id, target=last.target, redelivery=number)
    return ZustellungRecord(
        key=key,
        nachricht_id=last.nachricht_id,
        target=last.target,
        required=last.required and not work.nachricht.verdict,
        state=_Z.DUE,
        code="",
        attempts=0,
        due_at=now,
        intended_at=None,
        output_sha256=last.output_sha256,
        redelivery=number,
        redelivers=last.key,
        reason=reason,
        proof={},
        correlation={},
        until=None,
        since=now,
    )


def _demand_payload(work: Work) -> None:
    _demand(work.nachricht.payload == "present", "the payload is erased")


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise NotPossible(otherwise)
