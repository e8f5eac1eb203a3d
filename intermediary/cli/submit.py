"""`submit`: hands sealed messages to ingress, as a door would."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from intermediary.cli.options import config_option, installation, json_option, progress, say, say_json


@click.command("submit")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--channel", default="", help="Channel whose rules apply; needed when there are several.")
@click.option("--mandant", default="", help="Mandant; needed when the channel serves several.")
@click.option("--content-type", default="application/vnd.osci12+mime", show_default=True)
@click.option("--message-id", default="", help="The sender's id; else the file's name. Only with one file.")
@config_option
@json_option
def command(
    files: tuple[Path, ...],
    channel: str,
    mandant: str,
    content_type: str,
    message_id: str,
    config: Path,
    as_json: bool,
) -> None:
    """Take sealed messages from files; the running daemon, or the next one, works on them."""
    from intermediary.core.codes import CATALOGUE
    from intermediary.operations.submit import submit

    if message_id and len(files) > 1:
        raise click.UsageError("--message-id goes with one file")
    refused = 0
    with installation(config, begins=True, needs_keys=True) as opened:
        results = submit(
            opened, files, channel=channel, mandant=mandant, content_type=content_type, message_id=message_id
        )
        for result in progress(results, label="Einlegen", length=len(files)):
            refused += result.outcome == "refused"
            if as_json:
                say_json({"file": str(result.file), "id": result.nachricht_id, "outcome": result.outcome,
                          "code": result.code})  # fmt: skip
            else:
                say(f"{result.file.name}: {result.outcome} {result.nachricht_id or result.code}")
                if result.code:
                    say(f"    {CATALOGUE[result.code].meaning} {CATALOGUE[result.code].remedy}")
    sys.exit(1 if refused else 0)
