"""When a target rests and when it is tried again: pure; the store keeps one `Health` per target for all hosts (G9).

    works ──(so many failures in a row, or it asked for a rest)──▶ rests ──(rest is over, one tries)──▶ probing
      ▲                                                              ▲                                    │
      └───────────────────────────(it took the probe)────────────────┼────────────────────────────────────┤
                                                                      └──(it did not: a longer rest)───────┘

A refusal shows that the target works. A wrong setting of it (`target.misconfigured`: its folder is gone) keeps everything
from it, like a failure; what is wrong with a Nachricht is neither counted nor a proof of health.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from intermediary.core.faults import Misconfigured, Rejected, Transient
from intermediary.core.ports import Awaiting, Delivered, Refused

_OF_ONE_ZUSTELLUNG = frozenset({"target.busy"})
"""Transient, but told of a Zustellung and not of the target."""

_OF_THE_TARGET = frozenset(
    {"target.misconfigured", "target.tls", "target.hostkey", "target.credentials", "target.http"}
)
"""Misconfigured, and told of the target and not of what is sent there."""


class TargetState(StrEnum):
    """How a target does."""

    WORKS = "works"
    RESTS = "rests"
    PROBING = "probing"


class Sign(StrEnum):
    """What an outcome says about the target."""

    WELL = "well"
    ILL = "ill"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class RestRules:
    """After how many failures in a row a target rests, and how long; the rest doubles with each probe that fails.

    `longest_asked` bounds what a target may ask for itself (Retry-After).
    """

    after_failures: int = 5
    first_rest: timedelta = timedelta(seconds=30)
    longest_rest: timedelta = timedelta(minutes=15)
    longest_asked: timedelta = timedelta(hours=6)

    def rest(self, rests: int) -> timedelta:
        """How long the `rests`-th rest in a row lasts; the first is 1."""
        return min(self.longest_rest, self.first_rest * (1 << min(max(rests, 1) - 1, 40)))


@dataclass(frozen=True, slots=True)
class Probe:
    """Who tries whether a resting target works again: a Zustellung under the claim with this token."""

    key: str
    nachricht_id: str
    token: int


@dataclass(frozen=True, slots=True)
class Health:
    """How a target does. `failures` are those in a row, `rests` the rests without a success between them.

    `rest_until` and `code` (of the last failure) stay as they were when it works again. `probe` is set while probing;
    `tried` is the key of the Zustellung that tried last.
    """

    state: TargetState
    since: datetime
    failures: int = 0
    rests: int = 0
    rest_until: datetime | None = None
    code: str = ""
    probe: Probe | None = None
    tried: str = ""

    def is_over(self, now: datetime) -> bool:
        """Whether its rest is over, so that one may try."""
        return self.state is TargetState.RESTS and (self.rest_until is None or self.rest_until <= now)


def sign_of(outcome: object) -> Sign:
    """What the outcome of a call of a connector says about the target."""
    match outcome:
        case Delivered() | Awaiting() | Refused() | Rejected():
            return Sign.WELL
        case Misconfigured(code=code) if code not in _OF_THE_TARGET:
            return Sign.NEITHER
        case Transient(code=code) if code in _OF_ONE_ZUSTELLUNG:
            return Sign.NEITHER
        case Exception():
            return Sign.ILL
        case _:
            return Sign.NEITHER


def after_success(health: Health, probe: Probe, now: datetime) -> Health:
    """A target that works starts counting anew; a resting one is closed by its probe only.

    What ends well now may have begun before the failures did.
    """
    if health.state is TargetState.WORKS:
        return replace(health, failures=0)
    if health.probe != probe:
        return health
    return replace(health, state=TargetState.WORKS, since=now, failures=0, rests=0, probe=None)


def after_failure(
    health: Health, probe: Probe, *, code: str, asked: timedelta | None, rules: RestRules, now: datetime
) -> Health:
    """One more failure of the attempt that `probe` names; `asked` is the rest the target asked for, if it did.

    What fails while it rests was begun before: it is counted, and can only lengthen the rest when the target asks for it.
    """
    wanted = now + min(asked, rules.longest_asked) if asked is not None and asked > timedelta(0) else None
    counted = replace(health, failures=health.failures + 1, code=code)
    is_probe = health.state is TargetState.PROBING and health.probe == probe
    opens = health.state is TargetState.WORKS and (wanted is not None or counted.failures >= rules.after_failures)
    if is_probe or opens:
        rests = health.rests + 1
        until = wanted or now + rules.rest(rests)
        since = now if opens else health.since
        return replace(counted, state=TargetState.RESTS, since=since, rests=rests, rest_until=until, probe=None)
    if health.state is TargetState.RESTS and wanted is not None:
        return replace(counted, rest_until=max(wanted, health.rest_until or wanted))
    return counted


def after_nothing(health: Health, probe: Probe, rules: RestRules, now: datetime) -> Health:
    """The attempt said nothing about the target, or was never made: a probe gives its place back."""
    if health.probe != probe:
        return health
    return replace(health, state=TargetState.RESTS, rest_until=now + rules.rest(1), probe=None)


def probed_by(health: Health, probe: Probe) -> Health:
    """The one that tries; only for a health whose rest is over."""
    return replace(health, state=TargetState.PROBING, probe=probe, tried=probe.key)


def without_prober(health: Health, now: datetime) -> Health:
    """Whoever tried is gone without a verdict, which says nothing about the target: the next one may try at once."""
    return replace(health, state=TargetState.RESTS, rest_until=now, probe=None)
