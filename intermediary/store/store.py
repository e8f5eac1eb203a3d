"""The store as everybody else sees it: one object, one method per thing that can happen to a Nachricht."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from intermediary.audit.chain import Entry
from intermediary.audit.sealer import Head
from intermediary.core.states import Decision, NachrichtState
from intermediary.core.values import EMPTY, Befund, Content, Eingang
from intermediary.store.records import (
    Claim,
    Headers,
    NachrichtRecord,
    PlannedTarget,
    StateLine,
    Taken,
    ZustellungRecord,
)


class Store:
    """Everything durable about every Nachricht; made by `open_store`, usable from any thread.

    Every change is one transaction that writes the state, its audit event(s) and the proof together, and follows the
    tables of `core/states.py` (`IllegalTransition` is a defect of the caller). `now` is always an argument and carries a
    time zone. A write under a claim whose lease was lost raises `LeaseLost` and changes nothing. When the database or the
    disk does not answer, `Transient("store.unavailable")` is raised: the change may be repeated.

    `wait`, `park` and `answered` end the claim; all other operations keep it until `release`.
    """

    # --- intake ---

    def take(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
        """Make a batch durable in one commit; when this returns, the doors may tell the senders (promises G1, G13).

        One answer per Eingang, in order. A body whose bytes do not match its `sha256` raises
        `Misconfigured("payload.corrupt")` and nothing of the batch is taken. An unknown Mandant or an unreadable key
        raises `Misconfigured("key.unavailable")`.
        """
        raise NotImplementedError

    # --- claims ---

    def claim(self, owner: str, now: datetime, lease: timedelta | None = None, limit: int = 1) -> list[Claim]:
        """Lease up to `limit` Nachrichten that have something due, the longest due first; empty when there is none.

        Taking over an expired lease counts as unexplained; at `UNEXPLAINED_LIMIT` the Nachricht is parked `suspect`
        instead of handed out. A Zustellung found `intended` becomes `unclear`, due now.
        """
        raise NotImplementedError

    def claim_one(self, nachricht_id: str, owner: str, now: datetime, lease: timedelta | None = None) -> Claim:
        """Lease one Nachricht for a person, whatever its state; `Busy` while it is leased, `NotFound` if unknown."""
        raise NotImplementedError

    def extend(self, claim: Claim, now: datetime, lease: timedelta | None = None) -> Claim:
        """Prolong the lease from `now`, for work that takes longer than one lease."""
        raise NotImplementedError

    def release(self, claim: Claim, now: datetime) -> None:
        """Give the lease back; does nothing when it is not held any more."""
        raise NotImplementedError

    def release_dead(self, is_alive: Callable[[str], bool], now: datetime) -> int:
        """Free the leases of owners that are gone, without counting them; for start-up on the same host."""
        raise NotImplementedError

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
    ) -> Claim:
        """received → planned: the one judgement, and a Zustellung per target, due now. `plan` is JSON without content."""
        raise NotImplementedError

    def refuse(
        self, claim: Claim, code: str, findings: Sequence[Befund], plan: Mapping[str, Any], now: datetime
    ) -> Claim:
        """received → answering with the verdict `rejected`: the sender has to change something."""
        raise NotImplementedError

    def wait(self, claim: Claim, decision: Decision, now: datetime) -> Claim:
        """Obey a `decide_nachricht`: wait in the present state until `due_at`, or park. Ends the claim."""
        raise NotImplementedError

    def park(self, claim: Claim, code: str, now: datetime) -> Claim:
        """→ parked with `code`; only a person moves it on. Ends the claim."""
        raise NotImplementedError

    def intend(self, claim: Claim, key: str, output_sha256: str, now: datetime) -> Claim:
        """due → intended, before the connector is called; counts the attempt.

        An `unclear` one passes through `due` in the same transaction (a target with native idempotency).
        """
        raise NotImplementedError

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
        """Obey a `decide_zustellung`, and let the Nachricht follow: answering, or parked with a split verdict."""
        raise NotImplementedError

    def answered(self, claim: Claim, state: NachrichtState, proof: Mapping[str, str], now: datetime) -> Claim:
        """answering → completed (verdict accepted) or rejected: the sender was told. Ends the claim."""
        raise NotImplementedError

    # --- under a claim: people ---

    def confirm_delivered(self, claim: Claim, key: str, *, actor: str, reason: str, proof: str, now: datetime) -> Claim:
        """A person has looked at the target: it has arrived. From unclear, awaiting or parked."""
        raise NotImplementedError

    def send_again(self, claim: Claim, key: str, *, actor: str, reason: str, now: datetime) -> Claim:
        """A person takes responsibility for another attempt under the same key. From unclear or parked."""
        raise NotImplementedError

    def resume(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """parked → where the durable facts end: answering (a verdict exists), planned (a plan exists), else received."""
        raise NotImplementedError

    def reject(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """→ answering with the verdict `rejected` and the code `person.rejected`; what is unsent stays unsent."""
        raise NotImplementedError

    def discard(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """parked → discarded: final, and the sender is not told."""
        raise NotImplementedError

    def redeliver(self, claim: Claim, target: str, *, actor: str, reason: str, now: datetime) -> Claim:
        """A new Zustellung to `target`, due now, with its own key, naming its predecessor."""
        raise NotImplementedError

    def erase(self, claim: Claim, *, actor: str, reason: str, now: datetime) -> Claim:
        """Erase the payload and headers for good by erasing their data key; only in a final state."""
        raise NotImplementedError

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
        raise NotImplementedError

    def wake_misconfigured(self, now: datetime) -> int:
        """Make everything due now that waits with an operator's code; called when the configuration has changed."""
        raise NotImplementedError

    # --- reads ---

    def get(self, nachricht_id: str) -> NachrichtRecord:
        """The Nachricht, or `NotFound`."""
        raise NotImplementedError

    def zustellungen(self, nachricht_id: str) -> tuple[ZustellungRecord, ...]:
        """Its Zustellungen in the order they were planned."""
        raise NotImplementedError

    def headers(self, nachricht_id: str) -> Headers:
        """What came beside the body; `Misconfigured("payload.erased")` or `("key.unavailable")`."""
        raise NotImplementedError

    def body(self, nachricht_id: str) -> Content:
        """The received bytes, decrypted while they are read.

        `Misconfigured("payload.erased")`, `("key.unavailable")`; a stream whose bytes are not those of the intake raises
        `Misconfigured("payload.corrupt")`, at the latest when its end is read.
        """
        raise NotImplementedError

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
    ) -> Iterator[NachrichtRecord]:
        """Nachrichten, newest first; `code` also finds wait reasons, `after` continues behind an id of an earlier page."""
        raise NotImplementedError

    def find_by_message_id(self, mandant: str, message_id: str) -> tuple[NachrichtRecord, ...]:
        """All Nachrichten of a Mandant with the sender's id, oldest first: more than one after a conflict."""
        raise NotImplementedError

    def resolve(self, prefix: str) -> str:
        """The id that begins with `prefix`; `NotFound` or `Ambiguous`."""
        raise NotImplementedError

    def events(self, nachricht_id: str) -> tuple[Entry, ...]:
        """The audit chain of one Nachricht, first event first."""
        raise NotImplementedError

    def all_events(self) -> Iterator[Entry]:
        """Every event of one moment: the numbered ones in order, then the unsealed tail."""
        raise NotImplementedError

    def counts(self) -> dict[tuple[NachrichtState, str], int]:
        """How many Nachrichten by state and code (or wait reason)."""
        raise NotImplementedError

    def state_lines(self) -> Iterator[StateLine]:
        """Every Nachricht with its Zustellungen, oldest first, as of one moment."""
        raise NotImplementedError

    # --- sealing ---

    def seal_heads(self, sign: Callable[[bytes], bytes], now: datetime) -> Head | None:
        """Number what was committed, fold it into the log, sign and keep the head; None when nothing is new.

        One caller at a time (the daemon's sealer); O(new events). The caller copies the head to the second place.
        """
        raise NotImplementedError

    def heads(self) -> tuple[Head, ...]:
        """All signed heads, oldest first."""
        raise NotImplementedError

    def close(self) -> None:
        """Close all connections; the object is of no use afterwards."""
        raise NotImplementedError
