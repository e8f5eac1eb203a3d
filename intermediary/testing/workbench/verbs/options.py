"""What the verbs of the workbench share: the folder of official packages, and how a mapping that is not there is told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from intermediary.operations.mapping_places import NoSuchMapping, Place, places

schemas_option = click.option(
    "--schemas",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Schemas folder with the official packages (`schemas install`).",
)


def chosen(names: Sequence[str]) -> list[Place]:
    """The mappings a command line names; a usage error says what was meant."""
    try:
        return places(names)
    except NoSuchMapping as missing:
        raise click.UsageError(str(missing)) from None
