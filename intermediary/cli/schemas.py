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

_REFUSED = ("validate.package.mismatch", "validate.package.refused", "validate.package.unknown")


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
    """List installed packages."""
    from intermediary.validate.install import Installed, list_installed
    from intermediary.validate.lock import product_pins

    if known:
        packages = tuple(Installed.of(pin) for _, pin in sorted(product_pins().items()))
    else:
        packages = list_installed(_folder(config, folder))
    if as_json:
        for package in packages:
            say_json(dataclasses.asdict(package))
        return
    rows = [
        (
            one.id,
            one.review or "-",
            str(one.files),
            str(one.roots),
            str(len(one.rules) or "-"),
            str(one.valid_until or "-"),
            one.sha256[:12],
        )
        for one in packages
    ]
    table(
        rows, ("Paket", "geprüft", "Dateien", "Wurzeln", "Regeln", "gültig bis", "SHA-256"), gives=("Paket", "geprüft")
    )


@command.command("install")
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@place_options
@json_option
@click.option("--accept-new", is_flag=True, help="Take packages without a pin, on your own review.")
@click.option("--as", "as_id", default="", metavar="NAME@VERSION", help="Which package a source is meant to be.")
def install(
    sources: tuple[Path, ...], config: Path | None, folder: Path | None, as_json: bool, accept_new: bool, as_id: str
) -> None:
    """Install packages from folders or ZIP files, in the order given; nothing is downloaded.

    A package must match the pin of this product. For one without a pin, check where it comes from, then use
    `--accept-new`: its hash is recorded in the schemas folder.
    """
    from intermediary.core.faults import Fault
    from intermediary.validate.install import install as take_in
    from intermediary.validate.lock import product_pins

    place = _folder(config, folder)
    pins = product_pins()
    worst = 0
    for source in sources:
        try:
            package = take_in(source, place, pins, accept_new=accept_new, as_id=as_id)
        except Fault as fault:
            complain(fault)
            worst = max(worst, FINDINGS if fault.code in _REFUSED else USAGE)
            continue
        if as_json:
            say_json(dataclasses.asdict(package))
        else:
            say(f"{package.id}  {package.review}  {package.files} files, {package.roots} roots  {package.sha256}")
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


def _folder(config: Path | None, folder: Path | None) -> Path:
    if folder is not None:
        return folder
    if config is None:
        raise click.UsageError("name the configuration with -c or the schemas folder with --folder")
    from intermediary.settings.load import load

    return Path(load(config).schemas.folder)


command.add_command(shape)
command.add_command(form)
