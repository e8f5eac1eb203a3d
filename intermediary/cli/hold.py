"""`hold`: keep messages from being erased, for a lawsuit or an enquiry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from intermediary.cli.options import (
    account,
    approval_option,
    config_option,
    installation,
    json_option,
    reason_option,
    requested,
    say,
    say_json,
    say_wrapped,
    searching_option,
)

if TYPE_CHECKING:
    from intermediary.operations.retention import Held

_standing_option = click.option(
    "--standing", is_flag=True, help="SELECTION is mandant=… [route=…]: everything of it, also what comes later."
)


@click.group("hold")
def command() -> None:
    """Keep messages from being erased."""


@command.command("set")
@click.argument("selection", nargs=-1, required=True)
@_standing_option
@reason_option
@config_option
@json_option
def set_(selection: tuple[str, ...], standing: bool, reason: str, config: Path, as_json: bool) -> None:
    """Hold messages. SELECTION: ids or conditions as in `list`; those found now, unless --standing.

    Exit code 1 when one was too late, or has another hold already: a message has one hold of its own.
    """
    _change(selection, reason, "", config, as_json=as_json, verb="hold_all" if standing else "hold")


@command.command("release")
@click.argument("selection", nargs=-1, required=True)
@_standing_option
@approval_option
@reason_option
@config_option
@json_option
def release(
    selection: tuple[str, ...], standing: bool, approval: str, reason: str, config: Path, as_json: bool
) -> None:
    """Release messages: from now on their terms hold again. A hold set with --standing ends with --standing."""
    _change(selection, reason, approval, config, as_json=as_json, verb="release_all" if standing else "release")


@command.command("list")
@click.argument("selection", nargs=-1)
@searching_option
@config_option
@json_option
def list_(selection: tuple[str, ...], reason: str, config: Path, as_json: bool) -> None:
    """List what is held: whole Mandanten and routes first, then single messages (of SELECTION)."""
    from intermediary.cli.sheet import moment
    from intermediary.operations.look import note_selection
    from intermediary.operations.retention import held
    from intermediary.operations.selection import Selection

    chosen = Selection.parse(selection)
    with installation(config) as opened:
        note_selection(opened.store, chosen, actor=account(), reason=reason, now=opened.now())
        standing, single = held(opened.store, chosen)
    if as_json:
        for one in standing:
            say_json({"mandant": one.mandant, "route": one.route, "standing": True, "since": one.since.isoformat(),
                      "actor": one.actor, "reason": one.reason})  # fmt: skip
        for kept in single:
            found = kept.nachricht
            say_json({"id": found.id, "mandant": found.mandant, "route": found.route, "standing": False,
                      "since": kept.since.isoformat(), "actor": kept.actor, "reason": kept.reason})  # fmt: skip
        return
    for one in standing:
        route = f", Route {one.route}" if one.route else ""
        say_wrapped([f"Alles von {one.mandant}{route}, auch Künftiges:"], indent=0)
        say_wrapped([f"seit {moment(one.since.isoformat())} durch {one.actor}: {one.reason}"], indent=2)
    if standing and single:
        say()
    for kept in single:
        found = kept.nachricht
        say(f"Nachricht {found.id} ({found.mandant}):")
        say_wrapped([f"seit {moment(kept.since.isoformat())} durch {kept.actor}: {kept.reason}"], indent=2)
    if not standing and not single:
        say("nichts ist gesperrt")


def _change(selection: tuple[str, ...], reason: str, approval: str, config: Path, *, as_json: bool, verb: str) -> None:
    from intermediary.operations.approvals import approvals_of
    from intermediary.operations.look import note_selection
    from intermediary.operations.retention import Held, Keep
    from intermediary.operations.selection import Selection

    chosen = Selection.parse(selection)
    request = requested(reason, approval)
    with installation(config) as opened:
        note_selection(opened.store, chosen, actor=request.actor, reason=request.reason, now=opened.now())
        keep = Keep(opened, approvals=approvals_of(opened, now=opened.now))
        done = getattr(keep, verb)(chosen, request)
        results = [done] if isinstance(done, Held) else list(done)
    for one in results:
        if as_json:
            row = {"subject": one.subject, "outcome": one.outcome, "standing": one.standing}
            if there := one.there:
                row |= {"since": there.since.isoformat(), "actor": there.actor, "reason": there.reason}
            say_json(row)
        else:
            say_wrapped(_lines(one), indent=0)
    if not results and not as_json:
        say("keine Nachricht")
    sys.exit(1 if any(one.outcome in ("erased", "other") for one in results) else 0)


def _lines(one: Held) -> list[str]:
    from intermediary.cli.sheet import moment

    said = f"{'Alles von' if one.standing else 'Nachricht'} {one.subject}: {_WORDS[one.outcome]}"
    if one.there is None:
        return [said]
    since = moment(one.there.since.isoformat())
    way = "jede Nachricht einzeln sperren" if one.standing else "mit --standing den Mandanten oder die Route sperren"
    return [
        said,
        f"Es gilt die Sperre seit {since} durch {one.there.actor}: {one.there.reason}",
        f"Was zu tun ist: {way}; das gilt für sich und bleibt, wenn die andere Sperre aufgehoben wird.",
    ]


_WORDS = {
    "held": "vor dem Löschen gesperrt",
    "released": "Sperre aufgehoben, die Fristen gelten wieder",
    "unchanged": "unverändert",
    "erased": "ZU SPÄT, der Inhalt ist schon gelöscht",
    "other": "NICHT GEÄNDERT, es ist eine andere Sperre da",
}
