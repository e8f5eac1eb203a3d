"""What people change: replay and decide. Every change demands a `Request` and is audited by the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from intermediary.core.states import ZustellungState
from intermediary.operations.person import Request
from intermediary.operations.selection import Selection
from intermediary.store.errors import Busy, NotPossible
from intermediary.store.foresee import GROUNDS, Effect, foresee
from intermediary.store.owners import own_name
from intermediary.store.records import Claim, NachrichtRecord, ZustellungRecord
from intermediary.store.store import Store

_Z = ZustellungState

PERSONS_LEASE = timedelta(seconds=30)


class Replay:
    """Replays a selection, one Nachricht after the other; `now` is read anew for each."""

    def __init__(self, store: Store, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def effects(self, selection: Selection, *, redeliver: str = "", with_current: bool = False) -> Iterator[Effect]:
        """The dry run: what `carry_out` would do; changes nothing."""
        for nachricht in selection.of(self._store):
            yield from foresee(
                nachricht, self._store.zustellungen(nachricht.id), redeliver=redeliver, with_current=with_current
            )

    def carry_out(
        self, selection: Selection, request: Request, *, redeliver: str = "", with_current: bool = False
    ) -> Iterator[Effect]:
        """Do it; what was done is re-judged under the lease, so a double call finds nothing left to do."""
        for nachricht in list(selection.of(self._store)):
            yield from self._one(nachricht, request, redeliver=redeliver, with_current=with_current)

    def _one(self, nachricht: NachrichtRecord, request: Request, *, redeliver: str, with_current: bool) -> list[Effect]:
        """The effects on one Nachricht, done before they are told: the lease is not held while somebody reads them."""
        try:
            claim = self._store.claim_one(nachricht.id, own_name(), now=self._now(), lease=PERSONS_LEASE)
        except Busy:
            return [Effect(nachricht.id, nachricht.state, "nothing", why=GROUNDS["busy"], ground="busy")]
        done: list[Effect] = []
        try:
            for effect in foresee(claim.nachricht, claim.zustellungen, redeliver=redeliver, with_current=with_current):
                claim = self._apply(claim, effect, request)
                done.append(effect)
        except NotPossible as refusal:
            done.append(Effect(nachricht.id, nachricht.state, "nothing", why=str(refusal)))
        finally:
            self._store.release(claim, now=self._now())
        return done

    def _apply(self, claim: Claim, effect: Effect, request: Request) -> Claim:
        store, actor, reason, now = self._store, request.actor, request.reason, self._now()
        match effect.action:
            case "resume":
                return store.resume(claim, actor=actor, reason=reason, now=now)
            case "send-again":
                key = _last(claim, effect.target).key
                return store.send_again(claim, key, actor=actor, reason=reason, now=now)
            case "now":
                return store.hurry(claim, actor=actor, reason=reason, now=now)
            case "anew":
                return store.judge_anew(claim, actor=actor, reason=reason, now=now)
            case "redeliver":
                return store.redeliver(claim, effect.target, actor=actor, reason=reason, now=now)
            case _:
                return claim


class Decide:
    """Ends what waits for a person; one method per verb of `decide`."""

    def __init__(self, store: Store, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def carry_out(self, verb: str, nachricht_id: str, target: str, proof: str, request: Request) -> NachrichtRecord:
        """The verb by its name on the command line; the state afterwards. `StoreError` when it does not fit."""
        match verb:
            case "confirm-delivered":
                return self.confirm_delivered(nachricht_id, target, proof, request)
            case "send-again":
                return self.send_again(nachricht_id, target, request)
            case "resume":
                return self.resume(nachricht_id, request)
            case "reject":
                return self.reject(nachricht_id, request)
            case "discard":
                return self.discard(nachricht_id, request)
            case _:
                raise ValueError(f"unknown verb {verb}")

    def confirm_delivered(self, nachricht_id: str, target: str, proof: str, request: Request) -> NachrichtRecord:
        """The person has seen it at the target; `proof` says how (a reference of the target, no content)."""
        if not proof.strip():
            raise NotPossible("confirm-delivered needs --proof: what shows that it has arrived")

        def change(claim: Claim, now: datetime) -> Claim:
            key = _open(claim, target).key
            return self._store.confirm_delivered(
                claim, key, actor=request.actor, reason=request.reason, proof=proof, now=now
            )

        return self._do(nachricht_id, change)

    def send_again(self, nachricht_id: str, target: str, request: Request) -> NachrichtRecord:
        """The person has seen that it is not at the target: another attempt under the same key."""

        def change(claim: Claim, now: datetime) -> Claim:
            key = _open(claim, target).key
            return self._store.send_again(claim, key, actor=request.actor, reason=request.reason, now=now)

        return self._do(nachricht_id, change)

    def resume(self, nachricht_id: str, request: Request) -> NachrichtRecord:
        """Leave `parked`."""
        return self._do(nachricht_id, self._plainly(self._store.resume, request))

    def reject(self, nachricht_id: str, request: Request) -> NachrichtRecord:
        """The sender gets a negative Quittung."""
        return self._do(nachricht_id, self._plainly(self._store.reject, request))

    def discard(self, nachricht_id: str, request: Request) -> NachrichtRecord:
        """Final, and the sender is not told."""
        return self._do(nachricht_id, self._plainly(self._store.discard, request))

    def _plainly(self, verb: Callable[..., Claim], request: Request) -> Callable[[Claim, datetime], Claim]:
        return lambda claim, now: verb(claim, actor=request.actor, reason=request.reason, now=now)

    def _do(self, nachricht_id: str, change: Callable[[Claim, datetime], Claim]) -> NachrichtRecord:
        claim = self._store.claim_one(nachricht_id, own_name(), now=self._now(), lease=PERSONS_LEASE)
        try:
            claim = change(claim, self._now())
        finally:
            self._store.release(claim, now=self._now())
        return self._store.get(nachricht_id)


def _last(claim: Claim, target: str) -> ZustellungRecord:
    of_target = [z for z in claim.zustellungen if z.target == target]
    if not of_target:
        raise NotPossible(f"the Nachricht has no target {target}")
    return of_target[-1]


def _open(claim: Claim, target: str) -> ZustellungRecord:
    """The Zustellung a person means: the named target's latest, or the only one that waits for a person."""
    if target:
        return _last(claim, target)
    waiting = [z for z in claim.zustellungen if z.state in (_Z.PARKED, _Z.UNCLEAR, _Z.AWAITING)]
    if len(waiting) != 1:
        raise NotPossible("name the target: decide ID/TARGET …")
    return waiting[0]
