"""`approvals`: what waits for a second person, and their word on it."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from intermediary.cli.options import (
    approval_option,
    config_option,
    installation,
    json_option,
    reason_option,
    requested,
    say,
    say_json,
    say_wrapped,
    table,
)


@click.group("approvals")
def command() -> None:
    """List and decide what waits for a second person."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Also what is decided, carried out or over.")
@config_option
@json_option
def list_(everything: bool, config: Path, as_json: bool) -> None:
    """List the requests that something can still come of, newest first."""
    from intermediary.operations.approvals import approvals_of

    with installation(config) as opened:
        found = [_row(one, opened.now()) for one in approvals_of(opened, now=opened.now).find(everything=everything)]
    if as_json:
        for row in found:
            say_json(row)
    elif found:
        cells = [(r["id"], r["verb"], str(r["count"]), _STATES[r["state"]], r["requestedBy"], _until(r)) for r in found]
        table(cells, ("Nummer", "Was", "Anzahl", "Stand", "Verlangt von", "Gültig bis"), gives=("Verlangt von",))
    else:
        say("keine Freigabe offen")


@command.command("show")
@click.argument("number", metavar="ID")
@config_option
@json_option
def show(number: str, config: Path, as_json: bool) -> None:
    """Show one request: what exactly was asked for, what it would do, who said what."""
    from intermediary.operations.approvals import approvals_of

    with installation(config) as opened:
        found = _row(approvals_of(opened, now=opened.now).get(number), opened.now())
    if as_json:
        say_json(found)
        return
    say(f"Freigabe {found['id']}: {found['verb']}, {_STATES[found['state']]}")
    say()
    say_wrapped(_about(found), indent=2)


@command.command("approve")
@click.argument("number", metavar="ID")
@reason_option
@config_option
def approve(number: str, reason: str, config: Path) -> None:
    """Approve a request of somebody else; then the same command with `--approval ID` carries it out, once."""
    _decide(number, reason, config, approves=True)


@command.command("refuse")
@click.argument("number", metavar="ID")
@reason_option
@config_option
def refuse(number: str, reason: str, config: Path) -> None:
    """Refuse a request, or withdraw one's own; nothing comes of it any more."""
    _decide(number, reason, config, approves=False)


@command.command("required")
@config_option
@json_option
def required(config: Path, as_json: bool) -> None:
    """Show what needs a second person, and what of it only because it was demanded before."""
    from intermediary.operations.approvals import approvals_of
    from intermediary.settings.approvals import VERBS

    with installation(config) as opened:
        approvals = approvals_of(opened, now=opened.now)
        verbs = [verb for verb in VERBS if approvals.needs(verb)]
        surplus = approvals.surplus()
    if as_json:
        say_json({"required": verbs, "remembered": surplus.told()})
        return
    say_wrapped([f"Eine zweite Person brauchen: {', '.join(verbs)}" if verbs else "Nichts braucht eine zweite Person."],
                indent=0)  # fmt: skip
    if surplus:
        named = [*sorted(surplus.required), *(" = ".join(group) for group in sorted(surplus.same_person))]
        say_wrapped([f"Nicht mehr in der Konfiguration, gilt aber weiter: {', '.join(named)}",
                     "Lockern: intermediary approvals loosen --reason … (braucht selbst eine zweite Person)"],
                    indent=0)  # fmt: skip


@command.command("loosen")
@approval_option
@reason_option
@config_option
def loosen(approval: str, reason: str, config: Path) -> None:
    """Demand no more than the configuration does now; needs a second person itself."""
    from intermediary.operations.approvals import approvals_of
    from intermediary.operations.loosening import loosen as forget

    request = requested(reason, approval)
    with installation(config) as opened:
        gone = forget(approvals_of(opened, now=opened.now), request)
    if not gone:
        say("Es ist nichts zu lockern: die Konfiguration verlangt alles, was gilt.")
        return
    named = [*sorted(gone.required), *(" = ".join(group) for group in sorted(gone.same_person))]
    say_wrapped([f"Gelockert: {', '.join(named)}"], indent=0)


def _decide(number: str, reason: str, config: Path, *, approves: bool) -> None:
    from intermediary.operations.approvals import approvals_of

    request = requested(reason)
    with installation(config) as opened:
        done = approvals_of(opened, now=opened.now).decide(number, request, approves=approves)
    if approves:
        say(f"Freigegeben: {done.verb} (verlangt von {done.actor}).")
        say(f"Ausführen, einmal und bis {_local(done.expires_at)}: derselbe Befehl mit --approval {done.id}")
    else:
        say(f"Abgelehnt: {done.verb} (verlangt von {done.actor}).")
    sys.exit(0)


def _row(found: Any, now: datetime) -> dict[str, Any]:
    return {
        "id": found.id,
        "verb": found.verb,
        "state": "expired" if found.is_expired(now) else found.state.value,
        "count": found.effect.get("count", 0),
        "asked": found.asked,
        "askedSha256": found.asked_sha256,
        "effects": found.effect.get("lines", []),
        "moreEffects": found.effect.get("more", 0),
        "reason": found.reason,
        "requestedBy": found.actor,
        "createdAt": found.created_at.isoformat(timespec="seconds"),
        "expiresAt": found.expires_at.isoformat(timespec="seconds"),
        "decidedBy": found.second_actor,
        "decidedReason": found.second_reason,
        "usedBy": found.used_by,
    }


def _about(row: dict[str, Any]) -> list[str]:
    lines = [
        f"Verlangt von {row['requestedBy']} am {_local(datetime.fromisoformat(row['createdAt']))}: {row['reason']}",
        f"Gültig bis {_until(row)}.",
        f"Genau verlangt: {row['asked']}",
        f"Betrifft {row['count']}:",
        *(f"  {line}" for line in row["effects"]),
        *([f"  … und {row['moreEffects']} weitere"] if row["moreEffects"] else []),
    ]
    if row["decidedBy"]:
        word = "Abgelehnt" if row["state"] == "refused" else "Freigegeben"
        lines.append(f"{word} von {row['decidedBy']}: {row['decidedReason']}")
    if row["usedBy"]:
        lines.append(f"Ausgeführt von {row['usedBy']}.")
    if row["state"] == "open":
        lines.append(f"Weiter mit: intermediary approvals approve|refuse {row['id']} --reason … (eine andere Person)")
    return lines


_STATES = {
    "open": "offen",
    "approved": "freigegeben",
    "refused": "abgelehnt",
    "used": "ausgeführt",
    "expired": "abgelaufen",
}


def _until(row: dict[str, Any]) -> str:
    return _local(datetime.fromisoformat(row["expiresAt"]))


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%d.%m.%Y %H:%M")
