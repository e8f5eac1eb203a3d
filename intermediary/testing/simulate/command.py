"""`intermediary simulate osci`: starts a stand-in and says how to use it."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path

import click


@click.group("simulate")
def command() -> None:
    """Local stand-ins of the partners."""


@command.command("osci")
@click.option(
    "--dir",
    "folder",
    default="osci-simulation",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Keys, journal and messages; found again at the next start.",
)
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="Address and port; port 0 takes a free one.")
@click.option("--tls", is_flag=True, help="HTTPS with a throw-away certificate for localhost.")
@click.option("--fill", default=0, type=click.IntRange(0), help="Put so many sample applications into the post box.")
@click.option("--seed", default=0, type=int, help="Of the dice that decide about trouble.")
@click.option(
    "--knob", "knobs", multiple=True, help="Trouble: NAME[:ARGUMENT][@KIND]=PROBABILITY or =nextN; may be repeated."
)
@click.option("--list-knobs", is_flag=True, help="Say what trouble there is, and end.")
def osci(
    folder: Path, listen: str, *, tls: bool, fill: int, seed: int, knobs: tuple[str, ...], list_knobs: bool
) -> None:
    """A simulated OSCI intermediary: post boxes, dialogs, process cards, chunks, forwarding; ends on SIGTERM."""
    from intermediary.testing.simulate.osci.simulator import Simulator
    from intermediary.testing.simulate.osci.site import make_site
    from intermediary.testing.simulate.osci.trouble import KNOBS, Knob

    if list_knobs:
        for name, meaning in KNOBS.items():
            click.echo(f"{name:20}{meaning}")
        return
    try:
        turned = [Knob.parse(one) for one in knobs]
        site = make_site(folder, now=datetime.now(UTC))
        simulator = Simulator(site, listen=_address(listen), seed=seed, knobs=turned, with_tls=tls)
    except (ValueError, OSError) as mistake:
        raise click.UsageError(str(mistake)) from mistake
    if fill:
        simulator.fill(fill)
    click.echo(f"OSCI-Intermediaer (simuliert): {simulator.url}")
    click.echo(f"Partner:     {site.partners}    fuer [installation] partners")
    click.echo(f"Schluessel:  {site.keyring}    fuer [[mandant]] keyring")
    click.echo(f"Postfach:    {simulator.state()['waiting']} Zustellungen warten")
    click.echo(f"Steuern:     curl {simulator.url.removesuffix('/osci')}/simulator/state")
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises again what it caught, once it is done
        signal.signal(number, lambda *_: simulator.stop())
    simulator.serve()


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("--listen is an address, a colon and a port, as 127.0.0.1:0")
    return host.strip("[]"), int(port)
