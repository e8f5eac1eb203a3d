"""`incidents`: what is wrong at present, told once however many messages it concerns."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from intermediary.cli.complain import FINDINGS
from intermediary.cli.options import (
    account,
    config_option,
    installation,
    json_option,
    reason_option,
    say,
    say_json,
    say_wrapped,
    table,
)


@click.group("incidents")
def command() -> None:
    """List, show and take on incidents."""


@command.command("list")
@click.option("--all", "with_ended", is_flag=True, help="Also those that are over.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="At most so many, newest first.")
@config_option
@json_option
def list_(with_ended: bool, limit: int, config: Path, as_json: bool) -> None:
    """List open incidents, newest first. Exit code 1 when one is open."""
    from intermediary.daemon.telling import as_json as as_json_
    from intermediary.daemon.telling import local, place
    from intermediary.operations.incidents import listed

    with installation(config) as opened:
        found = listed(opened.store, with_ended=with_ended, limit=limit)
    if as_json:
        for one in found:
            say_json(as_json_(one))
    elif found:
        rows = [
            (
                one.id[:8],
                local(one.opened_at)[:-3],
                "vorbei" if one.ended_at else "übernommen" if one.acknowledged_at else "offen",
                one.code,
                place(one.place),
                str(one.count) if one.most else "-",
            )
            for one in found
        ]
        heads = ("Id", "Beginn", "Stand", "Code", "Ort", "Anzahl")
        table(rows, heads, gives=("Ort",) if sys.stdout.isatty() else ())
    else:
        say("keine Störung")
    sys.exit(FINDINGS if any(one.ended_at is None for one in found) else 0)


@command.command("show")
@click.argument("incident")
@config_option
@json_option
def show(incident: str, config: Path, as_json: bool) -> None:
    """Show one incident: cause, who heals it, what to do, whom it concerns, who was told."""
    from intermediary.daemon.telling import lines, local
    from intermediary.operations.incidents import shown

    with installation(config) as opened:
        found = shown(opened.store, incident)
    if as_json:
        say_json(found.as_json())
        return
    say(f"Störung {found.incident.id}")
    say()
    say_wrapped(lines(found.incident), indent=2)
    say()
    say("Meldungen")
    for one in found.alerts:
        phase = "Beginn" if one.phase == "opened" else "Ende"
        what = f"gemeldet {local(one.sent_at)}" if one.sent_at else f"noch nicht angekommen ({one.attempts} Versuche)"
        say(f"  {phase:7} {one.way:8} {what}")


@command.command("ack")
@click.argument("incident")
@reason_option
@config_option
def ack(incident: str, reason: str, config: Path) -> None:
    """Take an incident on, so that others know: your name and reason are shown and stand in the audit trail."""
    from intermediary.operations.incidents import acknowledge
    from intermediary.operations.person import Request

    request = Request(actor=account(), reason=reason)
    with installation(config) as opened:
        found = acknowledge(opened, incident, request)
    say(f"{found.id}  übernommen von {found.acknowledged_by}")


@command.command("test")
@config_option
@json_option
def test(config: Path, as_json: bool) -> None:
    """Send a probe by webhook and mail. Exit code 1 when one does not arrive."""
    from intermediary.cli.quiet import quiet_logs
    from intermediary.operations.incidents import probe_ways
    from intermediary.settings.load import load

    quiet_logs()
    told = list(probe_ways(load(config)))
    for one in told:
        if as_json:
            say_json({"way": one.way, "arrived": not one.failure, "failure": one.failure})
        else:
            say(f"{one.way:8} {'kommt an' if not one.failure else f'kommt nicht an: {one.failure}'}")
    if not told and not as_json:
        say("kein Weg eingestellt: nur das Protokoll des Dienstes meldet ([alerts] in der Konfiguration)")
    sys.exit(FINDINGS if any(one.failure for one in told) else 0)
