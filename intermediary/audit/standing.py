"""What the rows of one Nachricht, and of standing holds, must say, told from events alone; and where they say otherwise.

Every change of a state has its event in the same transaction, so the events can be played again (G17). What they do not tell
(attempts, moments of the next look, leases) is not compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from intermediary.audit.chain import Event, canonical

_TAKEN = ("channel", "content_type", "direction", "body_sha256", "body_length")
ROW = (
    *("mandant", "received_at", *_TAKEN),
    *("state", "code", "verdict", "verdict_code", "route", "pins", "revision", "payload", "held_since"),
)
ZUSTELLUNG = ("target", "required", "state", "output_sha256", "redelivery", "redelivers")
HOLD = ("since", "actor", "reason")
"""The columns that follow from the events, of a Nachricht, of a Zustellung and of a standing hold."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUOTED = frozenset({"state", "code", "verdict", "verdict_code", "payload", "route", "revision"})


class Standing:
    """Plays the events of one chain, in order. `row` and `zustellungen` (by key) hold what the columns must say."""

    def __init__(self) -> None:
        self.row: dict[str, Any] = {}
        self.zustellungen: dict[str, dict[str, Any]] = {}
        self.plan_sha256 = ""

    def tell(self, event: Event) -> None:
        """Play one event; one that moves nothing, or of a later program, changes nothing."""
        play = _PLAYS.get(event.name)
        if play is not None:
            play(self, event)

    def move(self, state: str, **values: Any) -> None:
        self.row.update({"code": "", "state": state, **values})

    def move_zustellung(self, event: Event, state: str, **values: Any) -> None:
        self.zustellungen.setdefault(event.fields["key"], {}).update(state=state, **values)


def differences(
    bodies: Sequence[bytes], row: Mapping[str, Any], zustellungen: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Where the rows say something else than the events; each as the column, with both values where they are short.

    `bodies` are the events of one chain in canonical form, `row` and `zustellungen` hold the columns by name (`steps`: the
    hash of its facts by each step); moments are whole microseconds since 1970. Events that cannot be read are one
    difference.
    """
    standing = Standing()
    try:
        for body in bodies:
            standing.tell(Event.parse(json.loads(body)))
    except (ValueError, LookupError, TypeError, AttributeError):
        yield "events: cannot be played"
        return
    yield from _differing("", ROW, standing.row, row)
    if standing.plan_sha256 and standing.plan_sha256 not in _fingerprints(row["plan"]):
        yield "plan"
    found = {one["key"]: one for one in zustellungen}
    for key in standing.zustellungen.keys() - found.keys():
        yield f"zustellung {key}: missing"
    for key, record in found.items():
        told = standing.zustellungen.get(key)
        if told is None:
            yield f"zustellung {key}: not in the events"
            continue
        yield from _differing(f"zustellung {key}: ", ZUSTELLUNG, told, record)
        if told.get("steps", {}) != record["steps"]:
            yield f"zustellung {key}: steps"
        if not _is_proof(record["proof"], told):
            yield f"zustellung {key}: proof"


def hold_differences(bodies: Iterable[bytes], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Where the standing holds say something else than the events of the installation; like `differences`."""
    told: dict[tuple[str, str], dict[str, Any]] = {}
    try:
        for body in bodies:
            if b'"hold.standing-' in body or b'"mandant.deleted"' in body:
                _tell_hold(told, Event.parse(json.loads(body)))
    except (ValueError, LookupError, TypeError, AttributeError):
        yield "events: cannot be played"
        return
    found = {(row["mandant"], row["route"]): row for row in rows}
    for mandant, route in sorted(told.keys() | found.keys()):
        place = f"hold {mandant}/{route}" if route else f"hold {mandant}"
        if (mandant, route) not in found:
            yield f"{place}: missing"
        elif (mandant, route) not in told:
            yield f"{place}: not in the events"
        else:
            yield from _differing(f"{place}: ", HOLD, told[mandant, route], found[mandant, route])


def _tell_hold(told: dict[tuple[str, str], dict[str, Any]], event: Event) -> None:
    fields = event.fields  # of any event: the bytes before were only searched for a name, which may stand in a reason
    match event.name:
        case "hold.standing-set":
            values = {"since": _microseconds(event.at), "actor": event.actor, "reason": fields["reason"]}
            told[fields["mandant"], fields["route"]] = values
        case "hold.standing-released":
            told.pop((fields["mandant"], fields["route"]), None)
        case "mandant.deleted":
            for one in [one for one in told if one[0] == fields["mandant"]]:
                del told[one]


def last_move(bodies: Sequence[bytes]) -> tuple[str, datetime] | None:
    """The state the events of one chain lead to, and since when; None when they cannot be played."""
    standing = Standing()
    found: tuple[str, datetime] | None = None
    try:
        for body in bodies:
            event = Event.parse(json.loads(body))
            before = standing.row.get("state")
            standing.tell(event)
            if standing.row.get("state") != before:
                found = (standing.row["state"], event.at)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return found


def _differing(place: str, names: Sequence[str], told: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        wanted, is_there = told.get(name, ""), found[name]
        if wanted != is_there:
            quoted = f" (events: {wanted or '-'}, row: {is_there or '-'})" if name in _QUOTED else ""
            yield f"{place}{name}{quoted}"


def _is_proof(found: Any, told: Mapping[str, Any]) -> bool:
    """What a verdict's event says is the whole proof; what a person confirmed was added to what was there."""
    if told.get("proof") is not None:
        return bool(found == told["proof"])
    return all((found or {}).get(name) == value for name, value in told.get("confirmed", {}).items())


def _fingerprints(plan: object) -> Iterator[str]:
    """Of the plan as it is, and as it was before a wait put its findings there."""
    if not isinstance(plan, Mapping):
        return
    bare = {name: value for name, value in plan.items() if name != "findings"}
    for one in (plan, {**bare, "findings": []}, bare):
        with suppress(TypeError):  # a fraction: nothing the program ever wrote
            yield hashlib.sha256(canonical(one)).hexdigest()


def _taken(it: Standing, event: Event) -> None:
    it.row = {name: event.fields[name] for name in _TAKEN}
    it.row.update(mandant=event.mandant, received_at=_microseconds(event.at), held_since=None)
    it.row.update(verdict="", verdict_code="", route="", pins={}, revision=0, payload="present")
    is_conflict = event.name == "intake.conflict"
    it.move("parked" if is_conflict else "received", code="intake.conflict" if is_conflict else "")


def _planned(it: Standing, event: Event) -> None:
    it.move("planned", route=event.fields["route"], pins=dict(event.fields["pins"]))
    it.plan_sha256 = event.fields["plan_sha256"]
    for target in event.fields["targets"]:
        told = {name: target[name] for name in ("target", "required", "output_sha256")}
        it.zustellungen[target["key"]] = {**told, "state": "due", "redelivery": 0, "redelivers": ""}


def _refused(it: Standing, event: Event) -> None:
    _rejected(it, event)
    it.plan_sha256 = event.fields["plan_sha256"]


def _rejected(it: Standing, event: Event) -> None:
    code = event.fields["code"]
    it.move("answering", code=code, verdict="rejected", verdict_code=code)


def _waits(it: Standing, _event: Event) -> None:
    it.plan_sha256 = ""  # the findings of a wait or a parking replace those of the plan


def _parked(it: Standing, event: Event) -> None:
    it.move("parked", code=event.fields["code"])
    it.plan_sha256 = ""


def _intended(it: Standing, event: Event) -> None:
    it.move_zustellung(event, "intended", output_sha256=event.fields["output_sha256"])


def _stepped(it: Standing, event: Event) -> None:
    steps = it.zustellungen.setdefault(event.fields["key"], {}).setdefault("steps", {})
    steps[event.fields["step"]] = event.fields["facts_sha256"]


def _settled(it: Standing, event: Event) -> None:
    it.move_zustellung(event, event.name.partition(".")[2], proof=event.fields.get("proof"), confirmed={})


def _confirmed(it: Standing, event: Event) -> None:
    confirmed = {"confirmed_by": event.actor, "confirmation": event.fields["proof"]}
    it.move_zustellung(event, "delivered", proof=None, confirmed=confirmed)


def _resumed(it: Standing, event: Event) -> None:
    state = event.fields["state"]
    it.move(state, code=it.row.get("verdict_code", "") if state == "answering" else "")


def _answered(it: Standing, event: Event) -> None:
    it.move(event.fields["state"], code=it.row.get("verdict_code", ""))


def _judged_anew(it: Standing, event: Event) -> None:
    it.move("received", route="", pins={}, revision=event.fields["revision"])
    it.zustellungen, it.plan_sha256 = {}, ""


def _redelivered(it: Standing, event: Event) -> None:
    last = it.zustellungen.get(event.fields["redelivers"], {})
    it.zustellungen[event.fields["key"]] = {
        "target": event.fields["target"],
        "required": bool(last.get("required")) and not it.row.get("verdict"),
        "state": "due",
        "output_sha256": last.get("output_sha256", ""),
        "redelivery": event.fields["redelivery"],
        "redelivers": event.fields["redelivers"],
    }


def _erased(it: Standing, _event: Event) -> None:
    it.row["payload"] = "erased"
    for zustellung in it.zustellungen.values():
        zustellung.pop("steps", None)


def _held(it: Standing, event: Event) -> None:
    it.row["held_since"] = _microseconds(event.at) if event.name == "hold.set" else None


def _reduced(it: Standing, _event: Event) -> None:
    it.plan_sha256 = ""  # the plan went with its Mandant


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


_PLAYS: Mapping[str, Callable[[Standing, Event], None]] = {
    "intake.taken": _taken,
    "intake.conflict": _taken,
    "nachricht.planned": _planned,
    "nachricht.refused": _refused,
    "nachricht.waits": _waits,
    "nachricht.parked": _parked,
    "delivery.intended": _intended,
    "delivery.step": _stepped,
    "delivery.delivered": _settled,
    "delivery.refused": _settled,
    "delivery.awaiting": _settled,
    "delivery.unclear": _settled,
    "delivery.due": _settled,
    "delivery.parked": _settled,
    "verdict.accepted": lambda it, _event: it.move("answering", verdict="accepted"),
    "verdict.rejected": _rejected,
    "answer.sent": _answered,
    "person.confirmed": _confirmed,
    "person.sent-again": lambda it, event: it.move_zustellung(event, "due", proof=None),
    "person.judged-anew": _judged_anew,
    "person.resumed": _resumed,
    "person.rejected": _rejected,
    "sender.cancelled": lambda it, event: it.move("discarded", code=event.fields["code"]),
    "person.discarded": lambda it, _event: it.move("discarded", code="person.discarded"),
    "person.redelivered": _redelivered,
    "payload.erased": _erased,
    "hold.set": _held,
    "hold.released": _held,
    "nachricht.reduced": _reduced,
}
