"""Restores an installation from a backup, or says beforehand whether that would work and what would be lost (F22)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from intermediary.audit.second_place import copy_missing
from intermediary.audit.verify import Report, fingerprint
from intermediary.core.faults import Misconfigured, Transient
from intermediary.keys.signing import SigningKey
from intermediary.operations import vault as vaults
from intermediary.operations.backup_check import Checked, Scene, check
from intermediary.operations.person import Request
from intermediary.operations.prove import verify_installation
from intermediary.operations.vault import Vault
from intermediary.settings.load import load
from intermediary.settings.models import Settings
from intermediary.store.pour import Watch
from intermediary.store.private_folder import private_folder
from intermediary.store.restore import Doubtful, Restoration, demand_empty, open_rows, restore_rows
from intermediary.wiring import (
    SIGNING_KEY,
    installation_id,
    mandant_keys,
    open_installation,
    signing_key,
    spool_folder,
    store_place,
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done: how much is in doubt now, until when what comes in new is too, and what the audit trail says."""

    checked: Checked
    doubtful: Doubtful
    doubt_until: datetime
    payloads: int
    audit: Report


@dataclass(frozen=True, slots=True)
class How:
    """`audit_key` is the file of the key that signs heads; with `new_audit_key` it is lost, and a new one is made.

    `doubt` is how long what comes in new may be a repetition of what was lost.
    """

    audit_key: Path | None = None
    new_audit_key: bool = False
    doubt: timedelta = timedelta(hours=24)


def check_backup(config: Path, vault: Vault, run: str, *, watch: Watch) -> Checked:
    """Look at everything a restore would need, without changing anything; `ConfigurationError`, `Misconfigured`."""
    settings = load(config)
    with _scene(settings, vault, run) as scene:
        return check(scene, watch=watch)


def restore(
    config: Path, vault: Vault, run: str, request: Request, how: How, *, watch: Watch, now: datetime
) -> Restored:
    """Bring a backup back into the empty installation of `config`; the daemon is stopped.

    Raises `Misconfigured` before anything is changed: `backup.unusable` when the check finds something bad,
    `restore.not-empty`, `restore.key.missing`, `restore.key.other`. When it breaks off it may be called again: the rows
    come in one transaction, last of all.
    """
    settings = load(config)
    data = settings.installation.data
    with _scene(settings, vault, run) as scene:
        checked = check(scene, watch=watch)
        if not checked.is_usable or scene.rows is None:
            raise Misconfigured("backup.unusable", where="; ".join(checked.flaws[:3]))
        key = _find_audit_key(data, how, checked.manifest)
        place = store_place(settings)
        demand_empty(place, scene.rows.installation)
        if key is not None:
            _put(key, data / SIGNING_KEY)
        for pem in (scene.folder / vaults.PUBLIC).glob("*.pem"):
            _put(pem, data / pem.name)
        payloads = _bring_back(scene, data / "blobs", watch)
        restoration = Restoration(
            run,
            checked.manifest_sha256,
            checked.loss,
            actor=request.actor,
            reason=request.reason,
            doubt=how.doubt,
            sign=signing_key(data / SIGNING_KEY).sign,
        )
        doubtful = restore_rows(scene.rows, place, restoration, watch=watch, now=now)
    return Restored(checked, doubtful, now + how.doubt, payloads, _seal_and_verify(config, now))


@contextmanager
def _scene(settings: Settings, vault: Vault, run: str) -> Iterator[Scene]:
    """The backup, its rows opened as a private copy beside the spool; these are missing when they cannot be."""
    folder = vault.runs / run
    keys_file = vault.keys_of(run)
    with ExitStack() as stack:
        rows, why = None, ""
        try:
            copy = stack.enter_context(private_folder(spool_folder(settings))) / vaults.ROWS
            shutil.copyfile(folder / vaults.ROWS, copy)
            copy.chmod(0o600)
            rows = open_rows(
                copy,
                keys_file if keys_file.is_file() else None,
                pool=vault.pool,
                keys=mandant_keys(settings),
                installation=installation_id(settings.installation.name),
            )
            stack.callback(rows.close)
        except Misconfigured as fault:
            why = f"{fault.code}: {fault.where}"
        except OSError as failure:
            why = f"{failure.filename or vaults.ROWS}: {failure.strerror}"
        except (Transient, ValueError, KeyError) as failure:
            why = f"{vaults.ROWS}: {type(failure).__name__}"
        yield Scene(settings, vault, run, folder, keys_file, rows, why)


def _find_audit_key(data: Path, how: How, manifest: dict[str, Any]) -> Path | None:
    """The file to put in place; None when the key is there, or is to be made anew."""
    wanted, here = manifest["audit"]["key"], data / SIGNING_KEY
    if here.exists() and fingerprint(SigningKey(here).public_pem()) != wanted and not how.new_audit_key:
        raise Misconfigured("restore.key.other", where=f"{here} (not key {wanted[:16]})")
    if how.audit_key is not None:
        if fingerprint(SigningKey(how.audit_key).public_pem()) != wanted and not how.new_audit_key:
            raise Misconfigured("restore.key.missing", where=f"{how.audit_key} is not the key {wanted[:16]}")
        return how.audit_key
    if not here.exists() and not how.new_audit_key:
        raise Misconfigured("restore.key.missing", where=f"{here} (key {wanted[:16]})")
    return None


def _put(file: Path, target: Path) -> None:
    """A copy that only its owner may read; one that is there already stays."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            written.write(file.read_bytes())
            written.flush()
            os.fsync(descriptor)


def _bring_back(scene: Scene, blobs: Path, watch: Watch) -> int:
    if scene.rows is None:
        return 0
    blobs.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = scene.payloads()
    for name in watch(names, "blobs", len(names)):
        vaults.copy_blob(name, scene.rows.blobs.open, blobs)
    vaults.make_durable(blobs)
    return len(names)


def _seal_and_verify(config: Path, now: datetime) -> Report:
    """The event of the restore under a signed head at once: the daemon's first head would say it too, only later."""
    installation = open_installation(config)
    try:
        installation.store.seal_heads(installation.signing.sign, now=now)
        with suppress(Transient):  # the verification says that the place is away
            copy_missing(installation.settings.audit.heads_folder, installation.store.heads)
        return verify_installation(installation)
    finally:
        installation.store.close()
