"""Where something stands still, and for what: code and place of its incident, by words of the configuration; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from intermediary.core.breaker import Health, TargetState
from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.incidents import Name
from intermediary.core.targets import TargetRef, target_name
from intermediary.store.targets import Standing

RESTING = "target.resting"
AILMENTS = (
    RESTING,
    "target.unreachable",
    "target.full",
    "target.misconfigured",
    "target.tls",
    "target.hostkey",
    "target.credentials",
    "target.http",
)
"""What may follow one another while a target rests, and is still one incident."""

_LASTS = frozenset({Healer.TIME, Healer.OPERATOR})
"""Who heals what a target rests for; anything else (unclear, a bug) is told of the Zustellung that met it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """What an incident goes by; `formerly` are the names under which the same one may have begun."""

    code: str
    place: str
    formerly: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """The targets as configured, by each of their names, and how all stand at one moment.

    What is told of a target (`target.…`) is told once of the one system, however many routes lead to it; anything else of
    the target of its route. What waits for a target waits for what holds it back now; at rest that is its last failure.
    """

    now: datetime
    refs: Mapping[str, TargetRef] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)

    @classmethod
    def of(cls, refs: Iterable[TargetRef], standing: Standing, now: datetime) -> Self:
        """As they are configured, and stand now."""
        return cls(now, {name: ref for ref in refs for name in ref.names}, standing)

    def ref(self, name: str) -> TargetRef:
        """The target that has this name; one that no route names any more goes by it alone."""
        return self.refs.get(name) or TargetRef(name, frozenset({name}))

    def held(self, code: str, name: str) -> str:
        """What holds back now what waits for this target (`Standing.held_by`)."""
        return self.standing.held_by(self.ref(name), code, self.now)

    def spot(self, *, code: str, mandant: str, route: str, target: str, channel: str) -> Spot | None:
        """Where it belongs; None for what comes back bit by bit to a target that works again."""
        if target:
            return self._at_target(code, target_name(mandant, route, target))
        if route and not code.startswith("receipt."):
            return Spot(code, f"route {mandant}/{route}", ((code, f"route {route}"),))
        return Spot(code, f"channel {channel}")

    def _at_target(self, code: str, name: str) -> Spot | None:
        now, system = self.held(code, name), self.ref(name).id
        if not now:
            return None
        record = self.standing.records.get(system)
        ailment = _ailment(None if record is None else record.health)
        told = ailment if now == RESTING else now
        place = f"target {system if told == ailment or told.startswith('target.') else name}"
        once = f"target {name.partition('/')[2]}"  # as versions before told it, without the Mandant
        others = [one for one in AILMENTS if one != told] if told == ailment else []
        return Spot(told, place, ((told, once), *((one, where) for one in others for where in (place, once))))


def _ailment(health: Health | None) -> str:
    """What a target rests for; that it rests, where nobody knows more."""
    if health is None or health.state is TargetState.WORKS or health.code not in CATALOGUE:
        return RESTING
    return health.code if CATALOGUE[health.code].healer in _LASTS else RESTING
