"""`mapping new`: a package for a new mapping, from the schema of a form and a message of an installed standard."""

from __future__ import annotations

from pathlib import Path

import click

from intermediary.cli.options import say
from intermediary.core.faults import Rejected
from intermediary.testing.workbench.skeleton.make import CannotMake, make


@click.command("new")
@click.argument("name")
@click.option(
    "--input",
    "source",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The form: an XDatenfelder schema (2.0 or 3.0.0), or the XSD of a payload.",
)
@click.option("--root", default="", metavar="NAME", help="Root element of payloads, where the XSD has several.")
@click.option(
    "--codelist",
    "codelists",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A genericode list that the form names; may be repeated.",
)
@click.option(
    "--output", required=True, nargs=2, metavar="STANDARD MESSAGE", help="For example: xdomea@3.1.0 Abgabe.Abgabe.0401"
)
@click.option(
    "--schemas",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Schemas folder with the standard (`schemas install`).",
)
@click.option(
    "--with", "more", multiple=True, metavar="PATH", help="Also this element of the target, or this alternative."
)
@click.option(
    "--folder",
    default=Path(),
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where the package is put; by default here.",
)
def new(
    name: str,
    source: Path,
    root: str,
    codelists: tuple[Path, ...],
    output: tuple[str, str],
    schemas: Path,
    more: tuple[str, ...],
    folder: Path,
) -> None:
    """Make the package NAME: every field of the form, every element the target demands, a test case, an entry point.

    It can be imported and tested at once; what has no source yet fails and is listed with its line.
    """
    standard, message = output
    try:
        made = make(name, source, codelists, standard, message, schemas, folder, more=more, root=root)
    except CannotMake as refusal:
        raise click.UsageError(str(refusal)) from None
    except Rejected as refusal:
        raise click.UsageError(f"{source.name}: kein lesbares XML ({refusal.code})") from None
    say(f"{made.folder}: {made.fields} Felder des Formulars, {made.demanded} Elemente, die das Ziel verlangt")
    for remark in made.remarks:
        say(f"    {remark}")
    say(f"weiter: intermediary mapping test ./{made.folder}" if not made.folder.is_absolute() else
        f"weiter: intermediary mapping test {made.folder}")  # fmt: skip
