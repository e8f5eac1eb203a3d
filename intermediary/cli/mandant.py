"""`mandant`: hand over everything of one Mandant, or delete it."""

from __future__ import annotations

from pathlib import Path

import click

from intermediary.cli.complain import FINDINGS, error
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
    say_wrapped,
)


@click.group("mandant")
def command() -> None:
    """Export or delete one Mandant."""


@command.command("export")
@click.argument("name")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="New folder.")
@click.option("--with-payload", is_flag=True, help="Also the received bytes, and what came beside them.")
@approval_option
@reason_option
@config_option
@json_option
def export(
    name: str, output: Path, with_payload: bool, approval: str, reason: str, config: Path, as_json: bool
) -> None:
    """Write everything of a Mandant into a new folder: facts, dossiers with proofs, and contents if asked for.

    Exit code 1 when a content could not be opened.
    """
    from intermediary.operations.approvals import approvals_of
    from intermediary.operations.mandant_export import export_mandant

    with installation(config) as opened:
        try:
            done = export_mandant(
                opened,
                name,
                output,
                requested(reason, approval),
                with_payload=with_payload,
                approvals=approvals_of(opened, now=opened.now),
                watch=lambda ids: progress(ids, label="Ausleiten", is_silent=True),
            )
        except FileExistsError as failure:
            raise click.UsageError(f"{output} exists already") from failure
    if as_json:
        say_json({"nachrichten": done.nachrichten, "payloads": done.payloads, "unreadable": done.unreadable,
                  "late": done.late})  # fmt: skip
    else:
        contents = f", {done.payloads} mit Inhalt" if with_payload else ", ohne Inhalte"
        say_wrapped([f"{done.nachrichten} Nachrichten{contents} in {output}"], indent=0)
        if done.late:
            say(f"{done.late} später eingegangene sind nicht dabei: freigegeben war, was beim Verlangen da war.")
        say_wrapped(["Prüfen: sha256sum -c SHA256SUMS, und je Nachricht python verify.py dossiers/…/ID.json"], indent=0)
        if done.unreadable:
            say(f"{done.unreadable} Inhalte ließen sich nicht öffnen (payloadCode in nachrichten.jsonl).")
    if done.unreadable:
        raise click.exceptions.Exit(1)


@command.command("delete")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only show what there is, and what stands in the way.")
@click.option("--force", is_flag=True, help="Also open and held messages, which are discarded without an answer.")
@approval_option
@reason_option
@config_option
@json_option
def delete(name: str, dry_run: bool, force: bool, approval: str, reason: str, config: Path, as_json: bool) -> None:
    """Delete a Mandant for good: all contents, search keys, plans; its audit trail stays. Others are not touched.

    What is open or held stands in the way, and so does a channel that still takes for it.
    """
    from intermediary.operations.approvals import approvals_of
    from intermediary.operations.mandant import Deletion

    with installation(config) as opened:
        deletion = Deletion(opened, name, approvals=approvals_of(opened, now=opened.now))
        extent, obstacles = deletion.extent(), [one.what for one in deletion.obstacles()]
        reduced = 0
        if obstacles and not (dry_run or force):
            error("; ".join(obstacles), hint="end that first; --force discards and deletes all the same")
            raise click.exceptions.Exit(FINDINGS)
        if not dry_run:
            cuts = deletion.carry_out(requested(reason, approval), force=force)
            reduced = sum(cut.reduced for cut in progress(cuts, label="Löschen", is_silent=True))
        files = [str(one.kek_file) for one in opened.settings.mandant if one.name == name]
    if as_json:
        told = {"mandant": name, "nachrichten": extent.nachrichten, "payloads": extent.payloads, "open": extent.open}
        say_json(told | {"obstacles": obstacles, "deleted": None if dry_run else reduced})
        return
    if dry_run:
        say(
            f"{name}: {extent.nachrichten} Nachrichten, {extent.payloads} mit Inhalt, {extent.open} nicht abgeschlossen."
        )
        say_wrapped([f"- {what}" for what in obstacles] or ["Nichts steht der Löschung im Weg."], indent=0)
        return
    say(f"{name} ist gelöscht: {reduced} Nachrichten; ihr Protokoll bleibt, für alle anderen änderte sich nichts.")
    say_wrapped(_rest(name, files), indent=0)


def _rest(name: str, files: list[str]) -> list[str]:
    """What the program cannot do by itself."""
    keys = [f"- {file} und alle Kopien vernichten: danach liest auch keine Sicherung mehr;" for file in files]
    return [
        "Noch zu tun:",
        f"- [[mandant]] {name} und seine Routen aus der Konfiguration nehmen, den Dienst neu starten;",
        *keys,
        "- seine Leserschlüssel vernichten, wenn kein anderes Verfahren sie braucht;",
        "- die privaten Ordner seiner Ziele (`state`) löschen, wenn kein anderer Mandant sie nutzt;",
        "- alte Sicherungen: docs/howto/retention.md.",
    ]
