"""An incident as people and machines are told of it: names of the configuration, German sentences, no content."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from intermediary.core.codes import CATALOGUE, HEALERS
from intermediary.core.runbooks import runbook
from intermediary.daemon.places import AILMENTS, RESTING
from intermediary.store.incidents import IncidentRecord

_PLACES = {
    "channel": "Kanal",
    "chore": "Dienst, Aufgabe",
    "configuration": "Konfiguration, nicht übernommen (die vorige gilt weiter, bis ein Prozess neu startet), Rechner",
    "host": "Rechner",
    "mandant": "Mandant",
    "process": "Prozess",
    "route": "Route",
    "target": "Ziel",
    "way": "Meldeweg",
    "job": "Auftrag",
    "audit": "Protokoll",
}
_PURPOSES = {
    "reader": "Leserschlüssel von",
    "signature": "Signaturschlüssel von",
    "partner-cipher": "Verschlüsselung des Partners",
    "partner-signature": "Signatur des Partners",
    "partner-client": "TLS-Client-Zertifikat des Partners",
    "tls": "TLS des Kanals",
}

_NEAR_IN = {"target": ("planned",), "route": ("planned", "answering"), "channel": ("received",)}
"""In which states a Nachricht comes near to its deadline at a place; it bears no code of that."""


def place(text: str) -> str:
    """A place as an operator says it: `target stadt/bau/eakte` is the Ziel stadt/bau/eakte."""
    kind, _, name = text.partition(" ")
    if kind == "certificate":
        purpose, owner, *days = name.split(" ")
        return " ".join((_PURPOSES[purpose], owner, *(f"(weniger als {one} Tage)" for one in days)))
    return f"{_PLACES.get(kind, kind)} {name}".strip()


def headline(one: IncidentRecord) -> str:
    """One line: what, and where."""
    code = CATALOGUE.get(one.code)
    return f"{code.meaning if code else one.code} {place(one.place)}"


def as_json(one: IncidentRecord) -> dict[str, Any]:
    """The incident for `--json` and the webhook; moments in ISO 8601, UTC."""
    code = CATALOGUE.get(one.code)
    return {
        "id": one.id,
        "state": "ended" if one.ended_at else "open",
        "code": one.code,
        "place": one.place,
        "healer": code.healer.value if code else "developer",
        "cause": code.meaning if code else "",
        "remedy": code.remedy if code else "",
        "runbook": runbook(one.code),
        "mandanten": list(one.mandanten),
        "count": one.count,
        "most": one.most,
        "firstSeen": _iso(one.first_seen),
        "lastSeen": _iso(one.last_seen),
        "openedAt": _iso(one.opened_at),
        "endedAt": _iso(one.ended_at),
        "acknowledgedAt": _iso(one.acknowledged_at),
        "acknowledgedBy": one.acknowledged_by,
        "acknowledgedReason": one.acknowledged_reason,
    }


def lines(one: IncidentRecord) -> Iterator[str]:
    """The incident for people: what, who heals it, whom it concerns, what to do now."""
    code = CATALOGUE.get(one.code)
    yield f"Code:       {one.code}"
    yield f"Ort:        {place(one.place)}"
    yield f"Ursache:    {code.meaning if code else 'unbekannt'}"
    yield f"Es hilft:   {HEALERS[code.healer] if code else 'die Entwickler'}"
    yield f"Zu tun:     {code.remedy if code else ''}"
    if one.most:
        yield f"Betroffen:  {messages(one.count)}, höchstens {one.most}"
    if one.mandanten:
        yield f"Mandanten:  {', '.join(one.mandanten)}"
    yield f"Beginn:     {local(one.first_seen)}"
    yield f"Ende:       {local(one.ended_at)}" if one.ended_at else f"Zuletzt:    {local(one.last_seen)}"
    if one.acknowledged_at is not None:
        yield f"Kümmert:    {one.acknowledged_by} seit {local(one.acknowledged_at)}: {one.acknowledged_reason}"
    yield from _commands(one)
    yield f"Anleitung:  {runbook(one.code)}"


def _commands(one: IncidentRecord) -> Iterator[str]:
    """What lists whom it concerns; what waits until a target works again bears the code of that."""
    kind, _, name = one.place.partition(" ")
    match kind, name.split("/"):
        case "target", [mandant, _, _] if one.code.startswith("target."):
            route = ""
        case ("target", [mandant, route, _]) | ("route", [mandant, route]):
            pass
        case _:
            mandant, route = one.mandanten[0] if len(one.mandanten) == 1 else "", ""
    where = "".join(f" {key}={value}" for key, value in (("mandant", mandant), ("route", route)) if value)
    if one.code == "delivery.deadline.near":
        for state in _NEAR_IN.get(kind, ()):
            yield f"Betroffene: intermediary list{where} state={state} (die ältesten stehen zuletzt)"
    elif one.most:
        yield f"Betroffene: intermediary list{where} code={one.code}"
    if one.most and kind == "target" and one.code in AILMENTS:
        if one.code != RESTING:
            yield f"Wartende:   intermediary list{where} code={RESTING}"
        yield f"Ziel:       intermediary targets list {name}"


def messages(count: int) -> str:
    """How many Nachrichten, in German."""
    return f"{count} Nachricht{'' if count == 1 else 'en'}"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")


def local(moment: datetime) -> str:
    """A moment as people here write it, in local time."""
    return moment.astimezone().strftime("%d.%m.%Y %H:%M:%S")
