"""The store as everybody else sees it: one object, one method per thing that can happen to a Nachricht."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from intermediary.audit.chain import Entry
from intermediary.audit.sealer import Head
from intermediary.core.decide import Decision
from intermediary.core.states import NachrichtState
from intermediary.core.values import EMPTY, Befund, Content, Eingang
from intermediary.store import again, content, people, query, sealing, wake
from intermediary.store import claim as _claim
from intermediary.store import record as recording
from intermediary.store import take as taking
from intermediary.store.content import Kept
from intermediary.store.evidence import evidence
from intermediary.store.note import note, note_of_installation
from intermediary.store.precedence import Precedence
from intermediary.store.pulse import Pulse
from intermediary.store.records import (
    AuditSnapshot,
    Claim,
    Evidence,
    Headers,
    Judged,
    NachrichtRecord,
    PlannedTarget,
    StateLine,
    Taken,
    ZustellungRecord,
)
from intermediary.store.rooms import Rooms


class Store(Rooms):
    """Everything durable about every Nachricht; made by `open_store`, usable from any thread.

    Every change is one transaction that writes the state, its audit event(s) and the proof together, and follows the
    tables of `core/states.py` (`IllegalTransition` is a defect of the caller). `now` is always an argument and carries
    a time zone. A write under a claim whose lease was lost raises `LeaseLost` and changes nothing. When the database or
    the disk does not answer, `Transient("store.unavailable")` is raised: the change may be repeated. What a person may
    not do in the present state raises `NotPossible`.

    `wait`, `park` and `answered` end the claim; all other operations keep it until `release`. Other classes are reached
    by properties (`Rooms`).
    """

    @property
    def is_shared(self) -> bool:
        """Whether processes on other hosts may work on the same store."""
        return self._db.dialect.is_shared

    @property
    def pulse(self) -> Pulse:
        """Whether the store answers, and what time it is there."""
        return Pulse(self._db)

    @property
    def order(self) -> Precedence:
        """The order of Vorgaenge, for people and the daemon."""
        return Precedence(self._db)

    # --- intake ---

    def take(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
        """Make a batch durable in one commit; when this returns, the doors may tell the senders (promises G1, G13).

        One answer per Eingang, in order. A body whose bytes do not match its `sha256` raises
        `Misconfigured("payload.corrupt")` and nothing of the batch is taken. An unknown Mandant or an unreadable key
        raises `Misconfigured("key.unavailable")`.
        """
        taken = taking.take(self._db, eingaenge)
        if any(one.outcome == "new" for one in taken):
            self._db.bell.ring()
        return taken

    # --- claims ---

    def claim(self, owner: str, now: datetime, lease: timedelta | None = None, limit: int = 1) -> list[Claim]:
        """Lease up to `limit` Nachrichten that have something due, the longest due first; empty when there is none.

        Suspects are left to `claim_suspect`. A Zustellung found `intended` becomes `unclear`, due now.
        """
        return _claim.claim(self._db, owner, now, lease or self._db.lease, limit, suspects=False)

    def claim_suspect(self, owner: str, now: datetime, lease: timedelta | None = None) -> list[Claim]:
        """Lease the suspect that is longest due: a claim of it ended unexplained since its last fact, or its lease ran out.

        For a process that opens nothing else (DESIGN §2.7). Taking over an expired lease counts as unexplained; at
        `UNEXPLAINED_LIMIT` the Nachricht is parked `suspect` instead of handed out.
        """
        return _claim.claim(self._db, owner, now, lease or self._db.lease, 1, suspects=True)

    def has_suspect(self, now: datetime) -> bool:
        """Whether `claim_suspect` would find one."""
        return _claim.has_suspect(self._db, now)

    def claim_one(self, nachricht_id: str, owner: str, now: datetime, lease: timedelta | None = None) -> Claim:
        """Lease one Nachricht for a person or a door, whatever its state; `Busy` while leased, `NotFound` if unknown."""
        return _claim.claim_one(self._db, nachricht_id, owner, now, lease or self._db.lease)

    def extend(self, claim: Claim, now: datetime, lease: timedelta | None = None) -> Claim:
        """Prolong the lease from `now`, for work that takes longer than one lease."""
        return _claim.extend(self._db, claim, now, lease or self._db.lease)

    def release(self, claim: Claim, now: datetime) -> None:
        """Give the lease back, and write what is not written yet; does nothing when it is not held any more."""
        if claim.owner:
            _claim.release(self._db, claim, now)
        if claim.nachricht.due_at is not None and claim.nachricht.due_at <= now:
            self._db.bell.ring()

    def release_all_of(self, owner: str, now: datetime) -> int:
        """Free every lease of a holder who has nothing in hand, without counting; how many there were.

        For a worker after a time without the store: the answer to a claim or a release of its may have been lost.
        """
        return self._rung_if(_claim.release_all_of(self._db, owner, now))

    def release_dead(self, is_alive: Callable[[str], bool], now: datetime) -> int:
        """Free the leases of owners that are gone, without counting them; for start-up on the same host."""
        return self._rung_if(_claim.release_dead(self._db, is_alive, now))

    def release_crashed(self, process: str, now: datetime, *, alone: bool) -> int:
        """Free the leases of a process (`owners.process_name`) whose death its parent saw; each counts as unexplained.

        `alone`: the process opened one suspect and nothing else; its second such death parks the Nachricht `poison.crash`.
        """
        return _claim.release_crashed(self._db, process, now, alone=alone)

    # --- under a claim: the worker ---

    def plan(
        self,
        claim: Claim,
        *,
        route: str,
        pins: Mapping[str, str],
        plan: Mapping[str, Any],
        targets: Sequence[PlannedTarget],
        now: datetime,
        search_keys: Mapping[str, str] = EMPTY,
        vorgang: str | None = None,
        at_once: bool = True,
    ) -> Claim:
        """Received → planned: the one judgement, and a Zustellung per target, due now.

        Not `at_once` for who goes on under the claim: written with whatever it does next, be it the release. Should the
        process end before, the same is judged once more.
        `plan` is a JSON object without fractions and without content. `search_keys` (name and value) rest only as
        keyed hashes, for `find`. `vorgang` is None where the route keeps no order, else what opening has
        found: it counts where the door knew no key, and may be empty.
        """
        judged = Judged(route, pins, plan, targets, search_keys, vorgang)
        return recording.plan(self._db, claim, judged, now, at_once=at_once)

    def refuse(
        self, claim: Claim, code: str, findings: Sequence[Befund], plan: Mapping[str, Any], now: datetime
    ) -> Claim:
        """Received → answering with the verdict `rejected`: the sender has to change something."""
        return recording.refuse(self._db, claim, code, findings, plan, now)

    def wait(self, claim: Claim, decision: Decision, now: datetime, findings: Sequence[Befund] = ()) -> Claim:
        """Obey a `decide_nachricht`: wait in the present state until `due_at`, or park. Ends the claim."""
        return recording.wait(self._db, claim, decision, now, findings)

    def park(self, claim: Claim, code: str, now: datetime, findings: Sequence[Befund] = ()) -> Claim:
        """→ parked with `code`; only a person moves it on. Ends the claim."""
        return recording.park(self._db, claim, code, now, findings)

    def intend(self, claim: Claim, key: str, output_sha256: str, now: datetime) -> Claim:
        """Due → intended, before the connector is called; counts the attempt.

        An `unclear` one passes through `due` in the same transaction (a target with native idempotency).
        """
        return recording.intend(self._db, claim, key, output_sha256, now)

    def settle(
        self,
        claim: Claim,
        key: str,
        decision: Decision,
        *,
        now: datetime,
        proof: Mapping[str, str] = EMPTY,
        correlation: Mapping[str, str] = EMPTY,
        until: datetime | None = None,
    ) -> Claim:
        """Obey a `decide_zustellung`, and let the Nachricht follow: answering, or parked with a split verdict.

        What is parked because its verdict was overdue is delivered by a late one.
        """
        return recording.settle(
            self._db, claim, key, decision, now=now, proof=proof, correlation=correlation, until=until
        )

    def answered(self, claim: Claim, state: NachrichtState, proof: Mapping[str, str], now: datetime) -> Claim:
        """Answering → completed (verdict accepted) or rejected: the sender was told. Ends the claim."""
        return recording.answered(self._db, claim, state, proof, now)

    # --- under a claim: people ---

    def confirm_delivered(self, claim: Claim, key: str, *, actor: str, reason: str, proof: str, now: datetime) -> Claim:
        """A person has looked at the target: it has arrived. From unclear, awaiting or parked."""
        return people.confirm_delivered(self._db, claim, key, actor=actor, reason=reason, proof=proof, now=now)

    def send_again(self, claim: Claim, key: str, *, actor: str, reason: str, now: datetime) -> Claim:
        """A person takes responsibility for another attempt under the same key. From unclear or parked."""
        return people.send_again(self._db, claim, key, actor=actor, reason=reason, now=now)

    def resume(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """Parked → where the durable facts end: answering (a verdict exists), planned (a plan exists), else received.

        A split verdict that still stands is `NotPossible`: redeliver to the target that refused first, or reject.
        """
        return people.resume(self._db, claim, actor=actor, reason=reason, now=now)

    def reject(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """→ answering with the verdict `rejected` and the code `person.rejected`; what is unsent stays unsent."""
        return people.reject(self._db, claim, actor=actor, reason=reason, now=now)

    def discard(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """Parked → discarded: final, and the sender is not told. Of what is over: its refused redeliveries are let be."""
        return people.discard(self._db, claim, actor=actor, reason=reason, now=now)

    def redeliver(self, claim: Claim, target: str, *, actor: str, reason: str, now: datetime) -> Claim:
        """A new Zustellung to `target`, due now, with its own key, naming its predecessor."""
        return people.redeliver(self._db, claim, target, actor=actor, reason=reason, now=now)

    def hurry(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """Whatever waits for a moment is due now; attempts and spans stay as they are."""
        return again.hurry(self._db, claim, actor=actor, reason=reason, now=now)

    def judge_anew(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """→ received with the next revision, as if it had never been judged; only while nothing of it was ever tried."""
        return again.judge_anew(self._db, claim, actor=actor, reason=reason, now=now)

    def erase(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """Erase the payload and headers for good by erasing their data key; only in a final state."""
        return people.erase(self._db, claim, actor=actor, reason=reason, now=now)

    def record(
        self,
        subject: Claim | str,
        event: str,
        *,
        now: datetime,
        actor: str = "",
        fields: Mapping[str, Any] = EMPTY,
    ) -> None:
        """Write an audit event that changes no state (dry runs, reads of content); `subject` is a claim or an id."""
        note(self._db, subject, event, now=now, actor=actor, fields=fields)

    def record_of_installation(
        self, event: str, *, now: datetime, actor: str = "", fields: Mapping[str, Any] = EMPTY
    ) -> None:
        """Write an audit event that concerns no Nachricht, into the chain of the installation."""
        note_of_installation(self._db, event, now=now, actor=actor, fields=fields)

    def wake_misconfigured(self, now: datetime) -> int:
        """Make everything due now that waits with an operator's code; called when the configuration has changed."""
        return self._rung_if(wake.wake_misconfigured(self._db, now))

    def wait_for_work(self, rest: timedelta, stop: threading.Event) -> None:
        """Wait until something may be due: called by who found nothing, and then looks again.

        Returns at once when something became due since this thread's last wait and the engine tells of it, wherever it
        happened; otherwise after `rest` or a few times that. Never raises.
        """
        self._db.bell.wait(rest, stop)

    def _rung_if(self, count: int) -> int:
        if count:
            self._db.bell.ring()
        return count

    # --- reads ---

    def get(self, nachricht_id: str) -> NachrichtRecord:
        """The Nachricht, or `NotFound`."""
        return query.get(self._db, nachricht_id)

    def zustellungen(self, nachricht_id: str) -> tuple[ZustellungRecord, ...]:
        """Its Zustellungen in the order they were planned."""
        return query.zustellungen_of(self._db, nachricht_id)

    def kept(self, nachricht_id: str) -> Kept:
        """The received bytes, decrypted while they are read, and what came beside them.

        `Misconfigured("payload.erased")`, `("key.unavailable")`, `("payload.missing")`; a stream whose bytes are not those
        of the intake raises `Misconfigured("payload.corrupt")`, at the latest when its end is read.
        """
        return content.kept(self._db, nachricht_id)

    def headers(self, nachricht_id: str) -> Headers:
        """The headers of `kept`."""
        return self.kept(nachricht_id).headers

    def body(self, nachricht_id: str) -> Content:
        """The body of `kept`."""
        return self.kept(nachricht_id).body

    def find(
        self,
        *,
        mandant: str | None = None,
        state: NachrichtState | None = None,
        code: str | None = None,
        route: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        after: str | None = None,
        search_key: str | None = None,
    ) -> Iterator[NachrichtRecord]:
        """Nachrichten, newest first; `code` also finds wait reasons, `after` is the last id of the page before.

        `search_key` is the exact value (capitals and blanks aside) of a LeikaId or business key, under whatever name.
        """
        return query.find(
            self._db,
            mandant=mandant,
            state=state,
            code=code,
            route=route,
            since=since,
            until=until,
            limit=limit,
            after=after,
            search_key=search_key,
        )

    def find_by_message_id(
        self, mandant: str, message_id: str, account: str | None = None
    ) -> tuple[NachrichtRecord, ...]:
        """All of a Mandant with the sender's id (of one account; None: of all), oldest first: several after a conflict."""
        return query.find_by_message_id(self._db, mandant, message_id, account)

    def resolve(self, prefix: str) -> str:
        """The id that begins with `prefix`; `NotFound` or `Ambiguous`."""
        return query.resolve(self._db, prefix)

    def events(self, nachricht_id: str) -> tuple[Entry, ...]:
        """The audit chain of one Nachricht, first event first."""
        return query.events(self._db, nachricht_id)

    def all_events(self) -> Iterator[Entry]:
        """Every event of one moment: the numbered ones in order, then the unsealed tail."""
        return query.all_events(self._db)

    def events_of_installation(self) -> tuple[Entry, ...]:
        """The chain of what belongs to no Nachricht, first event first."""
        return query.events(self._db, str(self._db.installation))

    def evidence(self, nachricht_id: str) -> Evidence:
        """What a dossier of one Nachricht is made of, of one moment; `NotFound`."""
        return evidence(self._db, nachricht_id)

    def audit_snapshot(self) -> AbstractContextManager[AuditSnapshot]:
        """Entries, heads and chain ends of one moment, for export and verification; read in this order, once."""
        return query.audit_snapshot(self._db)

    def counts(self) -> dict[tuple[NachrichtState, str], int]:
        """How many Nachrichten by state and code (or wait reason)."""
        return query.counts(self._db)

    def state_lines(self) -> Iterator[StateLine]:
        """Every Nachricht with its Zustellungen, oldest first, as of one moment."""
        return query.state_lines(self._db)

    # --- sealing ---

    def seal_heads(self, sign: Callable[[bytes], bytes], now: datetime) -> Head | None:
        """Number what was committed, fold it into the log, sign and keep the head; None when nothing is new.

        One caller at a time (the daemon's sealer); O(new events). The caller copies the heads to the second place.
        """
        return sealing.seal_heads(self._db, sign, now)

    def count_unsealed(self, most: int) -> int:
        """How many events wait for a signed head; counting ends at `most`."""
        return sealing.count_unsealed(self._db, most)

    def heads(self, least_size: int = 0) -> tuple[Head, ...]:
        """The signed heads of at least this size, oldest first."""
        return sealing.heads(self._db, least_size)

    def close(self) -> None:
        """Close all connections; the object is of no use afterwards."""
        self._db.bell.close()
        self._db.engine.dispose()
        self._db.blobs.close()
