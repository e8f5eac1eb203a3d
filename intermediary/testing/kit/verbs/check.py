"""`connector check`: which guarantees does a connector give, tried against a target that misbehaves."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from intermediary.cli.complain import FINDINGS
from intermediary.cli.options import json_option, say, say_json, wrapped
from intermediary.cli.quiet import quiet_logs
from intermediary.testing.kit.check import Report
from intermediary.testing.kit.check import check as run
from intermediary.testing.kit.description import CannotCheck, candidates
from intermediary.testing.kit.verdict import GUARANTEES, Verdict
from intermediary.testing.kit.worker import NotBuilt
from intermediary.testing.sshd import SshdMissing

_MARKS = {"holds": "hält", "broken": "BRICHT", "untried": "—"}
_MOST_SEEN = 6


@click.command("check")
@click.argument("package", metavar="PACKAGE|NAME")
@click.option(
    "--target",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How it is pointed at a target of the kit; otherwise the kit.toml beside the connector.",
)
@click.option(
    "--only", "only", multiple=True, type=click.Choice(list(GUARANTEES)), help="Try this guarantee; may be repeated."
)
@click.option("--large", "is_large", is_flag=True, help="Hand over a package of 2 GiB instead of 44 MiB.")
@click.option("--brief", "is_brief", is_flag=True, help="Stop trying a guarantee at the first flaw.")
@json_option
def check(
    package: str, target: Path | None, only: tuple[str, ...], is_large: bool, is_brief: bool, as_json: bool
) -> None:
    """Try a connector against a target that misbehaves: PACKAGE is a folder (`./ourfirm`), NAME an installed one.

    Prints which guarantees hold, with what was tried, what was seen and what to do. What has arrived is counted at the
    target. Exit code 0: all that its manifest claims holds; 1: not so; 2: usage, or there is nothing that can be tried.
    """
    quiet_logs("critical")
    worst = 0
    try:
        for one in candidates(package, target):
            if not as_json:
                say(f"{one.name}: wird geprüft an einem Ziel des Baukastens ({one.description.protocol})")
            wanted = only or tuple(GUARANTEES)
            report = run(one, wanted=wanted, is_large=is_large, is_brief=is_brief, tell=_progress)
            worst = max(worst, 0 if report.is_fine else FINDINGS)
            if as_json:
                say_json(_facts(report))
            else:
                _tell(report)
    except (CannotCheck, NotBuilt, SshdMissing) as missing:
        raise click.UsageError(str(missing)) from None
    sys.exit(worst)


def _progress(name: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  … {name}", err=True)


def _tell(report: Report) -> None:
    for verdict in report.verdicts:
        for line in _told(verdict):
            say(line)
    manifest = report.manifest
    broken = [one.name for one in report.verdicts if one.standing == "broken"]
    tried = [one for one in report.verdicts if one.standing != "untried"]
    level = f"Stufe {manifest.idempotency.value}"
    if broken:
        say(f"{report.name}: {level} hält nicht: {', '.join(broken)}")
    elif len(report.verdicts) < len(GUARANTEES):
        part = f"{len(tried)} von {len(GUARANTEES)} Zusagen versucht, keine gebrochen"
        say(f"{report.name}: {part}; ob {level} hält, zeigt erst die ganze Prüfung")
    else:
        say(f"{report.name}: {level} hält; {len(tried)} von {len(tried)} versuchten Zusagen")


def _told(verdict: Verdict) -> Iterator[str]:
    guarantee = verdict.guarantee
    head, *rest = wrapped(guarantee.sentence, indent=20)
    yield f"  {_MARKS[verdict.standing]:<7} {verdict.name:<9} {head.strip()}"
    yield from rest
    if verdict.tried:
        yield from _part("versucht", verdict.tried)
    for seen in verdict.seen[:_MOST_SEEN]:
        yield from _part("gesehen", seen)
    if len(verdict.seen) > _MOST_SEEN:
        yield from _part("", f"… und {len(verdict.seen) - _MOST_SEEN} weitere (--json)")
    if verdict.standing == "broken":
        yield from _part("zu tun", guarantee.remedy)


def _part(name: str, text: str) -> Iterator[str]:
    head, *rest = wrapped(text, indent=30)
    yield f"{'':20}{name + ':' if name else '':<10}{head.strip()}"
    yield from rest


def _facts(report: Report) -> dict[str, object]:
    return {
        "name": report.name,
        "idempotency": report.manifest.idempotency.value,
        "holds": report.is_fine,
        "guarantees": [
            {
                "name": one.name,
                "standing": one.standing,
                "sentence": one.guarantee.sentence,
                "tried": one.tried,
                "seen": list(one.seen),
                "remedy": one.guarantee.remedy if one.standing == "broken" else "",
            }
            for one in report.verdicts
        ],
    }
