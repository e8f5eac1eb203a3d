"""`retention`: what the terms erase, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from intermediary.cli.options import config_option, installation, json_option, say, say_json, say_wrapped, table


@click.group("retention")
def command() -> None:
    """Show what the terms of payloads end for, and obey them at once."""


@command.command("plan")
@config_option
@json_option
def plan(config: Path, as_json: bool) -> None:
    """Show how many payloads each rule ends for: now, within 7 and within 30 days. Changes nothing."""
    from intermediary.operations.retention import foresee

    with installation(config) as opened:
        found = list(foresee(opened.store, opened.settings, opened.now()))
        single = sum(1 for _ in opened.store.retention.holds.single())
    if as_json:
        for one in found:
            say_json(_row(one))
        return
    cells = [
        (
            one.group.mandant,
            one.group.route or "-",
            one.group.state.value,
            f"{one.rule.days} Tage{' *' if one.rule.is_default else ''}",
            *(f"{count:,}".replace(",", ".") for count in (one.due, one.week, one.month)),
            "gesperrt" if one.held else "Mensch entscheidet" if one.is_alarm else "",
        )
        for one in found
    ]
    if not cells:
        say("kein Inhalt, für den eine Frist läuft")
        return
    heads = ("Mandant", "Route", "Stand", "Frist", "fällig", "7 Tage", "30 Tage", "")
    table(cells, heads, gives=("Mandant", "Route"))
    notes = ["* Vorgabe: keine Regel in [[retention]] gilt."] * any(one.rule.is_default for one in found)
    notes += [f"{single} einzeln gesperrte Nachrichten sind nicht mitgezählt (hold list)."] * bool(single)
    if notes:
        say()
        say_wrapped(notes, indent=0)


def _row(one: Any) -> dict[str, Any]:
    return {
        "mandant": one.group.mandant,
        "route": one.group.route,
        "state": one.group.state.value,
        "days": one.rule.days,
        "rule": str(one.rule),
        "due": one.due,
        "within7Days": one.week,
        "within30Days": one.month,
        "held": one.held,
        "erases": not one.is_alarm,
    }


@command.command("run")
@config_option
@json_option
def run(config: Path, as_json: bool) -> None:
    """Erase at once what is due, as a running daemon does by itself."""
    from intermediary.operations.retention import run as run_

    erased: dict[tuple[str, str, str, str], int] = {}
    rest: dict[str, int] = {}
    with installation(config) as opened:
        for step in run_(opened):
            if step.group is None or step.rule is None:
                rest[step.what] = rest.get(step.what, 0) + step.count
            else:
                group = step.group
                key = (step.what, group.mandant, group.route, f"{group.state.value}, {step.rule.days} Tage")
                erased[key] = erased.get(key, 0) + step.count
    if as_json:
        for (what, mandant, route, rule), count in erased.items():
            say_json({"what": what, "mandant": mandant, "route": route, "rule": rule, "count": count})
        for what, count in rest.items():
            say_json({"what": what, "count": count})
        return
    for (what, mandant, route, rule), count in erased.items():
        say_wrapped([f"{mandant}/{route or '-'} ({rule}): {count} {_WORDS[what]}"], indent=0)
    if rest.get("message-ids"):
        say(f"{rest['message-ids']} Prüfwerte von Nachrichten-IDs gelöscht.")
    if not any(count for (what, *_), count in erased.items() if what == "payloads"):
        say("Kein Inhalt war zu löschen.")
    elif not rest.get("tidied"):
        say_wrapped([_BUSY], indent=0)


_WORDS = {
    "payloads": "gelöscht",
    "overdue": "überfällig, warten auf eine Entscheidung (intermediary decide)",
}
_BUSY = (
    "Die Datenbank wird gerade gelesen: in ihrer Journaldatei (store.db-wal) stehen die gelöschten Schlüssel verschlüsselt "
    "noch, bis der Dienst sie das nächste Mal leert."
)
