"""`replay` and `decide`: verbs by which a person moves messages on; all of them audited with a reason."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from intermediary.cli.jobs import rate_option
from intermediary.cli.options import (
    account,
    approval_option,
    config_option,
    installation,
    json_option,
    progress,
    reason_option,
    requested,
    say,
    say_json,
    say_wrapped,
)

if TYPE_CHECKING:
    from intermediary.settings.approvals import ApprovalVerb

_ABOUT_THE_WHOLE = ("resume", "reject", "discard", "pass")
_VERBS = ("confirm-delivered", "send-again", *_ABOUT_THE_WHOLE)


@click.command("replay")
@click.argument("selection", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Only show what would happen.")
@click.option("--with", "versions", type=click.Choice(["pinned", "current"]), default="pinned", show_default=True,
              help="current: judge anew with today's route, mapping and schemas (only what was never sent).")  # fmt: skip
@click.option("--redeliver", metavar="TARGET", default="", help="Send again to TARGET what has arrived there.")
@click.option("--repeat-anyway", is_flag=True,
              help="With --redeliver: also where the target has it and cannot tell a second one.")  # fmt: skip
@rate_option
@click.option(
    "--job", "as_job", is_flag=True, help="As a job of the daemons also if it is few; more than 100 always are."
)
@click.option("--error-percent", type=click.IntRange(0, 100), default=20, show_default=True,
              help="A job pauses when more of its latest messages fail or come back; 100: never.")  # fmt: skip
@click.option("--again", is_flag=True, help="A job equal to one of the last minutes is no double click.")
@approval_option
@reason_option
@config_option
@json_option
def replay(
    selection: tuple[str, ...],
    dry_run: bool,
    versions: str,
    redeliver: str,
    repeat_anyway: bool,
    rate: float | None,
    as_job: bool,
    error_percent: int,
    again: bool,
    approval: str,
    reason: str,
    config: Path,
    as_json: bool,
) -> None:
    """Move messages on from where the durable facts end. What has arrived is never sent again, unless --redeliver.

    More than 100 messages become a job, which the daemons carry out at the rate (20 per second unless --rate says
    otherwise): see `jobs`.
    """
    from intermediary.cli.jobs import bulk_of, foretell, order
    from intermediary.operations.act import Replay
    from intermediary.operations.approvals import approvals_of
    from intermediary.operations.jobs import RATE, How
    from intermediary.operations.look import note_selection
    from intermediary.operations.rejudge import rejudge
    from intermediary.operations.repeats import twice_hurts
    from intermediary.operations.selection import Selection
    from intermediary.wiring import Configuration

    if redeliver and versions == "current":
        raise click.UsageError("--redeliver sends what was judged; --with current judges what was never sent")
    chosen = Selection.parse(selection)
    with_current = versions == "current"
    with installation(config) as opened:
        note_selection(opened.store, chosen, actor=account(), reason=reason, now=opened.now())
        bulk = bulk_of(opened, redeliver=redeliver)
        if as_job or bulk.is_large(chosen):
            how = How(redeliver, with_current, repeat_anyway, rate or RATE, error_percent, again)
            if dry_run:
                foretell(bulk, chosen, how, as_json=as_json)
            else:
                order(bulk, chosen, how, requested(reason, approval), as_json=as_json)
            return
        hurts = twice_hurts(opened.settings) if redeliver else None
        job = Replay(opened.store, now=opened.now, approvals=approvals_of(opened, now=opened.now), twice_hurts=hurts)
        bank = Configuration(opened.settings).bank() if dry_run else None
        if dry_run:
            found_now = job.effects(chosen, redeliver=redeliver, with_current=with_current, repeat_anyway=repeat_anyway)
            effects = iter(list(found_now))
        else:
            request = requested(reason, approval)
            effects = job.carry_out(
                chosen, request, redeliver=redeliver, with_current=with_current, repeat_anyway=repeat_anyway
            )
        pause = threading.Event()
        count = 0
        for effect in progress(effects, label="Fortsetzen"):
            count += effect.action != "nothing"
            today = ""
            if bank is not None:
                found = opened.store.get(effect.nachricht_id)
                today = rejudge(opened.store, bank, found, actor=account(), now=opened.now()).text()
            if as_json:
                say_json({"id": effect.nachricht_id, "state": effect.state.value, "action": effect.action,
                          "target": effect.target, "why": effect.why, "today": today, "dryRun": dry_run})  # fmt: skip
            else:
                target = f"/{effect.target}" if effect.target else ""
                say(f"{effect.nachricht_id}{target}  {effect.state.value}")
                say_wrapped([f"{effect.action}: {effect.why}", *([today] if today else [])], indent=4)
            if rate and not dry_run:
                pause.wait(1 / rate)
    if not as_json:
        say(_summary(count, dry_run=dry_run))


def _summary(count: int, *, dry_run: bool) -> str:
    if dry_run:
        return f"Probelauf: {count} {'Nachricht würde' if count == 1 else 'Nachrichten würden'} weiterlaufen."
    return f"{count} {'Nachricht läuft' if count == 1 else 'Nachrichten laufen'} weiter."


@click.command("decide")
@click.argument("nachricht", metavar="ID[/TARGET]|SELECTION")
@click.argument("verb", metavar="VERB", type=click.Choice(_VERBS))
@click.option("--proof", default="", help="confirm-delivered: what shows that it has arrived (no content).")
@approval_option
@reason_option
@config_option
@json_option
def decide(
    nachricht: str, verb: ApprovalVerb, proof: str, approval: str, reason: str, config: Path, as_json: bool
) -> None:
    """End what waits for a person. Instead of an id, conditions as in `list` (in quotes) name several.

    VERB is one of: confirm-delivered (it has arrived at the target, with --proof), send-again (it has not arrived),
    resume (leave the parking place), reject (the sender gets a negative Quittung), discard (final, in silence;
    of what is over: its refused redelivery is let be), pass (later messages of its Vorgang need not wait for it).
    """
    from intermediary.operations.act import Decide
    from intermediary.operations.approvals import approvals_of
    from intermediary.operations.look import note_selection, row
    from intermediary.operations.selection import Selection

    is_selection = "=" in nachricht
    prefix, _, target = ("", "", "") if is_selection else nachricht.partition("/")
    if target and verb in _ABOUT_THE_WHOLE:
        raise click.UsageError(f"{verb} is about the whole message: write the id without /{target}")
    with installation(config) as opened:
        request = requested(reason, approval)
        verbs = Decide(opened.store, now=opened.now, approvals=approvals_of(opened, now=opened.now))
        if not is_selection:
            after = verbs.carry_out(verb, opened.store.resolve(prefix), target, proof, request)
            _say_decided(verb, after.id, after.state.value, as_json=row(after) if as_json else None)
            return
        refused, chosen = 0, Selection.parse(nachricht.split())
        note_selection(opened.store, chosen, actor=request.actor, reason=reason, now=opened.now())
        for found, refusal in verbs.carry_out_all(verb, chosen, request):
            if refusal is not None:
                refused += 1
                say(f"Nachricht {found.id} bleibt {found.state.value}: {refusal}")
            else:
                _say_decided(verb, found.id, found.state.value, as_json=row(found) if as_json else None)
    sys.exit(1 if refused else 0)


def _say_decided(verb: str, nachricht_id: str, state: str, *, as_json: dict[str, Any] | None) -> None:
    if as_json is not None:
        say_json(as_json)
    elif verb == "pass":
        say(f"Nachricht {nachricht_id} hält spätere Nachrichten ihres Vorgangs nicht mehr auf.")
    elif verb == "discard" and state != "discarded":
        say(f"Nachricht {nachricht_id} bleibt {state}; ihre abgelehnte erneute Zustellung ist abgetan.")
    else:
        say(f"Nachricht {nachricht_id} ist jetzt {state}.")
