"""Looks whether the files and folders that a configuration names are there, and closed to others."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from intermediary.settings.channels import OsciPassiveDoor
from intermediary.settings.finding import Finding, Severity
from intermediary.settings.models import Settings
from intermediary.settings.xta import XtaFetchDoor
from intermediary.settings.xta_passive import XtaPassiveDoor

_SECRETS = ("p12", "jwk", "pem", "password_file")


def check_files(settings: Settings, file: Path) -> list[Finding]:
    """Every file or folder that is missing, empty, of the wrong kind, or open to others; nothing is created."""
    return [
        *_installation(settings, file),
        *_mandanten(settings, file),
        *_channels(settings, file),
        *_folders(settings, file),
    ]


def _installation(settings: Settings, file: Path) -> Iterator[Finding]:
    if not settings.installation.routes.is_file():
        yield Finding(file, "installation.routes", f"there is no file {settings.installation.routes}")
    partners = settings.installation.partners
    if partners is not None and not partners.is_file():
        yield Finding(file, "installation.partners", f"there is no file {partners}")
    if settings.store.url_file is not None:
        yield from check_secret(file, "store.url_file", settings.store.url_file)


def _mandanten(settings: Settings, file: Path) -> Iterator[Finding]:
    for mandant in settings.mandant:
        yield from check_secret(file, f"mandant[{mandant.name}].kek_file", mandant.kek_file)
        for position, previous in enumerate(mandant.previous_kek_files, 1):
            yield from check_secret(file, f"mandant[{mandant.name}].previous_kek_files[{position}]", previous)
        if mandant.keyring.is_file():
            yield from _keyring(mandant.keyring)
        else:
            yield Finding(file, f"mandant[{mandant.name}].keyring", f"there is no file {mandant.keyring}")


def _channels(settings: Settings, file: Path) -> Iterator[Finding]:
    for channel in settings.channel:
        if channel.amqp:
            yield from check_secret(file, f"channel[{channel.name}].amqp.url_file", channel.amqp.url_file)
            for name, claim in channel.amqp.claims.items():
                if claim.folder.exists() and not claim.folder.is_dir():
                    yield Finding(file, f"channel[{channel.name}].amqp.claims.{name}.folder", "is not a folder")
        if channel.osci_passive:
            yield from _https_files(file, f"channel[{channel.name}].osci_passive", channel.osci_passive)
        if channel.xta_passive:
            yield from _https_files(file, f"channel[{channel.name}].xta_passive", channel.xta_passive)
        if channel.xta_fetch:
            yield from _xta_files(file, f"channel[{channel.name}].xta_fetch", channel.xta_fetch)
        for name, table in (("osci_fetch", channel.osci_fetch), ("answer", channel.answer)):
            if table is not None and table.ca_file is not None and not table.ca_file.is_file():
                yield Finding(file, f"channel[{channel.name}].{name}.ca_file", f"there is no file {table.ca_file}")


def _https_files(file: Path, path: str, door: OsciPassiveDoor | XtaPassiveDoor) -> Iterator[Finding]:
    if door.tls_key:
        yield from check_secret(file, f"{path}.tls_key", door.tls_key)
    if door.tls_cert and not door.tls_cert.is_file():
        what, hint = f"there is no file {door.tls_cert}", "it comes with its key"
        yield Finding(file, f"{path}.tls_cert", what, hint, Severity.MISSING_SECRET)
    if door.client_ca and not door.client_ca.is_file():
        yield Finding(file, f"{path}.client_ca", f"there is no file {door.client_ca}")


def _xta_files(file: Path, path: str, door: XtaFetchDoor) -> Iterator[Finding]:
    for name, address in door.addresses.items():
        if address.ca_file is not None and not address.ca_file.is_file():
            yield Finding(file, f"{path}.{name}.ca_file", f"there is no file {address.ca_file}")
    for account in door.account:
        place = f"{path}.account[{account.mandant}]"
        yield from check_secret(file, f"{place}.tls_key", account.tls_key)
        if not account.tls_cert.is_file():
            what, hint = f"there is no file {account.tls_cert}", "it comes with its key"
            yield Finding(file, f"{place}.tls_cert", what, hint, Severity.MISSING_SECRET)


def _folders(settings: Settings, file: Path) -> Iterator[Finding]:
    data = settings.installation.data
    if data.exists() and not data.is_dir():
        yield Finding(file, "installation.data", "is not a folder")
    elif data.exists() and stat.S_IMODE(data.stat().st_mode) & 0o007:
        yield Finding(
            file, "installation.data", "is open to every user of this machine", f"chmod 700 {data}", Severity.WARNING
        )


def check_secret(file: Path, path: str, secret: Path) -> Iterator[Finding]:
    """What is wrong with the file `secret` that the setting `path` of `file` names; its content is not read."""
    try:
        status = secret.stat()
    except FileNotFoundError:
        yield Finding(file, path, f"there is no file {secret}", "create it with mode 0600", Severity.MISSING_SECRET)
        return
    except OSError as failure:
        yield Finding(file, path, f"{secret} cannot be looked at: {failure.strerror}")
        return
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode):
        yield Finding(file, path, f"{secret} is not a file")
    elif status.st_size == 0:
        yield Finding(file, path, f"{secret} is empty", "", Severity.MISSING_SECRET)
    elif not os.access(secret, os.R_OK):
        yield Finding(
            file, path, f"{secret} cannot be read by this user", f"the daemon's user must own it: chown … {secret}"
        )
    elif mode & 0o077:
        yield Finding(file, path, f"{secret} is open to others (mode {mode:04o})", f"chmod 600 {secret}")


def _keyring(ring: Path) -> Iterator[Finding]:
    """The files that a keyring names; what is in them is for `doctor` to open."""
    try:
        data = tomllib.loads(ring.read_text(encoding="utf-8"))
    except OSError as failure:
        yield Finding(ring, "", f"cannot be read: {failure.strerror}")
        return
    except ValueError as failure:
        yield Finding(ring, "", f"is not TOML: {failure}")
        return
    for position, key in _tables(data, "key"):
        for name in _SECRETS:
            if isinstance(key.get(name), str):
                yield from check_secret(ring, f"key[{position}].{name}", ring.parent / key[name])
    for position, anchor in _tables(data, "trust"):
        pem = anchor.get("pem")
        if isinstance(pem, str) and not (ring.parent / pem).is_file():
            yield Finding(ring, f"trust[{position}].pem", f"there is no file {ring.parent / pem}")


def _tables(data: dict[str, Any], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    entries = data.get(name)
    if isinstance(entries, list):
        for position, entry in enumerate(entries, 1):
            if isinstance(entry, dict):
                yield position, entry
