"""Targets for people: how each one does, what waits for it, and the word that stops it or lets it go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from intermediary.core.breaker import Health, TargetState
from intermediary.core.faults import Fault
from intermediary.core.tables import did_you_mean
from intermediary.core.targets import TargetRef
from intermediary.daemon.telling import local
from intermediary.operations.diagnosis import Diagnosis, counted
from intermediary.operations.person import Request
from intermediary.operations.selection import BadSelection
from intermediary.route.targets import target_refs
from intermediary.settings.models import Settings
from intermediary.store.store import Store
from intermediary.store.targets import Standing
from intermediary.wiring import look_at_targets, read_routes


@dataclass(frozen=True, slots=True)
class TargetLine:
    """One target as operators see it. `state` is `works`, `rests`, `probing` or `paused`; `code` is of its last failure.

    `next_try` is the moment of the next probe while it rests. `is_known` is False for one that no route names any more.
    """

    id: str
    names: tuple[str, ...]
    state: str
    since: datetime | None
    failures: int
    next_try: datetime | None
    waiting: int
    code: str
    pause: dict[str, Any] | None
    max_per_minute: int | None
    max_parallel: int | None
    is_known: bool

    def as_json(self) -> dict[str, Any]:
        """For machines; stable."""
        return {
            "target": self.id,
            "names": list(self.names),
            "state": self.state,
            "since": _iso(self.since),
            "failures": self.failures,
            "nextTry": _iso(self.next_try),
            "waiting": self.waiting,
            "lastCode": self.code,
            "pause": self.pause,
            "maxPerMinute": self.max_per_minute,
            "maxParallel": self.max_parallel,
            "known": self.is_known,
        }


def known_targets(settings: Settings) -> tuple[TargetRef, ...]:
    """The targets of the routes file as it is now; `Misconfigured` when it cannot be read."""
    refs = target_refs(read_routes(settings.installation.routes), settings.delivery.rules)
    return tuple(dict.fromkeys(refs.values()))


def target_lines(refs: Iterable[TargetRef], standing: Standing, now: datetime) -> Iterator[TargetLine]:
    """Every target of the configuration, and what is left of others as long as something waits for them."""
    known = {ref.id: ref for ref in refs}
    gone = [one for one in standing.waiting if one not in known]
    for name in sorted((*known, *gone)):
        ref = known.get(name, TargetRef(name, frozenset({name})))
        yield _line(ref, standing, now, is_known=name in known)


def at_rest(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    """Lines of `doctor` on targets that take nothing at present; whatever cannot be read is told by its other lines."""
    with suppress(Fault, OSError):
        standing = look_at_targets(settings)
        if standing is not None:
            yield from filter(None, map(_diagnosis, target_lines(known_targets(settings), standing, now)))


class TargetCare:
    """Pause, resume and probe. `scope` is a target by any of its names (`mandant/route/target`), a route or a Mandant."""

    def __init__(self, store: Store, refs: Iterable[TargetRef], *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._refs = tuple(refs)
        self._now = now

    def pause(self, scope: str, request: Request, until: datetime | None = None) -> tuple[TargetRef, ...]:
        """Stop what goes there, `until` a moment or until somebody resumes it; the targets that are concerned.

        `BadSelection` when nothing has that name, or the moment is past.
        """
        concerned = self._concerned(scope)
        if not concerned:
            raise BadSelection(f"no target is called {scope}; {did_you_mean(scope, self._names())}")
        now = self._now()
        if until is not None and until <= now:
            raise BadSelection("--until is past already")
        self._store.targets.pause(scope, actor=request.actor, reason=request.reason, until=until, now=now)
        return concerned

    def resume(self, scope: str, request: Request) -> tuple[TargetRef, ...]:
        """End the pause of exactly this scope; those of its targets that another pause still holds.

        `BadSelection` when there is no such pause; the text names those there are.
        """
        now = self._now()
        if not self._store.targets.resume(scope, actor=request.actor, reason=request.reason, now=now):
            paused = [one.scope for one in self._store.targets.standing().pauses]
            raise BadSelection(f"{scope} is not paused; {'paused: ' + ', '.join(paused) if paused else 'nothing is'}")
        standing = self._store.targets.standing()
        return tuple(ref for ref in self._concerned(scope) if standing.pause_of(ref, now) is not None)

    def probe(self, name: str, request: Request) -> TargetRef:
        """Let the next attempt through to a resting target, called by any of its names.

        `BadSelection` when nothing has that name, or it does not rest.
        """
        found = next((ref for ref in self._refs if name in ref.names), None)
        if found is None:
            raise BadSelection(f"no target is called {name}; {did_you_mean(name, self._names())}")
        record = self._store.targets.standing().records.get(found.id)
        if record is None or record.health.state is not TargetState.RESTS:
            raise BadSelection(
                f"{name} does not rest: {'it is tried already' if record and record.health.probe else 'it works'}"
            )
        if not self._store.targets.probe(found.id, actor=request.actor, reason=request.reason, now=self._now()):
            raise BadSelection(f"{name} does not rest any more")
        return found

    def _concerned(self, scope: str) -> tuple[TargetRef, ...]:
        return tuple(ref for ref in self._refs if ref.is_in(scope))

    def _names(self) -> set[str]:
        names = {name for ref in self._refs for name in ref.names}
        return names | {name.rpartition("/")[0] for name in names} | {name.partition("/")[0] for name in names}


def _line(ref: TargetRef, standing: Standing, now: datetime, *, is_known: bool) -> TargetLine:
    record = standing.records.get(ref.id)
    health = record.health if record is not None else Health(TargetState.WORKS, now)
    pause = standing.pause_of(ref, now)
    is_resting = health.state is TargetState.RESTS
    since = health.since if health.state is not TargetState.WORKS else None
    return TargetLine(
        id=ref.id,
        names=tuple(sorted(ref.names)),
        state="paused" if pause is not None else health.state.value,
        since=pause.paused_at if pause is not None else since,
        failures=health.failures,
        next_try=health.rest_until if is_resting and pause is None else None,
        waiting=standing.waiting.get(ref.id, 0),
        code=health.code,
        pause=None
        if pause is None
        else {"scope": pause.scope, "by": pause.actor, "reason": pause.reason, "until": _iso(pause.until)},
        max_per_minute=ref.limits.max_per_minute,
        max_parallel=ref.limits.max_parallel,
        is_known=is_known,
    )


def _diagnosis(line: TargetLine) -> Diagnosis | None:
    since, waiting = local(line.since) if line.since else "?", _waiting(line.waiting)
    if line.pause is not None:
        what = f"paused since {since} by {line.pause['by']}: {line.pause['reason']}; {waiting}"
        hint = f"to go on: intermediary targets resume {line.pause['scope']} --reason …"
        return Diagnosis(f"target {line.id}", "warning", what, hint)
    if line.state not in ("rests", "probing"):
        return None
    next_try = f", next probe {local(line.next_try)}" if line.next_try else ", is being tried"
    what = f"rests since {since}, last failure {line.code}{next_try}; {waiting}"
    hint = f"heal it, then: intermediary targets probe {line.id} --reason …"
    return Diagnosis(f"target {line.id}", "warning", what, hint)


def _waiting(count: int) -> str:
    if not count:
        return "nothing waits for it"
    return f"{counted(count, 'Zustellung', 'Zustellungen')} {'waits' if count == 1 else 'wait'} for it"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")
