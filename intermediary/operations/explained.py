"""What a person needs who is woken by one Nachricht: why, who heals it, what to type, what happened."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from intermediary.audit.chain import Event
from intermediary.audit.events import EVENTS
from intermediary.core.codes import CATALOGUE, Healer
from intermediary.core.decide import DEADLINES
from intermediary.core.faults import Misconfigured
from intermediary.core.incidents import Name
from intermediary.core.runbooks import runbook
from intermediary.core.states import FINAL, NachrichtState, ZustellungState
from intermediary.core.targets import TargetRef
from intermediary.daemon.places import Places
from intermediary.daemon.telling import local
from intermediary.operations.look import Explanation, explain, waits_for_target
from intermediary.route.targets import target_refs
from intermediary.settings.models import Settings
from intermediary.store.due import REFUSED_AGAIN, refused_again, wait_reason
from intermediary.store.incidents import IncidentRecord
from intermediary.store.precedence import Standing
from intermediary.store.records import NachrichtRecord, ZustellungRecord
from intermediary.store.store import Store
from intermediary.wiring import read_routes

_N, _Z = NachrichtState, ZustellungState
_LATEST = 8
_SHORT = 13
_STUCK = frozenset({_Z.DUE, _Z.UNCLEAR, _Z.AWAITING, _Z.PARKED})


@dataclass(frozen=True, slots=True)
class Explained:
    """One Nachricht explained. `actions` are commands to copy, each with what it is for; `history` is the latest, last."""

    nachricht: NachrichtRecord
    explanation: Explanation
    actions: tuple[tuple[str, str], ...]
    deadline: datetime | None
    incidents: tuple[IncidentRecord, ...]
    history: tuple[str, ...]
    earlier: int
    runbook: str

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "id": self.nachricht.id,
            "state": self.nachricht.state.value,
            "headline": self.explanation.headline,
            "lines": list(self.explanation.lines),
            "actions": [{"command": command, "when": when} for command, when in self.actions],
            "deadline": self.deadline.isoformat() if self.deadline else None,
            "incidents": [one.id for one in self.incidents],
            "history": list(self.history),
            "runbook": self.runbook,
        }


def explained(store: Store, settings: Settings, nachricht_id: str, now: datetime) -> Explained:
    """The explanation of one Nachricht; `NotFound`."""
    places = _places(store, settings, now)
    nachricht, zustellungen = held_now(store.get(nachricht_id), store.zustellungen(nachricht_id), places)
    standing = store.order.standing(nachricht_id)
    troubles = list(_troubles(nachricht, zustellungen))
    spots = list(_spots(nachricht, troubles, places))
    codes = [code for code, _ in troubles] or [nachricht.code or nachricht.verdict_code or nachricht.wait_reason]
    history, earlier = latest([entry.event for entry in store.events(nachricht_id)])
    return Explained(
        nachricht=nachricht,
        explanation=explain(nachricht, zustellungen, now, standing, store.steps.of(nachricht_id)),
        actions=(*_order_actions(nachricht, standing), *actions(nachricht, zustellungen, places)),
        deadline=_deadline(nachricht, zustellungen, settings),
        incidents=store.watch.incidents.open_of(spots) if spots else (),
        history=history,
        earlier=earlier,
        runbook=runbook(codes[0]) if codes[0] else "",
    )


def latest(events: Sequence[Event]) -> tuple[tuple[str, ...], int]:
    """The latest events as lines, last one last, and how many are left out; of several targets each line names its own."""
    targets = {event.fields["target"] for event in events if event.fields.get("target")}
    left_out = len(events) - _LATEST if len(events) > _LATEST + 1 else 0
    return tuple(_told(event, names_target=len(targets) > 1) for event in events[left_out:]), left_out


def _told(event: Event, *, names_target: bool) -> str:
    meaning = EVENTS[event.name].meaning if event.name in EVENTS else event.name
    what = ": ".join(filter(None, (event.fields.get("target") if names_target else "", event.fields.get("code"))))
    text = f"{local(event.at)}  {meaning}" + (f" ({what})" if what else "")
    return text + (f" Durch {event.actor}." if event.actor else "")


def _deadline(
    nachricht: NachrichtRecord, zustellungen: tuple[ZustellungRecord, ...], settings: Settings
) -> datetime | None:
    """When a person is asked if nothing goes on; None while that is not counted, as for what waits for its turn."""
    if nachricht.state in FINAL or nachricht.state is _N.PARKED:
        return None
    length = settings.delivery.schedule.deadline
    if nachricht.state is not _N.PLANNED:
        return nachricht.since + length
    own = _own_deadlines(nachricht, settings)
    waiting = [one for one in zustellungen if one.state in (_Z.DUE, _Z.UNCLEAR) and one.code != "order.waits"]
    return min((one.since + own.get(one.target, length) for one in waiting), default=None)


def _own_deadlines(nachricht: NachrichtRecord, settings: Settings) -> dict[str, timedelta]:
    """Those of the route's targets that have one of their own, as the routes file says now."""
    try:
        route = read_routes(settings.installation.routes).by_name(nachricht.mandant, nachricht.route)
    except Misconfigured:
        return {}
    found = route.targets if route is not None else ()
    return {one.name: timedelta(hours=one.deadline_hours) for one in found if one.deadline_hours is not None}


def _troubles(nachricht: NachrichtRecord, zustellungen: tuple[ZustellungRecord, ...]) -> Iterator[tuple[str, str]]:
    """Code and target (none: the Nachricht itself) of everything that stands still."""
    own = nachricht.code if nachricht.state is _N.PARKED else nachricht.wait_reason if nachricht.own_due_at else ""
    if own:
        yield own, ""
    if nachricht.state in (_N.PLANNED, _N.ANSWERING, _N.COMPLETED):
        for one in zustellungen:
            if one.code and one.state in _STUCK:
                yield one.code, one.target
    if nachricht.wait_reason == REFUSED_AGAIN:
        yield from ((REFUSED_AGAIN, one.target) for one in refused_again(zustellungen))


def _places(store: Store, settings: Settings, now: datetime) -> Places:
    refs: Collection[TargetRef] = ()
    with suppress(Misconfigured):
        refs = target_refs(read_routes(settings.installation.routes), settings.delivery.rules).values()
    return Places.of(refs, store.targets.standing(), now)


def held_now(
    nachricht: NachrichtRecord, zustellungen: tuple[ZustellungRecord, ...], places: Places
) -> tuple[NachrichtRecord, tuple[ZustellungRecord, ...]]:
    """Both with the codes of what holds them back now, not when they were last asked: none for what returns bit by bit."""
    known = tuple(
        replace(one, code=places.held(one.code, one.waits_for)) if one.waits_for else one for one in zustellungen
    )
    if nachricht.wait_reason not in DEADLINES:
        return nachricht, known
    return replace(nachricht, wait_reason=wait_reason(nachricht, known)), known


def _spots(nachricht: NachrichtRecord, troubles: list[tuple[str, str]], places: Places) -> Iterator[Name]:
    """What the incidents of troubles go by, as the watch names them."""
    where = {"mandant": nachricht.mandant, "route": nachricht.route, "channel": nachricht.channel}
    for code, target in troubles:
        spot = places.spot(code=code, target=target, **where)
        if spot is not None:
            yield spot.code, spot.place


def _refused_actions(
    nachricht: NachrichtRecord, zustellungen: tuple[ZustellungRecord, ...]
) -> Iterator[tuple[str, str]]:
    """What may be typed about redeliveries that were refused; what is erased cannot be sent again."""
    own = nachricht.id
    for one in refused_again(zustellungen) if nachricht.payload == "present" else ():
        yield f'intermediary replay {own} --redeliver {one.target} --reason "…"', "das Ziel nimmt sie jetzt an"
    yield f'intermediary decide {own} discard --reason "…"', "es bleibt bei der Ablehnung"


def _is_seen_there(code: str) -> bool:
    """Whether a look at the target heals it, sooner than our own next look may."""
    return code in CATALOGUE and CATALOGUE[code].healer is Healer.TARGET


def _order_actions(nachricht: NachrichtRecord, standing: Standing | None) -> Iterator[tuple[str, str]]:
    """What may be typed about the order of its Vorgang."""
    if standing is None:
        return
    for earlier in dict.fromkeys(filter(None, standing.waits_for.values())):
        yield f"intermediary explain {earlier}", "was die frühere Nachricht aufhält"
        yield f'intermediary decide {earlier} pass --reason "…"', "diese soll nicht länger auf die frühere warten"
    if standing.behind:
        yield f'intermediary decide {nachricht.id} pass --reason "…"', "die späteren sollen nicht auf diese warten"


def actions(
    nachricht: NachrichtRecord, zustellungen: tuple[ZustellungRecord, ...], places: Places
) -> Iterator[tuple[str, str]]:
    """What may be typed now, the least harmful first: commands, each with what it is for; pure."""
    own = nachricht.id
    for one in zustellungen:
        if one.state is _Z.PARKED or (one.state is _Z.UNCLEAR and (one.due_at is None or _is_seen_there(one.code))):
            target = f"intermediary decide {own}/{one.target}"
            yield f'{target} confirm-delivered --proof "…" --reason "…"', "das Ziel hat sie (nachgesehen)"
            yield f'{target} send-again --reason "…"', "das Ziel hat sie sicher nicht"
        elif waits_for_target(one):
            yield f"intermediary targets list {one.waits_for}", "seit wann, warum, nächste Probe"
            pause = places.standing.pause_of(places.ref(one.waits_for), places.now)
            if pause is not None:
                yield f'intermediary targets resume {pause.scope} --reason "…"', "wieder dorthin zustellen"
    code = CATALOGUE.get(nachricht.code or nachricht.wait_reason)
    if nachricht.state is _N.PARKED:
        yield f'intermediary decide {own} resume --reason "…"', "die Ursache ist behoben"
        yield f'intermediary decide {own} reject --reason "…"', "der Sender soll eine Ablehnung erhalten"
        yield f'intermediary decide {own} discard --reason "…"', "sie nützt niemandem; der Sender erfährt nichts"
    elif nachricht.wait_reason in DEADLINES:
        pass  # sooner than its target is free nothing can be done for it
    elif nachricht.due_at is not None and nachricht.wait_reason and nachricht.state not in FINAL:
        if code is not None and code.healer is Healer.OPERATOR:
            yield "intermediary doctor", "sagt, was der Konfiguration fehlt"
        yield f'intermediary replay {own} --reason "…"', "nicht länger warten, sofort versuchen"
    if nachricht.wait_reason == REFUSED_AGAIN:
        yield from _refused_actions(nachricht, zustellungen)
    yield f"intermediary show {own[:_SHORT]}", "alle Tatsachen, Nachweise und der ganze Verlauf"
