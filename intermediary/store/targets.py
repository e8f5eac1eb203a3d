"""Targets as all hosts see them: who may call one now, what an attempt said about it, who has stopped it (G9).

A healthy target without limits costs nothing here: what it is known to be is read once a second and kept. What rests, is
probed or limited is asked for under a lock of its row.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy import Connection

from intermediary.core.breaker import (
    Health,
    Probe,
    Sign,
    TargetState,
    after_failure,
    after_nothing,
    after_success,
    probed_by,
    without_prober,
)
from intermediary.core.targets import TargetRef, in_scope
from intermediary.core.turns import Return, ask
from intermediary.store import target_return, target_rows
from intermediary.store.database import Database, whole
from intermediary.store.installation import record_installation
from intermediary.store.records import Claim
from intermediary.store.target_normal import normal_per_minute, remember_normal
from intermediary.store.target_pauses import pause, resume
from intermediary.store.target_rows import Pause, TargetRecord

_FRESH = timedelta(seconds=1)
_WORKS = TargetState.WORKS


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to call a target once. Whoever has it tells what came of it (`report`)."""

    ref: TargetRef
    probe: Probe
    began_at: datetime
    is_probe: bool = False
    has_turn: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """The target must not be called now. `until` is when to ask again; None: whoever waits is woken when it is free."""

    code: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How all targets stood at one moment: records of those that were ever in trouble, pauses in force, how many wait."""

    records: Mapping[str, TargetRecord] = field(default_factory=lambda: MappingProxyType({}))
    pauses: tuple[Pause, ...] = ()
    waiting: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def pause_of(self, ref: TargetRef, now: datetime) -> Pause | None:
        """The pause that holds for a target, if one does."""
        scopes = {one.scope: one for one in self.pauses if one.holds(now)}
        scope = in_scope(ref, scopes)
        return None if scope is None else scopes[scope]

    def held_by(self, ref: TargetRef, code: str, now: datetime) -> str:
        """What holds back now what was last told `code` and waits for a target: that code, or what has come in its place.

        Empty: nothing any more, it returns bit by bit. Rows are not rewritten when a pause or a rest ends: hundreds of
        thousands may wait.
        """
        if code not in target_rows.HELD:
            return code
        record = self.records.get(ref.id)
        is_resting = code == target_rows.RESTING if record is None else record.health.state is not _WORKS
        holds = {target_rows.RESTING: is_resting, target_rows.PAUSED: self.pause_of(ref, now) is not None}
        return next((one for one in (code, *target_rows.HELD) if holds[one]), "")


class Targets:
    """The targets of one open store, usable from any thread. `Transient("store.unavailable")` as everywhere in the store."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._seen = Standing()
        self._seen_at: datetime | None = None

    def admit(
        self, ref: TargetRef, claim: Claim, key: str, *, now: datetime, is_look: bool = False, has_waited: bool = False
    ) -> Pass | Hold:
        """Whether a Zustellung under this claim may be sent, or (`is_look`) asked for at the target.

        A pause and limits concern what is sent; a look only reads, and is held back by a rest alone. Of a resting target
        whose rest is over exactly one passes, over all hosts, as long as its claim is held. `has_waited`: it was held
        back for the limits before, and comes at its turn.
        """
        seen = self._see(now)
        probe = Probe(key, claim.nachricht.id, claim.token)
        if not is_look and seen.pause_of(ref, now) is not None:
            if ref.id not in seen.records:
                self._remember(_known(self._db, ref, now))
            return Hold("target.paused")
        record = seen.records.get(ref.id)
        health = record.health if record is not None else Health(_WORKS, now)
        is_limited = ref.limits.is_limited and not is_look
        if health.state is _WORKS and not is_limited:
            return Pass(ref, probe, now)
        if health.state is TargetState.RESTS and not health.is_over(now):
            return Hold("target.resting")
        answer, after = _enter(self._db, ref, probe, is_limited=is_limited, has_waited=has_waited, now=now)
        self._remember(after)
        return answer

    def report(
        self, passed: Pass, sign: Sign, *, now: datetime, code: str = "", asked: timedelta | None = None
    ) -> None:
        """What the attempt said about the target; `asked` is the rest it asked for. After the verdict is committed.

        A success of a target in good health writes nothing. Where this is never called, since the process died, the end
        of the claim gives probe and turn back.
        """
        known = self._see(now).records.get(passed.ref.id)
        health = known.health if known is not None else Health(_WORKS, now)
        if sign is Sign.ILL or passed.is_probe or passed.has_turn or (sign is Sign.WELL and health.failures):
            before, after = _report(self._db, passed, sign, code=code, asked=asked, now=now)
            self._remember(after)
            if before.health.state is _WORKS and after.health.state is TargetState.RESTS:
                self._measure(passed.ref, now)

    def pause(self, scope: str, *, actor: str, reason: str, until: datetime | None, now: datetime) -> None:
        """Stop what goes to a target (`mandant/route/target`), a route or a Mandant; again: with the new reason and end.

        What is under way is not interrupted; other processes follow within a second or so.
        """
        pause(self._db, Pause(scope, reason, actor, now, until))
        self._forget()

    def resume(self, scope: str, *, actor: str, reason: str, now: datetime) -> bool:
        """End the pause of exactly this scope; False when there is none. What waited returns bit by bit (`tend`)."""
        is_ended = resume(self._db, scope, actor=actor, reason=reason, now=now)
        self._forget()
        return is_ended

    def probe(self, target: str, *, actor: str, reason: str, now: datetime) -> bool:
        """End the rest of a target, so that the next one may try it; False when it does not rest."""
        is_ended = _end_rest(self._db, target, actor=actor, reason=reason, now=now)
        self._forget()
        return is_ended

    def tend(self, refs: Sequence[TargetRef], now: datetime) -> int:
        """Wake those whose target is free again, as many as may go now; how many. About once a second, by any daemon.

        Ends pauses whose time is up, lets one try a target whose rest is over, and finds probes whose process died.
        `refs` are the targets of the present configuration; what waits for another one is let go.
        """
        woken = target_return.tend(self._db, refs, now)
        if woken:
            self._db.bell.ring()
        return woken

    def standing(self) -> Standing:
        """How all targets stand now."""
        with self._db.read() as tx:
            return standing(tx)

    def _see(self, now: datetime) -> Standing:
        """What was known a second ago at most, without the counts."""
        with self._lock:
            if self._seen_at is not None and abs(now - self._seen_at) < _FRESH:
                return self._seen
            with self._db.read() as tx:
                self._seen = Standing(target_rows.all_of(tx), target_rows.pauses(tx))
            self._seen_at = now
            return self._seen

    def _measure(self, ref: TargetRef, now: datetime) -> None:
        normal = normal_per_minute(self._db, ref, now)
        if normal is not None:
            self._remember(remember_normal(self._db, ref, normal, now))

    def _remember(self, record: TargetRecord) -> None:
        with self._lock:
            self._seen = replace(self._seen, records={**self._seen.records, record.id: record})

    def _forget(self) -> None:
        with self._lock:
            self._seen_at = None


def standing(tx: Connection) -> Standing:
    """How all targets stand now, with the counts."""
    return Standing(target_rows.all_of(tx), target_rows.pauses(tx), target_rows.waiting(tx))


@whole
def _end_rest(db: Database, target: str, *, actor: str, reason: str, now: datetime) -> bool:
    with db.write() as tx:
        db.dialect.queue_for(tx, [target_rows.lock_name(target)])
        record = target_rows.load(tx, target, now)
        if record.health.state is not TargetState.RESTS:
            return False
        target_rows.save(tx, replace(record, health=replace(record.health, rest_until=now), progress=Return()))
        fields = {"target": target, "reason": reason}
        record_installation(db, tx, "target.probe-ordered", fields, now=now, actor=actor)
        return True


@whole
def _known(db: Database, ref: TargetRef, now: datetime) -> TargetRecord:
    """The record of a target that something waits for: whoever lets it go finds it by that."""
    with db.write() as tx:
        db.dialect.queue_for(tx, [target_rows.lock_name(ref.id)])
        return target_rows.load(tx, ref.id, now)


@whole
def _enter(
    db: Database, ref: TargetRef, probe: Probe, *, is_limited: bool, has_waited: bool, now: datetime
) -> tuple[Pass | Hold, TargetRecord]:
    with db.write() as tx:
        db.dialect.queue_for(tx, [target_rows.lock_name(ref.id)])
        before = target_rows.load(tx, ref.id, now)
        record = before
        health = before.health
        has_turn = is_limited and ref.limits.max_parallel is not None
        if health.state is TargetState.PROBING and health.probe != probe:
            if health.probe is not None and target_rows.is_alive(tx, health.probe, now):
                return Hold("target.resting"), before
            health = without_prober(health, now)
        if health.state is TargetState.RESTS and not health.is_over(now):
            return Hold("target.resting"), before
        if is_limited:
            under_way = target_rows.count_turns(tx, ref.id, probe, now) if has_turn else 0
            turns, again = ask(before.turns, ref.limits, under_way=under_way, has_waited=has_waited, now=now)
            record = replace(record, turns=turns)
            if again is not None:
                target_rows.save(tx, record)
                return Hold("target.limited", again), record
            if has_turn:
                target_rows.begin_turn(tx, ref.id, probe, now)
        is_probe = health.state is not _WORKS
        record = replace(record, health=probed_by(health, probe) if is_probe else health)
        if record != before:
            target_rows.save(tx, record)
        return Pass(ref, probe, now, is_probe=is_probe, has_turn=has_turn), record


@whole
def _report(
    db: Database,
    passed: Pass,
    sign: Sign,
    *,
    code: str,
    asked: timedelta | None,
    now: datetime,
) -> tuple[TargetRecord, TargetRecord]:
    """How the target stood before, and stands now."""
    ref, probe = passed.ref, passed.probe
    with db.write() as tx:
        db.dialect.queue_for(tx, [target_rows.lock_name(ref.id)])
        before = target_rows.load(tx, ref.id, now)
        health = before.health
        if sign is Sign.WELL:
            health = after_success(health, probe, now)
        elif sign is Sign.ILL:
            health = after_failure(health, probe, code=code, asked=asked, rules=ref.rules, now=now)
        else:
            health = after_nothing(health, probe, ref.rules, now)
        record = replace(before, health=health)
        if passed.has_turn:
            target_rows.end_turn(tx, probe)
            record = replace(record, turns=before.turns.after_deed(now - passed.began_at))
        if before.health.state is not _WORKS and health.state is _WORKS:
            record = replace(record, progress=Return())
        if record != before:
            target_rows.save(tx, record)
        _tell(db, tx, before, record, now)
        return before, record


def _tell(db: Database, tx: Connection, before: TargetRecord, after: TargetRecord, now: datetime) -> None:
    """The audit trail says when a target began to rest and when it was there again; probes that fail are no news."""
    was_well, is_well = before.health.state is _WORKS, after.health.state is _WORKS
    if was_well and not is_well:
        until = after.health.rest_until
        fields = {"target": after.id, "code": after.health.code, "failures": after.health.failures}
        fields["until"] = target_rows.told(until)
        record_installation(db, tx, "target.rested", fields, now=now)
    elif is_well and not was_well:
        rested = int((now - before.health.since).total_seconds())
        record_installation(db, tx, "target.recovered", {"target": after.id, "rested": rested}, now=now)
