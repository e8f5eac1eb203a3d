"""Lays the explanation of one Nachricht out for a person who has to act: why, what to type, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from intermediary.cli.options import wrapped
from intermediary.daemon.telling import local, messages
from intermediary.operations.explained import Explained
from intermediary.store.incidents import IncidentRecord


def explanation(found: Explained, now: datetime) -> Iterator[str]:
    """The lines, none longer than a terminal is wide unless it holds a command to copy."""
    nachricht = found.nachricht
    yield f"Nachricht {nachricht.id}"
    yield ""
    yield f"{found.explanation.headline} ({nachricht.state.value})"
    yield from _indented(found.explanation.lines)
    yield from wrapped(_origin(found, now), indent=2)
    yield from _section("Jetzt", (line for command, when in found.actions for line in (f"{when}:", f"  {command}")))
    yield from _section("Störung", (_incident(one) for one in found.incidents))
    before = [f"({found.earlier} Ereignisse davor: show)"] if found.earlier else []
    yield from _section("Verlauf", [*before, *found.history], hanging=21)
    yield from _section("Anleitung", [found.runbook] if found.runbook else [])


def _origin(found: Explained, now: datetime) -> str:
    nachricht = found.nachricht
    route = f", Route {nachricht.route}" if nachricht.route else ""
    age = span(now - nachricht.received_at)
    text = f"Mandant {nachricht.mandant}, Kanal {nachricht.channel}{route}; eingegangen {local(nachricht.received_at)}"
    text += f" (vor {age})."
    if found.deadline is not None and found.deadline > now:
        text += f" Frist: {local(found.deadline)} (in {span(found.deadline - now)}), danach wird sie angehalten."
    return text


def _incident(one: IncidentRecord) -> str:
    concerned = f", {messages(one.count)}" if one.most else ""
    taken_on = f"; es kümmert sich {one.acknowledged_by}" if one.acknowledged_at else ""
    return f"{one.id[:8]} seit {local(one.opened_at)}{concerned}{taken_on}: intermediary incidents show {one.id[:8]}"


def span(length: timedelta) -> str:
    """A length of time as people say it: its largest unit."""
    seconds = max(0, int(length.total_seconds()))
    for size, one, many in ((86_400, "Tag", "Tagen"), (3_600, "Stunde", "Stunden"), (60, "Minute", "Minuten")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {one if count == 1 else many}"
    return f"{seconds} Sekunden"


def _section(title: str, lines: Iterable[str], *, hanging: int = 0) -> Iterator[str]:
    found = list(lines)
    if found:
        yield ""
        yield title
        yield from _indented(found, hanging=hanging)


def _indented(lines: Iterable[str], *, hanging: int = 0) -> Iterator[str]:
    for line in lines:
        own = len(line) - len(line.lstrip())
        if line.lstrip().startswith("intermediary "):
            yield f"{' ' * (2 + own)}{line.strip()}"
            continue
        first, *rest = wrapped(line.strip(), indent=2 + own) or [""]
        yield first
        if rest:
            yield from wrapped(" ".join(piece.strip() for piece in rest), indent=2 + own + hanging)
