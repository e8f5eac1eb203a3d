"""`intermediary simulate osci|xta`: starts a stand-in and says how to use it."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

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


@command.command("xta")
@click.option(
    "--dir",
    "folder",
    default="xta-simulation",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Certificates and messages; found again at the next start.",
)
@click.option("--listen", default="127.0.0.1:0", show_default=True, help="Address and port; port 0 takes a free one.")
@click.option("--fill", default=0, type=click.IntRange(0), help="Lay so many sample applications into the box.")
@click.option("--seed", default=0, type=int, help="Of the dice that decide about trouble.")
@click.option(
    "--knob",
    "knobs",
    multiple=True,
    help="Trouble: NAME[:ARGUMENT][@OPERATION]=PROBABILITY or =nextN; may be repeated.",
)
@click.option("--list-knobs", is_flag=True, help="Say what trouble there is, and end.")
def xta(folder: Path, listen: str, *, fill: int, seed: int, knobs: tuple[str, ...], list_knobs: bool) -> None:
    """A simulated XTA 2.1.1 server with client certificates: box, sending, reports; ends on SIGTERM."""
    from intermediary.testing.simulate.xta.simulator import ACCOUNT, Simulator
    from intermediary.testing.simulate.xta.trouble import KNOBS, parse

    if list_knobs:
        for name, meaning in KNOBS.items():
            click.echo(f"{name:14}{meaning}")
        return
    try:
        simulator = Simulator(folder, listen=_address(listen), seed=seed, knobs=[parse(one) for one in knobs])
    except (ValueError, OSError) as mistake:
        raise click.UsageError(str(mistake)) from mistake
    if fill:
        simulator.fill(fill)
    tls = folder / "tls"
    click.echo(f"XTA-Server (simuliert): {simulator.url}/management  …/send  …/msgbox")
    click.echo(f"Account:     {ACCOUNT}    als Autor und als Leser")
    ca, own, key = tls / "ca.cert.pem", tls / "reader.cert.pem", tls / "reader.key.pem"
    click.echo(f"Zertifikat:  {own}    (CERT)")
    click.echo(f"Schluessel:  {key}    (KEY)")
    click.echo(f"CA:          {ca}    (CA)")
    click.echo(f"Postfach:    {simulator.state()['waiting']} Nachrichten warten")
    click.echo("Steuern:     curl --cacert CA --cert CERT --key KEY \\")
    click.echo(f"             {simulator.url.removesuffix('/xta')}/simulator/state")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: simulator.stop())
    simulator.serve()


@command.command("fachverfahren")
@click.option(
    "--dir",
    "folder",
    default="fachverfahren-simulation",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Journal, WSDL, keys; found again at the next start.",
)
@click.option(
    "--listen", default="127.0.0.1:0", show_default=True, help="Page, REST and SOAP; port 0 takes a free one."
)
@click.option("--cmis-listen", default="127.0.0.1:0", show_default=True, help="Address and port of the CMIS face.")
@click.option("--keep-contents", is_flag=True, help="Keep what arrives as files; otherwise only hashes are kept.")
@click.option("--forgetful", is_flag=True, help="Remove no doubles: a key that comes again has a second effect.")
@click.option(
    "--callback-token",
    "callback_token",
    type=click.File(),
    help="File with the token to show; REST then answers 202 and calls back at the address in X-Callback.",
)
@click.option("--no-sftp", is_flag=True, help="Without the SFTP face (it needs OpenSSH's server).")
@click.option("--no-xta", is_flag=True, help="Without the XTA face.")
@click.option("--seed", default=0, type=int, help="Of the dice that decide about trouble.")
@click.option(
    "--knob", "knobs", multiple=True, help="Trouble: NAME[:ARGUMENT][@FACE]=PROBABILITY or =nextN; may be repeated."
)
@click.option("--list-knobs", is_flag=True, help="Say what trouble there is, and end.")
def fachverfahren(
    folder: Path,
    listen: str,
    cmis_listen: str,
    *,
    keep_contents: bool,
    forgetful: bool,
    callback_token: TextIO | None,
    no_sftp: bool,
    no_xta: bool,
    seed: int,
    knobs: tuple[str, ...],
    list_knobs: bool,
) -> None:
    """A simulated Fachverfahren: REST, SOAP, CMIS, SFTP, XTA, and a page that shows what arrived; ends on SIGTERM."""
    from threading import Event

    from intermediary.cli.quiet import quiet_logs
    from intermediary.testing.faces.mischief import KNOBS, Knob
    from intermediary.testing.simulate.fachverfahren.office import Choice, Fachverfahren

    if list_knobs:
        for name, meaning in KNOBS.items():
            click.echo(f"{name:14}{meaning}")
        return
    quiet_logs()
    end = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    try:
        choice = Choice(
            folder=folder.absolute(),
            listen=_address(listen),
            cmis_listen=_address(cmis_listen),
            keeps=keep_contents,
            forgetful=forgetful,
            with_sftp=not no_sftp,
            with_xta=not no_xta,
            seed=seed,
            callback_token=callback_token.read().strip() if callback_token is not None else "",
        )
        office = Fachverfahren(choice, knobs=[Knob.parse(one) for one in knobs])
    except (ValueError, OSError) as mistake:
        raise click.UsageError(str(mistake)) from mistake
    with office:
        click.echo(f"Fachverfahren (simuliert): {office.url}/    im Browser öffnen: was angekommen ist")
        for name, told in office.faces.items():
            address, _, details = told.partition("   ")
            click.echo(f"{name + ':':13}{address}")
            for detail in details.strip("()").split(", ") if details else ():
                click.echo(f"             {detail}")
        click.echo(f"Steuern:     curl {office.url}/simulator/state")
        end.wait()


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise ValueError("--listen is an address, a colon and a port, as 127.0.0.1:0")
    return host.strip("[]"), int(port)
