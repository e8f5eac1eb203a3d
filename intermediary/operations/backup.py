"""Makes a backup beside the running daemon: rows of one moment, payloads, data keys apart, what explains them."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from intermediary.audit.second_place import HEADS_FILE
from intermediary.audit.verify import fingerprint
from intermediary.core.faults import Misconfigured
from intermediary.keys.partners import named_files as partner_files
from intermediary.keys.ring import named_files as ring_files
from intermediary.operations import vault as vaults
from intermediary.operations.rotate import public_keys
from intermediary.operations.vault import Vault
from intermediary.store.backup import Written
from intermediary.store.pour import Watch
from intermediary.store.private_folder import clear_private_folders
from intermediary.wiring import Installation, installation_id, mandant_keys, spool_folder


@dataclass(frozen=True, slots=True)
class Backup:
    """What was made: the name of the run, what it holds, and what it did to the folder.

    `copied` payloads are new in the pool, with `copied_bytes`; `gone` were erased while it ran, `pruned` removed because
    no run can open them any more.
    """

    run: str
    folder: Path
    keys: Path
    written: Written
    copied: int
    copied_bytes: int
    gone: int
    pruned: int
    manifest_sha256: str


def make_backup(
    installation: Installation, vault: Vault, *, keep: timedelta, actor: str, watch: Watch, now: datetime
) -> Backup:
    """Write a run into the vault; it appears whole under its name, or not at all. The daemon may go on meanwhile.

    The order is what makes it consistent: first the rows of one moment, then the payloads they name, which never change;
    one that is gone by then was erased. At the end what a killed restore left is removed: it holds data keys. Raises
    `Misconfigured("backup.failed")`, or `Transient("store.unavailable")`.
    """
    with vault.writing():
        run = vaults.run_name(now)
        draft, folder = vault.runs / f".{run}.part", vault.runs / run
        keys = vault.keys_of(run)
        vaults.clear_drafts(vault)
        for there in (folder, keys):
            if there.exists():
                raise Misconfigured("backup.failed", where=f"{there} exists already")
        draft.mkdir(mode=0o700)
        umask = os.umask(0o077)
        try:
            written = installation.store.backups.write(
                rows=draft / vaults.ROWS, keys=keys, blobs=draft / vaults.BLOBS, watch=watch
            )
            for lock in ("migrate.lock", "writer.lock"):
                (draft / lock).unlink(missing_ok=True)
            copied, copied_bytes, gone = _copy_blobs(installation, draft / vaults.BLOBS, vault.pool, watch)
            _copy_heads(installation, draft)
            manifest = _manifest(installation, draft, keys, written, run=run, now=now, gone=gone)
            sha256 = vaults.write_manifest(draft, manifest, installation.signing.sign)
            vaults.make_each_durable(keys, vault.keys)
            vaults.make_durable(draft)
            draft.rename(folder)
            vaults.make_durable(vault.runs)
        except BaseException:
            if not folder.exists():
                keys.unlink(missing_ok=True)
            shutil.rmtree(draft, ignore_errors=True)
            raise
        finally:
            os.umask(umask)
        pruned = vaults.prune(vault, keep=keep, now=now)
        size = written.head.size if written.head else 0
        fields = {"backup": run, "manifest_sha256": sha256, "size": size, "nachrichten": written.nachrichten}
        installation.store.record_of_installation("backup.made", now=now, actor=actor, fields=fields)
        clear_private_folders(spool_folder(installation.settings))
        return Backup(run, folder, keys, written, copied, copied_bytes, len(gone), pruned, sha256)


def _copy_blobs(installation: Installation, names: Path, pool: Path, watch: Watch) -> tuple[int, int, list[str]]:
    wanted = names.read_text(encoding="utf-8").split()
    copied = total = 0
    gone: list[str] = []
    for name in watch(wanted, "blobs", len(wanted)):
        try:
            length = vaults.copy_blob(name, installation.store.backups.open_blob, pool)
        except Misconfigured:  # erased since the moment of the rows
            gone.append(name)
            (pool / name[:2] / f"{name}.part").unlink(missing_ok=True)
            continue
        copied += length > 0
        total += length
    return copied, total, gone


def _copy_heads(installation: Installation, draft: Path) -> None:
    """The heads as they are in the store, in case the second place is lost too."""
    lines = "".join(f"{head.line()}\n" for head in installation.store.heads())
    (draft / vaults.HEADS).write_text(lines, encoding="utf-8")


def _manifest(
    installation: Installation,
    draft: Path,
    keys: Path,
    written: Written,
    *,
    run: str,
    now: datetime,
    gone: list[str],
) -> dict[str, Any]:
    settings = installation.settings
    own = settings.installation
    rings = [mandant.keyring for mandant in settings.mandant]
    lock = settings.schemas.folder / "lock.toml"
    files = [settings.file, own.routes, *([own.partners] if own.partners else []), lock, *rings]
    configuration = vaults.copy_named(files, draft / vaults.CONFIGURATION)
    (draft / vaults.PUBLIC).mkdir(mode=0o700)
    for pem in public_keys(installation):
        (draft / vaults.PUBLIC / f"audit-{fingerprint(pem)[:16]}.pub.pem").write_bytes(pem)
    named = [path for ring in rings for path in ring_files(ring)]
    named += partner_files(own.partners) if own.partners else ()
    keks = mandant_keys(settings)
    return {
        "format": "intermediary-backup",
        "version": 1,
        "run": run,
        "made_at": now.isoformat(timespec="microseconds"),
        "program": version("xta-osci-intermediary"),
        "installation": {"name": own.name, "id": str(installation_id(own.name))},
        "engine": "postgresql" if settings.store.url_file else "sqlite",
        "nachrichten": written.nachrichten,
        "payloads": written.payloads,
        "gone": gone,
        "audit": {
            "size": written.head.size if written.head else 0,
            "head": written.head.line() if written.head else "",
            "unsealed": written.unsealed,
            "key": fingerprint(installation.signing.public_pem()),
            "heads_folder": str(settings.audit.heads_folder / HEADS_FILE),
        },
        "keys": {"file": keys.name, "count": written.keys, **vaults.digest(keys)},
        "configuration": configuration,
        "needed": {
            "keks": {
                mandant.name: {
                    "files": [str(path) for path in (mandant.kek_file, *mandant.previous_kek_files)],
                    "ids": [one.hex() for one in keks.ids(mandant.name)],
                }
                for mandant in settings.mandant
            },
            "files": sorted({str(path) for path in named}),
        },
        "files": vaults.hashes(draft),
    }
