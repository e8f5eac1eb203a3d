"""`audit`: verify and export the audit trail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from intermediary.cli.options import config_option, installation, json_option, progress, say, say_json


@click.group("audit")
def command() -> None:
    """Verify and export the audit trail."""


@command.command("verify")
@click.option("--heads", type=click.Path(exists=True, path_type=Path), help="The second place; else as configured.")
@config_option
@json_option
def verify(heads: Path | None, config: Path, as_json: bool) -> None:
    """Check every chain, the log and the signed heads; names the first bad entry. Exit code 1 when there is one."""
    from intermediary.operations.prove import as_json as as_json_
    from intermediary.operations.prove import as_text, verify_installation

    with installation(config) as opened:
        report = verify_installation(opened, heads_folder=heads, watch=_watched)
    if as_json:
        say_json(as_json_(report))
    else:
        say(as_text(report))
    sys.exit(0 if report.is_ok else 1)


@command.command("export")
@config_option
def export(config: Path) -> None:
    """Print every event as a line of JSON, sealed ones first, in the order of the log."""
    from intermediary.operations.prove import export as export_

    with installation(config) as opened:
        for line in export_(opened):
            click.echo(line)


def _watched(lines: Iterator[bytes]) -> Iterator[bytes]:
    return progress(lines, label="Prüfen", is_silent=True)
