"""`connector new`: a package for a new connector that imports, is tested and passes its check at once."""

from __future__ import annotations

from pathlib import Path

import click

from intermediary.cli.options import say
from intermediary.testing.kit.scaffold import CannotMake, make


@click.command("new")
@click.argument("name")
@click.option(
    "--folder",
    default=Path(),
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the package is put; by default here.",
)
def new(name: str, folder: Path) -> None:
    """Make the package NAME: a connector in steps over HTTP, its settings, tests, README, and a kit.toml for the check.

    It works as it is against the target of the kit; what your Fachverfahren speaks is put in its place.
    """
    try:
        made = make(name, folder)
    except CannotMake as refusal:
        raise click.UsageError(str(refusal)) from None
    address = str(made) if made.is_absolute() else f"./{made}"
    say(f"{made}: Konnektor, Einstellungen, Prüfung und Tests sind angelegt")
    say(f"weiter: intermediary connector check {address}")
