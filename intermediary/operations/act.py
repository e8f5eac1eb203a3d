"""What people change: replay and decide. Every change demands a `Request` and is audited by the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from intermediary.core.states import ZustellungState
from intermediary.operations.approvals import Approvals, Consent
from intermediary.operations.person import Request
from intermediary.operations.repeats import TwiceHurts
from intermediary.operations.selection import Selection
from intermediary.operations.wishes import decision_act, decision_wish, replay_wish
from intermediary.settings.approvals import ApprovalVerb
from intermediary.store.errors import Busy, NotFound, NotPossible, StoreError
from intermediary.store.foresee import GROUNDS, Effect, act_of, foresee
from intermediary.store.owners import own_name
from intermediary.store.records import Claim, NachrichtRecord, ZustellungRecord
from intermediary.store.store import Store

_Z = ZustellungState

_ABOUT_ONE_TARGET = ("confirm-delivered", "send-again")

PERSONS_LEASE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _How:
    redeliver: str
    with_current: bool
    repeat_anyway: bool

    @property
    def verb(self) -> ApprovalVerb:
        return "redeliver" if self.redeliver else "replay"


class Replay:
    """Replays a selection, one Nachricht after the other; `now` is read anew for each.

    `approvals` knows what needs a second person, `twice_hurts` which targets cannot tell a second delivery; without them
    nothing does (tests).
    """

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], datetime],
        approvals: Approvals | None = None,
        twice_hurts: TwiceHurts | None = None,
    ) -> None:
        self._store = store
        self._now = now
        self._approvals = approvals
        self._twice_hurts = twice_hurts

    def effects(
        self, selection: Selection, *, redeliver: str = "", with_current: bool = False, repeat_anyway: bool = False
    ) -> Iterator[Effect]:
        """The dry run: what `carry_out` would do; changes nothing."""
        how = _How(redeliver, with_current, repeat_anyway)
        for nachricht in selection.of(self._store):
            yield from self._foresee(nachricht, self._store.zustellungen(nachricht.id), how)

    def carry_out(
        self,
        selection: Selection,
        request: Request,
        *,
        redeliver: str = "",
        with_current: bool = False,
        repeat_anyway: bool = False,
    ) -> Iterator[Effect]:
        """Do it; what was done is re-judged under the lease, so a double call finds nothing left to do.

        `repeat_anyway` takes responsibility for a second delivery to a target that cannot tell it from the first. Raises
        like `Approvals.demand` before anything is done. What was refused is in the chain of its Nachricht (G16).
        """
        how = _How(redeliver, with_current, repeat_anyway)
        chosen = list(selection.of(self._store))
        consent = self._consent(selection, chosen, request, how)
        for nachricht in chosen:
            if consent.covers(nachricht.id) or not consent.approval:
                yield from self._one(nachricht, request, consent, how)

    def _foresee(self, nachricht: NachrichtRecord, zustellungen: Sequence[ZustellungRecord], how: _How) -> list[Effect]:
        if how.redeliver and (job := self._store.jobs.claimed_by(nachricht.id, how.redeliver)):
            why = f"{GROUNDS['other-job']}: {job}"
            return [Effect(nachricht.id, nachricht.state, "nothing", how.redeliver, why, "other-job")]
        is_asked = bool(how.redeliver) and not how.repeat_anyway and self._twice_hurts is not None
        twice_hurts = is_asked and self._twice_hurts is not None and self._twice_hurts(nachricht, how.redeliver)
        return foresee(
            nachricht,
            zustellungen,
            redeliver=how.redeliver,
            with_current=how.with_current,
            twice_hurts=twice_hurts,
        )

    def _consent(self, selection: Selection, chosen: list[NachrichtRecord], request: Request, how: _How) -> Consent:
        if self._approvals is None or not self._approvals.needs(how.verb):
            return Consent(how.verb)
        effects = [
            (one.id, f"{effect.action} {one.id} {effect.target}: {effect.why}", act_of(effect, one, zustellungen))
            for one in chosen
            for zustellungen in [self._store.zustellungen(one.id)]
            for effect in self._foresee(one, zustellungen, how)
            if effect.action != "nothing"
        ]
        if not effects and not request.approval:
            return Consent(how.verb, ids=frozenset())
        wish = replay_wish(
            selection,
            chosen,
            effects,
            redeliver=how.redeliver,
            with_current=how.with_current,
            repeat_anyway=how.repeat_anyway,
        )
        return self._approvals.demand(wish, request)

    def _one(self, nachricht: NachrichtRecord, request: Request, consent: Consent, how: _How) -> list[Effect]:
        """The effects on one Nachricht, done before they are told: the lease is not held while somebody reads them."""
        try:
            claim = self._store.claim_one(nachricht.id, own_name(), now=self._now(), lease=PERSONS_LEASE)
        except Busy:
            return [self._nothing(nachricht, request, why=GROUNDS["busy"], verb=consent.verb)]
        done: list[Effect] = []
        try:
            effects = self._foresee(claim.nachricht, claim.zustellungen, how)
            acts = [act_of(one, claim.nachricht, claim.zustellungen) for one in effects if one.action != "nothing"]
            if acts and not consent.covers(nachricht.id):
                return [self._nothing(nachricht, request, why=GROUNDS["late"], verb=consent.verb)]
            if not consent.allows(nachricht.id, acts):
                return [self._nothing(nachricht, request, why=GROUNDS["other"], verb=consent.verb)]
            if self._approvals is not None and acts:
                self._approvals.tell(claim, consent, request)
            for effect in effects:
                claim = self._apply(claim, effect, request)
                if effect.action == "nothing":
                    deny(self._store, nachricht.id, consent.verb, effect.why, request, now=self._now())
                done.append(effect)
        except NotPossible as refusal:
            done.append(self._nothing(nachricht, request, why=str(refusal), verb=consent.verb))
        finally:
            self._store.release(claim, now=self._now())
        return done

    def _nothing(self, nachricht: NachrichtRecord, request: Request, *, why: str, verb: str) -> Effect:
        deny(self._store, nachricht.id, verb, why, request, now=self._now())
        return Effect(nachricht.id, nachricht.state, "nothing", why=why)

    def _apply(self, claim: Claim, effect: Effect, request: Request) -> Claim:
        store, actor, reason, now = self._store, request.actor, request.reason, self._now()
        match effect.action:
            case "resume":
                return store.resume(claim, actor=actor, reason=reason, now=now)
            case "send-again":
                key = _last(claim.zustellungen, effect.target).key
                return store.send_again(claim, key, actor=actor, reason=reason, now=now)
            case "now":
                return store.hurry(claim, actor=actor, reason=reason, now=now)
            case "anew":
                return store.judge_anew(claim, actor=actor, reason=reason, now=now)
            case "redeliver":
                return store.redeliver(claim, effect.target, actor=actor, reason=reason, now=now)
            case _:
                return claim


def deny(store: Store, nachricht_id: str, verb: str, why: str, request: Request, *, now: datetime) -> None:
    """Write down that a person's attempt was refused (G16: an entry per attempt, also of those)."""
    fields = {"verb": verb, "why": why, "reason": request.reason}
    store.record(nachricht_id, "person.denied", now=now, actor=request.actor, fields=fields)


class Decide:
    """Ends what waits for a person; one method per verb of `decide`.

    `carry_out` and `carry_out_all` ask for a second person where one is required; the single verbs do what they say.
    """

    def __init__(self, store: Store, *, now: Callable[[], datetime], approvals: Approvals | None = None) -> None:
        self._store = store
        self._now = now
        self._approvals = approvals

    def carry_out(
        self, verb: ApprovalVerb, nachricht_id: str, target: str, proof: str, request: Request
    ) -> NachrichtRecord:
        """The verb by its name on the command line; the state afterwards.

        `StoreError` when it does not fit, which is in the chain of the Nachricht then. Raises like `Approvals.demand`.
        """
        found = self._store.get(nachricht_id)
        if self._approvals is not None and self._approvals.needs(verb) and verb in _ABOUT_ONE_TARGET and not target:
            target = _open(self._store.zustellungen(found.id), "").target
        consent = self._consent(verb, Selection(ids=(found.id,)), [found], request, target=target, proof=proof)
        return self._decide(verb, found.id, target, proof, request, consent)

    def carry_out_all(
        self, verb: ApprovalVerb, selection: Selection, request: Request
    ) -> Iterator[tuple[NachrichtRecord, StoreError | None]]:
        """The same for all of a selection under one approval: each as it stands afterwards, or why it stays as it is."""
        chosen = list(selection.of(self._store))
        if not chosen and not request.approval:
            return
        consent = self._consent(verb, selection, chosen, request, target="", proof="")
        for found in chosen:
            if not consent.covers(found.id):
                continue
            if not consent.allows(found.id, [decision_act(verb, found, "")]):
                deny(self._store, found.id, verb, GROUNDS["other"], request, now=self._now())
                yield found, NotPossible(GROUNDS["other"])
                continue
            try:
                yield self._decide(verb, found.id, "", "", request, consent), None
            except StoreError as refusal:
                yield found, refusal

    def _consent(
        self,
        verb: ApprovalVerb,
        selection: Selection,
        chosen: list[NachrichtRecord],
        request: Request,
        *,
        target: str,
        proof: str,
    ) -> Consent:
        if self._approvals is None:
            return Consent(verb)
        return self._approvals.demand(decision_wish(verb, selection, chosen, target=target, proof=proof), request)

    def _decide(
        self, verb: str, nachricht_id: str, target: str, proof: str, request: Request, consent: Consent
    ) -> NachrichtRecord:
        if self._approvals is not None:
            self._approvals.tell(nachricht_id, consent, request)
        try:
            return self._verb(verb, nachricht_id, target, proof, request)
        except StoreError as refusal:
            if not isinstance(refusal, NotFound):
                deny(
                    self._store,
                    nachricht_id,
                    verb,
                    GROUNDS["busy"] if isinstance(refusal, Busy) else str(refusal),
                    request,
                    now=self._now(),
                )
            raise

    def _verb(self, verb: str, nachricht_id: str, target: str, proof: str, request: Request) -> NachrichtRecord:
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
            case "pass":
                return self.let_pass(nachricht_id, request)
            case _:
                raise ValueError(f"unknown verb {verb}")

    def confirm_delivered(self, nachricht_id: str, target: str, proof: str, request: Request) -> NachrichtRecord:
        """The person has seen it at the target; `proof` says how (a reference of the target, no content)."""
        if not proof.strip():
            raise NotPossible("confirm-delivered needs --proof: what shows that it has arrived")

        def change(claim: Claim, now: datetime) -> Claim:
            key = _open(claim.zustellungen, target).key
            return self._store.confirm_delivered(
                claim, key, actor=request.actor, reason=request.reason, proof=proof, now=now
            )

        return self._do(nachricht_id, change)

    def send_again(self, nachricht_id: str, target: str, request: Request) -> NachrichtRecord:
        """The person has seen that it is not at the target: another attempt under the same key."""

        def change(claim: Claim, now: datetime) -> Claim:
            key = _open(claim.zustellungen, target).key
            return self._store.send_again(claim, key, actor=request.actor, reason=request.reason, now=now)

        return self._do(nachricht_id, change)

    def resume(self, nachricht_id: str, request: Request) -> NachrichtRecord:
        """Leave `parked`."""
        return self._do(nachricht_id, self._plainly(self._store.resume, request))

    def reject(self, nachricht_id: str, request: Request) -> NachrichtRecord:
        """The sender gets a negative Quittung."""
        return self._do(nachricht_id, self._plainly(self._store.reject, request))

    def discard(self, nachricht_id: str, request: Request) -> NachrichtRecord:
        """Final, and the sender is not told; of what is over already, its refused redeliveries are let be."""
        return self._do(nachricht_id, self._plainly(self._store.discard, request))

    def let_pass(self, nachricht_id: str, request: Request) -> NachrichtRecord:
        """The later ones of its Vorgang no longer wait for it; it stays as it is."""
        return self._do(nachricht_id, self._plainly(self._store.order.let_pass, request))

    def _plainly(self, verb: Callable[..., Claim], request: Request) -> Callable[[Claim, datetime], Claim]:
        return lambda claim, now: verb(claim, actor=request.actor, reason=request.reason, now=now)

    def _do(self, nachricht_id: str, change: Callable[[Claim, datetime], Claim]) -> NachrichtRecord:
        claim = self._store.claim_one(nachricht_id, own_name(), now=self._now(), lease=PERSONS_LEASE)
        try:
            claim = change(claim, self._now())
        finally:
            self._store.release(claim, now=self._now())
        return self._store.get(nachricht_id)


def _last(zustellungen: Sequence[ZustellungRecord], target: str) -> ZustellungRecord:
    of_target = [z for z in zustellungen if z.target == target]
    if not of_target:
        raise NotPossible(f"the Nachricht has no target {target}")
    return of_target[-1]


def _open(zustellungen: Sequence[ZustellungRecord], target: str) -> ZustellungRecord:
    """The Zustellung a person means: the named target's latest, or the only one that waits for a person."""
    if target:
        return _last(zustellungen, target)
    waiting = [z for z in zustellungen if z.state in (_Z.PARKED, _Z.UNCLEAR, _Z.AWAITING)]
    if len(waiting) != 1:
        raise NotPossible("name the target: decide ID/TARGET …")
    return waiting[0]
