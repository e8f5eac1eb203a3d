"""`list`, `show`, `explain`, `search`, `state`: reading verbs."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from intermediary.cli.options import (
    account,
    config_option,
    installation,
    json_option,
    say,
    say_json,
    searching_option,
    table,
)

_SHORT = 13
"""As much of an id as a table shows: enough to be the only one among a hundred million."""


@click.command("list")
@click.argument("selection", nargs=-1)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="At most so many, newest first.")
@searching_option
@config_option
@json_option
def list_(selection: tuple[str, ...], limit: int, reason: str, config: Path, as_json: bool) -> None:
    """List messages, newest first. SELECTION: ids or conditions such as state=parked code=route.missing mandant=…

    Whoever names a key= is written into the audit trail; which one is not.
    """
    from intermediary.operations.look import note_selection, row
    from intermediary.operations.selection import Selection

    chosen = Selection.parse(selection, limit=limit)
    with installation(config) as opened:
        note_selection(opened.store, chosen, actor=account(), reason=reason, now=opened.now())
        found = [row(n) for n in chosen.of(opened.store)]
    _print_rows(found, as_json=as_json)


@click.command("search")
@click.argument("text")
@searching_option
@config_option
@json_option
def search(text: str, reason: str, config: Path, as_json: bool) -> None:
    """Find messages by id (or its beginning), the sender's id, a LeikaId or business key, a state or a code.

    Whoever searches for anything but a state or a code is written into the audit trail; what for is not.
    """
    from intermediary.operations.look import find, is_word, note_search, row

    with installation(config) as opened:
        mandanten = tuple(m.name for m in opened.settings.mandant)
        found = [row(n) for n in find(opened.store, text, mandanten)]
        if not is_word(text):
            note_search(opened.store, len(found), actor=account(), reason=reason, now=opened.now())
        _print_rows(found, as_json=as_json)
    sys.exit(0 if found else 1)


@click.command("show")
@click.argument("nachricht")
@config_option
@json_option
def show(nachricht: str, config: Path, as_json: bool) -> None:
    """Show one message: facts, versions, deliveries with proof, audit chain; no content."""
    from intermediary.cli.sheet import sheet
    from intermediary.operations.look import detail

    with installation(config) as opened:
        found = detail(opened.store, opened.store.resolve(nachricht))
    if as_json:
        say_json(found)
    else:
        for line in sheet(found):
            say(line)


@click.command("explain")
@click.argument("nachricht")
@config_option
@json_option
def explain(nachricht: str, config: Path, as_json: bool) -> None:
    """Explain in German why a message stands where it stands, who heals it, and what to type now."""
    from intermediary.cli.explanation import explanation
    from intermediary.operations.explained import explained

    with installation(config) as opened:
        found = explained(opened.store, opened.settings, opened.store.resolve(nachricht), opened.now())
    if as_json:
        say_json(found.as_json())
        return
    for line in explanation(found, opened.now()):
        say(line)


@click.command("state")
@click.option("--all", "everything", is_flag=True, help="One line per message.")
@config_option
@json_option
def state(everything: bool, config: Path, as_json: bool) -> None:
    """Print the state of every message (--all --json, for checkers), or how many there are in each."""
    from intermediary.operations.look import state_line

    with installation(config) as opened:
        if everything:
            for line in opened.store.state_lines():
                found = state_line(opened.store, line, with_message_id=True)
                if as_json:
                    say_json(found)
                else:
                    targets = " ".join(f"{z['target']}={z['state']}" for z in found["zustellungen"])
                    say(f"{found['id']}  {found['state']:10} {found['code'] or '-':30} {targets}".rstrip())
            return
        counts = sorted(opened.store.counts().items())
    if as_json:
        for (name, code), count in counts:
            say_json({"state": name.value, "code": code, "count": count})
    else:
        table([(name.value, code or "-", str(count)) for (name, code), count in counts], ("Stand", "Code", "Anzahl"))


def _print_rows(rows: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for row in rows:
            say_json(row)
        return
    from intermediary.cli.sheet import moment

    cells = [
        (
            row["id"][:_SHORT],
            row["state"],
            row["code"] or "-",
            moment(row["receivedAt"])[:-3],
            row["route"] or "-",
            row["mandant"],
        )
        for row in rows
    ]
    if cells:
        table(cells, ("Id", "Stand", "Code", "Eingang", "Route", "Mandant"), gives=("Route", "Mandant"))
    else:
        say("keine Nachricht")
