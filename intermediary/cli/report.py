"""`report`: pages that are made of the configuration."""

from __future__ import annotations

from pathlib import Path

import click

from intermediary.cli.options import config_option, json_option, say, say_json


@click.group("report")
def command() -> None:
    """Make pages of the configuration."""


@command.command("verarbeitung")
@config_option
@json_option
def verarbeitung(config: Path, as_json: bool) -> None:
    """Print data flows, recipients, terms and storage per Mandant and route, for the record of processing (Markdown)."""
    from intermediary.cli.processing import page
    from intermediary.cli.quiet import quiet_logs
    from intermediary.operations.processing import processing
    from intermediary.settings.load import load

    quiet_logs()
    facts = processing(load(config))
    if as_json:
        say_json(facts)
        return
    for line in page(facts):
        say(line)
