"""`store`: move an installation from one engine to another."""

from __future__ import annotations

from pathlib import Path

import click

from intermediary.cli.complain import FINDINGS
from intermediary.cli.options import config_option, json_option, progress, say, say_json


@click.group("store")
def command() -> None:
    """Move the store of an installation."""


@command.command("copy")
@config_option
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration of the same installation that names the new place.",
)
@json_option
def copy(config: Path, target: Path, as_json: bool) -> None:
    """Copy the store to where another configuration has it, all or nothing; stop the daemons first.

    Afterwards the old store is empty and refuses to work.
    """
    from intermediary.cli.quiet import quiet_logs
    from intermediary.operations.copy import copy_installation

    quiet_logs()
    copied = copy_installation(
        config, target, watch=lambda rows, label, length: progress(rows, label=label, length=length, is_silent=True)
    )
    if as_json:
        say_json({"rows": copied.rows, "files": copied.files, "auditIsOk": copied.audit.is_ok})
    else:
        for table, count in copied.rows.items():
            say(f"{table:20} {count:12,} rows")
        say(f"{'files':20} {copied.files:12,}")
        say(f"audit trail {'verifies' if copied.audit.is_ok else 'DOES NOT VERIFY: intermediary audit verify'}")
    if not copied.audit.is_ok:
        raise click.exceptions.Exit(FINDINGS)
