"""`reveal`: the received bytes of one message, for whoever has to look inside."""

from __future__ import annotations

from pathlib import Path

import click

from intermediary.cli.options import approval_option, config_option, installation, reason_option, requested, say


@click.command("reveal")
@click.argument("nachricht")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="New file.")
@approval_option
@reason_option
@config_option
def command(nachricht: str, output: Path, approval: str, reason: str, config: Path) -> None:
    """Write a message as it was received, still sealed by its sender, into a new file; audited.

    `intermediary open FILE --keys RING.toml` opens it.
    """
    from intermediary.operations.approvals import approvals_of
    from intermediary.operations.reveal import reveal

    request = requested(reason, approval)
    with installation(config) as opened:
        found = opened.store.resolve(nachricht)
        try:
            length = reveal(
                opened.store, found, output, request, approvals=approvals_of(opened, now=opened.now), now=opened.now
            )
        except FileExistsError as failure:
            raise click.UsageError(f"{output} exists already") from failure
    say(f"{length} Bytes der Nachricht {found} in {output}")
    say("Versiegelt wie empfangen; öffnen: intermediary open DATEI --keys KEYRING.toml. Danach löschen.")
