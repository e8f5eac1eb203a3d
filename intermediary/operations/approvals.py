"""The second person (Vier-Augen-Prinzip): whoever changes something asks here first, whatever face they come through.

    consent = approvals.demand(Wish("discard", {"ids": [...]}, count=1, lines=("…",), ids=(...,)), request)

`demand` answers with a `Consent` when the change may be carried out now: because no second person is required for the
verb (neither by `[approvals] required` nor by what the store remembers of it), or because `request.approval` names a
request that somebody else approved, that was made for exactly this wish and that nobody has carried out yet. It is used up
by that answer, before anything is changed: a double click or a second node gets `Denied`. Otherwise a request is written
and `ApprovalNeeded` says its id, or, when the one that was named does not fit, `Denied` says why. Every one of these is in
the audit trail of the installation.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from intermediary.audit.chain import canonical
from intermediary.operations.person import Request
from intermediary.settings.approvals import Approvals as Rules
from intermediary.settings.approvals import AskedVerb
from intermediary.store.approvals import Approval, ApprovalState, NotApproved
from intermediary.store.demands import Demands, demands_of
from intermediary.store.errors import NotFound
from intermediary.store.records import Claim
from intermediary.store.store import Store
from intermediary.wiring import Installation

MOST_IDS = 1_000
"""So many Nachrichten one request may name; more of them are a job (`jobs`)."""

_MOST_LINES = 20
_MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to change.

    `asked` are the exact parameters as a JSON object without fractions, in a form that is the same when the same is asked
    again: it alone decides whether an approval fits. `count` and `lines` (German, no content) tell the second person what
    it would do; `ids` are the Nachrichten it is about at present, at most `MOST_IDS`, `acts` what would be done to each of
    them and why, where that may change until it is carried out.
    """

    verb: AskedVerb
    asked: Mapping[str, Any]
    count: int = 1
    lines: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    acts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Verb and parameters in canonical JSON."""
        return canonical({"verb": self.verb, "asked": dict(self.asked)}).decode()

    @property
    def sha256(self) -> str:
        """What an approval is bound to."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Consent:
    """Leave to carry out a wish, once. Without `approval`, none was needed.

    `ids` are the Nachrichten that were shown to the second person, `acts` what was shown for each: nothing else may be
    touched, or done. None: no limit.
    """

    verb: str
    approval: str = ""
    requested_by: str = ""
    approved_by: str = ""
    ids: frozenset[str] | None = None
    acts: Mapping[str, tuple[str, ...]] | None = None

    @property
    def names(self) -> Mapping[str, str]:
        """What the chain of a Nachricht says of it (`person.approved`); empty when none was needed."""
        if not self.approval:
            return {}
        return {
            "approval": self.approval,
            "verb": self.verb,
            "requested_by": self.requested_by,
            "approved_by": self.approved_by,
        }

    def covers(self, nachricht_id: str) -> bool:
        """Whether the second person has seen this Nachricht in the request."""
        return self.ids is None or nachricht_id in self.ids

    def allows(self, nachricht_id: str, acts: Iterable[str]) -> bool:
        """Whether the second person has seen all of this for this Nachricht."""
        return self.acts is None or set(acts) <= set(self.acts.get(nachricht_id, ()))


class ApprovalNeeded(Exception):
    """A request was written; the change waits until another person approves it."""

    def __init__(self, approval: Approval) -> None:
        super().__init__(f"{approval.verb} needs a second person: request {approval.id}")
        self.approval = approval


class Denied(Exception):
    """The change, or a step of its approval, was refused and nothing was done; the text says why, in German."""


class TooMany(Exception):
    """More Nachrichten than one request may name; the text says so."""


class Approvals:
    """Asks for, gives and uses approvals. `new_id` draws an id of at least 8 characters nobody has had.

    `rules` are the configuration's. What the store remembers of earlier ones holds beside them.
    """

    def __init__(self, store: Store, rules: Rules, *, now: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = store
        self._configured = rules
        self._now = now
        self._new_id = new_id

    @property
    def _rules(self) -> Rules:
        found = self._store.approvals.remembered.get()
        return self._configured.joined(found.required, found.same_person)

    def needs(self, verb: AskedVerb) -> bool:
        """Whether a change of this kind needs a second person here."""
        return self._rules.needs(verb)

    def surplus(self) -> Demands:
        """What is demanded here although this configuration does not demand it."""
        own = demands_of(self._configured.required, self._configured.same_person)
        return self._store.approvals.remembered.get() - own

    def forget(self, gone: Demands, consent: Consent, request: Request) -> None:
        """Demand these no more; for `operations/loosening.py`, which has asked a second person."""
        names = {
            "approval": consent.approval,
            "requested_by": consent.requested_by,
            "approved_by": consent.approved_by,
        }
        self._store.approvals.remembered.loosen(
            gone, names=names, actor=request.actor, reason=request.reason, now=self._now()
        )

    def demand(self, wish: Wish, request: Request) -> Consent:
        """Leave to carry out `wish` now; `ApprovalNeeded`, `Denied` or `TooMany` otherwise (see the module)."""
        if not self.needs(wish.verb):
            return Consent(wish.verb)
        if not request.subject:
            raise self._denied(request.approval, wish.verb, "nobody", request)
        if not request.approval:
            raise ApprovalNeeded(self._ask(wish, request))
        found = self._found(request.approval, wish.verb, request)
        if self._is_same(found.second_subject, found.subject):
            raise self._denied(found.id, wish.verb, "self", request)
        now = self._now()
        try:
            used = self._store.approvals.use(found.id, asked_sha256=wish.sha256, actor=request.actor, now=now)
        except NotApproved as refusal:
            differs = f": {_difference(found.asked, wish.text)}" if refusal.why == "changed" else ""
            raise self._denied(found.id, wish.verb, refusal.why, request, differs) from refusal
        ids, acts = used.effect.get("ids"), used.effect.get("acts")
        return Consent(
            wish.verb, used.id, used.actor, used.second_actor, frozenset(ids) if ids else None, acts if acts else None
        )

    def asked(self, request: Request) -> Mapping[str, Any]:
        """The parameters of the request that `request` names, for what was fixed when it was made; empty without one.

        Whether it fits is the answer of `demand`, which is asked with them.
        """
        try:
            found = self._store.approvals.get(request.approval)
        except NotFound:
            return {}
        parameters: dict[str, Any] = json.loads(found.asked)["asked"]
        return parameters

    def tell(self, subject: Claim | str, consent: Consent, request: Request) -> None:
        """Write both names into the chain of a Nachricht, right before the change; does nothing without an approval."""
        if names := consent.names:
            self._store.record(subject, "person.approved", now=self._now(), actor=request.actor, fields=names)

    def decide(self, prefix: str, request: Request, *, approves: bool) -> Approval:
        """The second person's word on a request; `Denied` when it is theirs, decided or over, `NotFound`."""
        found = self._store.approvals.get(prefix)
        if not request.subject:
            raise self._denied(found.id, found.verb, "nobody", request)
        if approves and self._is_same(request.subject, found.subject):
            raise self._denied(found.id, found.verb, "self", request)
        try:
            return self._store.approvals.decide(
                found.id,
                approves=approves,
                actor=request.actor,
                subject=self._rules.person(request.subject),
                reason=request.reason,
                now=self._now(),
            )
        except NotApproved as refusal:
            raise self._denied(found.id, found.verb, refusal.why, request) from refusal

    def find(self, *, everything: bool = False) -> Iterator[Approval]:
        """Requests that something can still come of, newest first; or all there ever were."""
        now = self._now()
        for found in self._store.approvals.find():
            is_live = found.state in (ApprovalState.OPEN, ApprovalState.APPROVED) and not found.is_expired(now)
            if everything or is_live:
                yield found

    def get(self, prefix: str) -> Approval:
        """One request by the beginning of its id; `NotFound`."""
        return self._store.approvals.get(prefix)

    def _ask(self, wish: Wish, request: Request) -> Approval:
        if len(wish.ids) > MOST_IDS:
            raise TooMany(f"{len(wish.ids)} Nachrichten; eine Freigabe umfasst höchstens {MOST_IDS}")
        now = self._now()
        effect = {"count": wish.count, "lines": list(wish.lines[:_MOST_LINES]), "ids": list(wish.ids)}
        effect["more"] = max(0, len(wish.lines) - _MOST_LINES)
        approval = Approval(
            id=self._new_id(),
            verb=wish.verb,
            asked=wish.text,
            asked_sha256=wish.sha256,
            effect=effect | {"acts": {one: list(acts) for one, acts in wish.acts.items()}},
            reason=request.reason,
            actor=request.actor,
            subject=self._rules.person(request.subject),
            created_at=now,
            expires_at=now + timedelta(hours=self._rules.expiry_hours),
        )
        self._store.approvals.ask(approval)
        return approval

    def _found(self, prefix: str, verb: str, request: Request) -> Approval:
        try:
            return self._store.approvals.get(prefix)
        except NotFound as missing:
            raise self._denied(prefix, verb, "unknown", request) from missing

    def _is_same(self, one: str, other: str) -> bool:
        return self._rules.person(one) == self._rules.person(other)

    def _denied(self, approval_id: str, verb: str, why: str, request: Request, differs: str = "") -> Denied:
        fields = {"approval": approval_id, "verb": verb, "why": why, "reason": request.reason}
        self._store.record_of_installation("approval.denied", now=self._now(), actor=request.actor, fields=fields)
        return Denied(_WHYS[why] + differs)


def _difference(approved: str, wanted: str) -> str:
    """What is not as it was approved, of two texts of wishes; German, for whoever is denied."""
    was, now = json.loads(approved), json.loads(wanted)
    if was["verb"] != now["verb"]:
        return f"{was['verb']}, jetzt {now['verb']}"
    names = sorted({*was["asked"], *now["asked"]})
    pairs = [(name, was["asked"].get(name), now["asked"].get(name)) for name in names]
    return "; ".join(_told(name, one, other) for name, one, other in pairs if one != other)


def _told(name: str, was: object, now: object) -> str:
    if isinstance(was, list) and isinstance(now, list):
        gone, new = [one for one in was if one not in now], [one for one in now if one not in was]
        parts = [("nicht mehr", gone), ("dazu", new)]
        return "; ".join(f"{name}, {word}: {_few(found)}" for word, found in parts if found)
    return f"{name}: {_plain(was)}, jetzt {_plain(now)}"


def _few(found: list[object]) -> str:
    more = [f"… und {len(found) - _MOST_TOLD} weitere"] if len(found) > _MOST_TOLD else []
    return " | ".join([*map(_plain, found[:_MOST_TOLD]), *more])


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


_WHYS = {
    "nobody": "es ist nicht zu erkennen, welche Person das verlangt",
    "self": "dieselbe Person kann nicht verlangen und freigeben, auch nicht unter einem zweiten Konto",
    "unknown": "eine Freigabe mit dieser Nummer gibt es nicht",
    "open": "noch niemand hat das freigegeben",
    "approved": "das ist schon freigegeben",
    "refused": "die Freigabe wurde abgelehnt",
    "used": "diese Freigabe ist verbraucht: sie gilt für eine Ausführung",
    "expired": "die Frist dieser Freigabe ist um",
    "changed": "freigegeben wurde etwas anderes, als jetzt verlangt wird",
}


def approvals_of(installation: Installation, *, now: Callable[[], datetime]) -> Approvals:
    """The approvals of an opened installation, by its settings."""
    rules = installation.settings.approvals
    return Approvals(installation.store, rules, now=now, new_id=lambda: secrets.token_hex(5))
