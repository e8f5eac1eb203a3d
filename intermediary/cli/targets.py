"""`targets`: how each target does, and the word that stops it or lets it go on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from intermediary.cli.options import (
    config_option,
    installation,
    json_option,
    reason_option,
    requested,
    say,
    say_json,
    say_wrapped,
)

if TYPE_CHECKING:
    from intermediary.operations.targets import TargetLine

_STATES = {"works": "läuft", "rests": "ruht", "probing": "wird erprobt", "paused": "angehalten"}


@click.group("targets")
def command() -> None:
    """Show, stop and release targets. A target is written MANDANT/ROUTE/TARGET."""


@command.command("list")
@click.argument("scope", required=False, default="")
@config_option
@json_option
def list_(scope: str, config: Path, as_json: bool) -> None:
    """Show how each target does, since when, its failures in a row, its next probe, and how much waits for it."""
    from intermediary.operations.targets import known_targets, target_lines

    with installation(config) as opened:
        refs = [ref for ref in known_targets(opened.settings) if not scope or ref.is_in(scope)]
        lines = list(target_lines(refs, opened.store.targets.standing(), opened.now()))
    shown = [line for line in lines if line.is_known or not scope]
    for line in shown:
        if as_json:
            say_json(line.as_json())
        else:
            say(f"{line.id}  {_STATES[line.state]}")
            say_wrapped(_told(line), indent=4)
    if not shown and not as_json:
        say("kein Ziel")


@command.command("pause")
@click.argument("scope", metavar="MANDANT[/ROUTE[/TARGET]]")
@click.option("--until", metavar="TIME", default="", help="End by itself, for example 2026-11-21T18:00.")
@reason_option
@config_option
@json_option
def pause(scope: str, until: str, reason: str, config: Path, as_json: bool) -> None:
    """Send nothing there any more: to a target, to all of a route, or to all of a Mandant. What is under way ends."""
    from intermediary.operations.selection import moment_of
    from intermediary.operations.targets import TargetCare, known_targets

    end = moment_of(until) if until else None
    with installation(config) as opened:
        care = TargetCare(opened.store, known_targets(opened.settings), now=opened.now)
        concerned = care.pause(scope, requested(reason), end)
    if as_json:
        say_json({"paused": scope, "until": end.isoformat() if end else None, "targets": [ref.id for ref in concerned]})
        return
    say(f"{scope} ist angehalten{f' bis {_local(end)}' if end else ''}. Betroffen:")
    say_wrapped((_all_names(ref.names) for ref in concerned), indent=4)
    say_wrapped(
        ["Es wird weiter angenommen und geprüft; was wartet, hat weiter seine Frist.",
         f"Weiter geht es mit: intermediary targets resume {scope} --reason …"], indent=0
    )  # fmt: skip


@command.command("resume")
@click.argument("scope", metavar="MANDANT[/ROUTE[/TARGET]]")
@reason_option
@config_option
@json_option
def resume(scope: str, reason: str, config: Path, as_json: bool) -> None:
    """Send there again. What has waited goes out bit by bit, the oldest first."""
    from intermediary.operations.targets import TargetCare, known_targets

    with installation(config) as opened:
        care = TargetCare(opened.store, known_targets(opened.settings), now=opened.now)
        still = care.resume(scope, requested(reason))
    if as_json:
        say_json({"resumed": scope, "stillPaused": [ref.id for ref in still]})
        return
    say(f"{scope} ist wieder freigegeben; was gewartet hat, geht nach und nach hinaus.")
    if still:
        say("Weiter angehalten durch eine andere Pause:")
        say_wrapped((_all_names(ref.names) for ref in still), indent=4)


@command.command("probe")
@click.argument("target", metavar="MANDANT/ROUTE/TARGET")
@reason_option
@config_option
@json_option
def probe(target: str, reason: str, config: Path, as_json: bool) -> None:
    """Try a resting target now: the next attempt goes through at once, whatever is left of its rest."""
    from intermediary.operations.targets import TargetCare, known_targets

    with installation(config) as opened:
        care = TargetCare(opened.store, known_targets(opened.settings), now=opened.now)
        found = care.probe(target, requested(reason))
    if as_json:
        say_json({"probed": found.id})
        return
    say_wrapped([f"{found.id} wird mit der nächsten Zustellung erprobt; gelingt sie, folgt nach und nach der Rest.",
                 "Wie es ausging: intermediary targets list"], indent=0)  # fmt: skip


def _told(line: TargetLine) -> Iterator[str]:
    if len(line.names) > 1:
        yield f"dasselbe Ziel: {', '.join(name for name in line.names if name != line.id)}"
    if not line.is_known:
        yield "steht in keiner Route mehr; was dafür wartet, wird neu zugeordnet"
    yield from _pause(line.pause, line.since)
    failures = f"{line.failures} {'Fehler' if line.failures == 1 else 'Fehler in Folge'}"
    last = f", zuletzt {line.code}" if line.code and (line.failures or line.state != "works") else ""
    if line.state in ("rests", "probing"):
        yield f"seit {_local(line.since)}, {failures}{last}"
    elif line.failures:
        yield f"{failures}{last}"
    if line.next_try is not None:
        yield f"nächste Probe: {_local(line.next_try)}"
    if line.waiting:
        yield f"{line.waiting} {'Zustellung wartet' if line.waiting == 1 else 'Zustellungen warten'}"
    limits = [
        *([f"höchstens {line.max_per_minute} in der Minute"] if line.max_per_minute else []),
        *([f"höchstens {line.max_parallel} gleichzeitig"] if line.max_parallel else []),
    ]
    if limits:
        yield ", ".join(limits)


def _pause(found: dict[str, Any] | None, since: datetime | None) -> Iterator[str]:
    if found is not None:
        until = f", bis {_local(datetime.fromisoformat(found['until']))}" if found["until"] else ""
        yield f"seit {_local(since)} durch {found['by']}{until} ({found['scope']}): {found['reason']}"


def _all_names(names: frozenset[str]) -> str:
    return " = ".join(sorted(names))


def _local(moment: datetime | None) -> str:
    return moment.astimezone().strftime("%d.%m.%Y %H:%M:%S") if moment is not None else ""
