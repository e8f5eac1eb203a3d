"""`audit`: verify and export the audit trail, prove one Nachricht, change the signing key."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from intermediary.cli.options import (
    approval_option,
    config_option,
    installation,
    json_option,
    progress,
    reason_option,
    requested,
    say,
    say_json,
)

_FILE = click.Path(exists=True, path_type=Path)


@click.group("audit")
def command() -> None:
    """Verify and export the audit trail, prove one message, change the key."""


@command.command("verify")
@click.argument("path", required=False, type=_FILE)
@click.option("--heads", type=_FILE, help="The second place: folder, file of heads or syslog file; else as configured.")
@click.option(
    "--key", "keys", multiple=True, type=_FILE, help="With PATH: public key (PEM) that is trusted; repeatable."
)
@click.option(
    "-c", "--config", envvar="INTERMEDIARY_CONFIG", type=_FILE, help="Configuration file; not needed with PATH."
)
@json_option
def verify(path: Path | None, heads: Path | None, keys: tuple[Path, ...], config: Path | None, as_json: bool) -> None:
    """Verify the trail, a dossier or an export.

    Checks every chain, the log, the signed heads and every row against its events; names the first bad entry. Exit code 1
    when there is one. PATH is a dossier or an exported folder, to be checked instead of the installation.
    """
    if path is not None:
        _verify_file(path, heads=heads, keys=keys, as_json=as_json)
    if config is None:
        raise click.UsageError("name a configuration (-c FILE), a dossier or an exported folder")
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
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="New folder for events, heads, keys and verifier."
)
@config_option
def export(output: Path | None, config: Path) -> None:
    """Print every event, or write an export.

    One line of JSON per event, sealed ones first, in the order of the log. With -o: a folder with all a verifier needs.
    """
    from intermediary.operations.prove import export as export_
    from intermediary.operations.prove import write_export

    with installation(config) as opened:
        if output is None:
            for line in export_(opened):
                click.echo(line)
            return
        try:
            count = write_export(opened, output)
        except OSError as failure:
            raise click.UsageError(f"{output}: {failure.strerror}") from failure
    say(f"{count} Ereignisse in {output}; prüfen: python {output / 'verify.py'} {output}")


@command.command("dossier")
@click.argument("message")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File; else standard output.")
@config_option
def dossier(message: str, output: Path | None, config: Path) -> None:
    """Prove one message in one file.

    MESSAGE is an id or its beginning. The dossier is verified at once. Exit code 1 when that fails.
    """
    from intermediary.operations.dossier import dossier as dossier_
    from intermediary.operations.prove import verify_dossier

    with installation(config) as opened:
        made = dossier_(opened, opened.store.resolve(message), opened.now())
    text = json.dumps(made, ensure_ascii=False, indent=1)
    is_sound, told = verify_dossier(made)
    if output is None:
        click.echo(text)
    else:
        try:
            output.write_text(text + "\n", encoding="utf-8")
        except OSError as failure:
            raise click.UsageError(f"{output}: {failure.strerror}") from failure
        say(told)
    if not is_sound and output is None:
        click.echo(told, err=True)
    sys.exit(0 if is_sound else 1)


@command.command("rotate-key")
@approval_option
@reason_option
@config_option
def rotate_key(approval: str, reason: str, config: Path) -> None:
    """Exchange the key that signs the heads.

    The old key announces the new one. A running daemon needs no restart.
    """
    from intermediary.operations.approvals import approvals_of
    from intermediary.operations.rotate import rotate_key as rotate

    request = requested(reason, approval)
    with installation(config) as opened:
        done = rotate(opened, request, now=opened.now(), approvals=approvals_of(opened, now=opened.now))
    say(f"Neuer Schlüssel {done.new}")
    say(f"Alter Schlüssel {done.old}, öffentlich in {done.old_public}")
    say(f'Jetzt eintragen: [audit] previous_keys = ["{done.old_public}"] (zu den vorhandenen dazu)')


def _verify_file(path: Path, *, heads: Path | None, keys: tuple[Path, ...], as_json: bool) -> None:
    from intermediary.operations.prove import verify_file

    try:
        is_sound, told = verify_file(path, keys=keys, heads=heads)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as failure:
        raise click.UsageError(f"{path}: neither a dossier nor an exported folder") from failure
    if as_json:
        say_json({"ok": is_sound, "told": told})
    else:
        say(told)
    sys.exit(0 if is_sound else 1)


def _watched(lines: Iterator[bytes]) -> Iterator[bytes]:
    return progress(lines, label="Prüfen", is_silent=True)
