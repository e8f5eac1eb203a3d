"""`jobs`: replays of many messages that the daemons carry out; `replay` orders them through here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from intermediary.operations.jobs import BulkReplay, How
    from intermediary.operations.person import Request
    from intermediary.operations.selection import Selection

_SHORT = 8

rate_option = click.option(
    "--rate", type=click.FloatRange(0.001, 1000), help="At most so many messages per second, over all daemons."
)


@click.group("jobs")
def command() -> None:
    """List and control replays of many messages; `replay` orders them."""


@command.command("list")
@config_option
@json_option
def list_(config: Path, as_json: bool) -> None:
    """List jobs, newest first."""
    from intermediary.cli.job_sheet import cells
    from intermediary.operations.jobs import row

    with installation(config) as opened:
        found = _bulk(opened).find()
    if as_json:
        for job in found:
            say_json(row(job))
    elif found:
        heads = ("Id", "Stand", "Erledigt", "von", "Anteil", "je s", "Was", "Angeordnet", "Von")
        table([cells(job) for job in found], heads, gives=("Was", "Von", "Stand"))
    else:
        say("kein Auftrag")


@command.command("show")
@click.argument("job", metavar="ID")
@config_option
@json_option
def show(job: str, config: Path, as_json: bool) -> None:
    """Show a job: how far it is, what was done, what was left and why, what came back."""
    from intermediary.cli.job_sheet import lines
    from intermediary.operations.jobs import report_row

    with installation(config) as opened:
        report, now = _bulk(opened).report(job), opened.now()
    if as_json:
        say_json(report_row(report))
        return
    for indent, line in lines(report, now):
        say_wrapped([line], indent=indent) if line else say()


@command.command("pause")
@click.argument("job", metavar="ID")
@reason_option
@config_option
@json_option
def pause(job: str, reason: str, config: Path, as_json: bool) -> None:
    """Pause a job: when this returns, nothing more is done until `resume`."""
    with installation(config) as opened:
        _say_moved(_bulk(opened).pause(job, requested(reason)), as_json=as_json)


@command.command("resume")
@click.argument("job", metavar="ID")
@rate_option
@approval_option
@reason_option
@config_option
@json_option
def resume(job: str, rate: float | None, approval: str, reason: str, config: Path, as_json: bool) -> None:
    """Let a paused job go on, if wanted at another rate; or start one that was approved."""
    with installation(config) as opened:
        moved = _bulk(opened).resume(job, requested(reason, approval), rate=rate)
        _say_moved(moved, as_json=as_json, how="geht weiter, sobald ein Dienst ihn aufnimmt")


@command.command("stop")
@click.argument("job", metavar="ID")
@reason_option
@config_option
@json_option
def stop(job: str, reason: str, config: Path, as_json: bool) -> None:
    """End a job for good: what was done stays done, the rest stays as it is."""
    with installation(config) as opened:
        _say_moved(_bulk(opened).stop(job, requested(reason)), as_json=as_json)


def foretell(bulk: BulkReplay, selection: Selection, how: How, *, as_json: bool) -> None:
    """The dry run of a job: what would be done at present, in numbers, and how long it would take."""
    from intermediary.cli.job_sheet import duration
    from intermediary.cli.sheet import number

    forecast = bulk.forecast(selection, how)
    count = sum(forecast.moved.values())
    seconds = count / how.rate if how.rate else 0.0
    if as_json:
        say_json({"dryRun": True, "job": True, "total": forecast.total, "moved": dict(forecast.moved),
                  "left": dict(forecast.left), "rate": how.rate, "seconds": round(seconds, 1)})  # fmt: skip
        return
    say_wrapped(forecast.lines() or ("keine Nachricht",), indent=2)
    say(f"Probelauf: {number(count)} von {number(forecast.total)} {'würde' if count == 1 else 'würden'} weiterlaufen.")
    if count:
        say(f"Als Auftrag mit {how.rate:g} je Sekunde dauert das etwa {duration(seconds)}.")


def order(bulk: BulkReplay, selection: Selection, how: How, request: Request, *, as_json: bool) -> None:
    """Order a job, and say where to look."""
    from intermediary.cli.job_sheet import duration
    from intermediary.cli.sheet import number
    from intermediary.operations.jobs import row

    job = bulk.start(selection, how, request)
    if as_json:
        say_json(row(job))
        return
    time = f", höchstens {job.rate:g} je Sekunde (etwa {duration(job.total / job.rate)})" if job.rate else ""
    say(f"Auftrag {job.id}: {number(job.total)} {'Nachricht' if job.total == 1 else 'Nachrichten'}{time}.")
    say("Die Dienste (`intermediary run`) führen ihn aus; dieses Fenster darf zu.")
    say(f"Stand und Bericht: intermediary jobs show {job.id[:_SHORT]}")


def bulk_of(opened: Any, *, redeliver: str = "") -> BulkReplay:
    """Jobs of an opened installation, by its settings and routes."""
    import uuid

    from intermediary.operations.approvals import approvals_of
    from intermediary.operations.jobs import BulkReplay
    from intermediary.operations.repeats import twice_hurts

    return BulkReplay(
        opened.store,
        now=opened.now,
        new_id=lambda: str(uuid.uuid4()),
        approvals=approvals_of(opened, now=opened.now),
        twice_hurts=twice_hurts(opened.settings) if redeliver else None,
    )


def _bulk(opened: Any) -> BulkReplay:
    return bulk_of(opened)


def _say_moved(job: Any, *, as_json: bool, how: str = "") -> None:
    from intermediary.cli.job_sheet import standing
    from intermediary.cli.sheet import number
    from intermediary.operations.jobs import row

    if as_json:
        say_json(row(job))
    else:
        say(f"Auftrag {job.id}: {how or standing(job)}, {number(job.handled)} von {number(job.total)} erledigt.")
