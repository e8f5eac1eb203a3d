"""`schemas`: which standards are installed, take one in, check that nothing changed."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from intermediary.cli.complain import FINDINGS, USAGE, complain, error
from intermediary.cli.form import form
from intermediary.cli.mapping import shape
from intermediary.cli.options import json_option, say, say_json, table

F = TypeVar("F", bound=Callable[..., Any])

_REFUSED = (
    "schemas.fetch.refused",
    "validate.package.mismatch",
    "validate.package.refused",
    "validate.package.unknown",
)


def place_options(function: F) -> F:
    """`-c FILE` or `--folder DIR`: where the schemas folder is."""
    function = click.option(
        "--folder", type=click.Path(file_okay=False, path_type=Path), help="Schemas folder, instead of -c."
    )(function)
    return click.option(
        "-c",
        "--config",
        envvar="INTERMEDIARY_CONFIG",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Configuration file; also from INTERMEDIARY_CONFIG.",
    )(function)


@click.group("schemas")
def command() -> None:
    """List, install and verify the schema packages of official standards."""


@command.command("list")
@place_options
@json_option
@click.option("--known", is_flag=True, help="List the packages this product has pins for instead.")
def list_(config: Path | None, folder: Path | None, as_json: bool, known: bool) -> None:
    """List installed packages: what ends when, and with -c which routes use it."""
    from intermediary.operations.standards import state_on
    from intermediary.validate.install import Installed, list_installed
    from intermediary.validate.lock import product_pins

    if known:
        packages = tuple(Installed.of(pin) for _, pin in sorted(product_pins().items()))
    else:
        packages = list_installed(_folder(config, folder))
    routes = _routes(config) if not known and folder is None else {}
    if as_json:
        for package in packages:
            say_json(dataclasses.asdict(package) | {"routes": routes.get(package.id, ())})
        return
    today = datetime.now(UTC).date()
    rows = [
        (
            one.id,
            one.review or "-",
            str(one.roots or "-"),
            str(one.lists or "-"),
            str(len(one.rules) or "-"),
            state_on(today, one.valid_from, one.valid_until) or "-",
            ", ".join(routes.get(one.id, ())) or "-",
            one.sha256[:8],
        )
        for one in packages
    ]
    heads = ("Paket", "geprüft", "Wurzeln", "Listen", "Regeln", "gültig", "Routen", "SHA-256")
    table(rows, heads, gives=("Routen", "Paket", "geprüft"))


@command.command("install")
@click.argument("sources", nargs=-1, required=True)
@place_options
@json_option
@click.option("--accept-new", is_flag=True, help="Take packages without a pin, on your own review.")
@click.option("--as", "as_id", default="", metavar="NAME@VERSION", help="Which package a source is meant to be.")
@click.option("--from", "base", default="", metavar="URL", help="Publisher that URNs are fetched from.")
@click.option("--internal", is_flag=True, help="The publisher is a mirror inside: private addresses and http.")
@click.option("--used-lists", is_flag=True, help="Of a standard's URN fetch the code lists it uses.")
@click.option("--licence", default="", help="Its terms, for the lock.")
@click.option("--valid-from", type=click.DateTime(["%Y-%m-%d"]), help="First day of its validity.")
@click.option("--valid-until", type=click.DateTime(["%Y-%m-%d"]), help="Last day of its validity.")
def install(
    sources: tuple[str, ...],
    config: Path | None,
    folder: Path | None,
    as_json: bool,
    accept_new: bool,
    as_id: str,
    base: str,
    internal: bool,
    used_lists: bool,
    licence: str,
    valid_from: datetime | None,
    valid_until: datetime | None,
) -> None:
    """Install packages from folders, ZIP files, code lists or URNs, in the order given.

    Nothing is downloaded, unless a source is a URN and --from names the XRepository, such as https://www.xrepository.de.

    A package must match the pin of this product. For one without a pin, check where it comes from, then use
    `--accept-new`: its hash is recorded in the schemas folder.
    """
    from intermediary.core.faults import Fault
    from intermediary.operations.diagnosis import counted
    from intermediary.operations.package_sources import Source, take_in
    from intermediary.operations.xrepository import Publisher
    from intermediary.validate.install import Notes

    place = _folder(config, folder)
    for source in sources:
        if source.startswith("urn:") and not base:
            raise click.UsageError(f"{source}: a URN is fetched from a publisher, name it with --from")
        if not source.startswith("urn:") and not Path(source).exists():
            raise click.BadParameter(f"Path '{source}' does not exist.", param_hint="SOURCES")
    publisher = Publisher(base, is_internal=internal) if base else None
    notes = Notes(
        licence=licence,
        valid_from=valid_from.date() if valid_from else None,
        valid_until=valid_until.date() if valid_until else None,
    )
    worst = 0
    for source in sources:
        try:
            asked = Source(source, as_id, used_lists=used_lists)
            package = take_in(asked, place, publisher=publisher, accept_new=accept_new, notes=notes)
        except Fault as fault:
            complain(fault)
            worst = max(worst, FINDINGS if fault.code in _REFUSED else USAGE)
            continue
        if as_json:
            say_json(dataclasses.asdict(package))
        else:
            numbers = [counted(package.files, "file"), counted(package.roots, "root")]
            numbers += [counted(package.lists, "list")] if package.lists else []
            say(f"{package.id}  {package.review}  {', '.join(numbers)}  {package.sha256}")
    sys.exit(worst)


@command.command("verify")
@place_options
@json_option
def verify(config: Path | None, folder: Path | None, as_json: bool) -> None:
    """Compare installed packages with the lock, the pins of this product and their validity."""
    from intermediary.core.codes import CATALOGUE
    from intermediary.validate.install import list_installed
    from intermediary.validate.install import verify as check
    from intermediary.validate.lock import product_pins

    place = _folder(config, folder)
    findings = check(place, product_pins(), today=datetime.now(UTC).date())
    for finding in findings:
        if as_json:
            say_json({"code": finding.code, "path": finding.path, "rule": finding.rule})
        else:
            error(f"{finding.path}: {CATALOGUE[finding.code].meaning} ({finding.rule})",
                  hint=CATALOGUE[finding.code].remedy)  # fmt: skip
    if not as_json and not findings:
        say(f"{len(list_installed(place))} packages as reviewed")
    sys.exit(FINDINGS if findings else 0)


def _routes(config: Path | None) -> dict[str, tuple[str, ...]]:
    from intermediary.core.faults import Fault
    from intermediary.operations.standards import routes_of_packages
    from intermediary.settings.load import load

    try:
        return routes_of_packages(load(config)) if config is not None else {}
    except Fault as fault:
        complain(fault)
        return {}


def _folder(config: Path | None, folder: Path | None) -> Path:
    if folder is not None:
        return folder
    if config is None:
        raise click.UsageError("name the configuration with -c or the schemas folder with --folder")
    from intermediary.settings.load import load

    return Path(load(config).schemas.folder)


command.add_command(shape)
command.add_command(form)
