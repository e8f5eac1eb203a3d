"""The folder of backups: one pool of payloads, a folder per run, its data keys apart; a manifest with hashes, signed.

    DIR/blobs/ab/NAME            every payload once, still encrypted: they never change, so a run adds only new ones
    DIR/keys/RUN.jsonl           the data keys of a run; removed after 14 days: what was erased is gone then (DESIGN §2.2);
                                 elsewhere, several folders of backups may have theirs in one place
    DIR/runs/RUN/                manifest.json and .sig, rows.db, blobs.txt, heads.jsonl, configuration/, public/

No KEK, no private key and not the audit key are in it: they are kept elsewhere (docs/howto/backup.md).
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from intermediary.core.faults import Misconfigured

KEY_DAYS = 14
"""So long the data keys of a run are kept; afterwards its payloads cannot be opened any more, whoever has the KEKs."""

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
ROWS, BLOBS, HEADS = "rows.db", "blobs.txt", "heads.jsonl"
CONFIGURATION, PUBLIC = "configuration", "public"

_DOMAIN = b"intermediary-backup\0"
_STAMP = "%Y-%m-%dT%H-%M-%S.%fZ"


@dataclass(frozen=True, slots=True)
class Vault:
    """The paths of a folder of backups; `keys` may lie elsewhere."""

    root: Path
    keys: Path

    @property
    def pool(self) -> Path:
        """Where the payloads are."""
        return self.root / "blobs"

    @property
    def runs(self) -> Path:
        """Where the folder of each run is."""
        return self.root / "runs"

    def keys_of(self, run: str) -> Path:
        """The file of data keys of a run that is made or read now."""
        return self.keys / f"{run}.jsonl"

    @property
    def key_folders(self) -> tuple[Path, ...]:
        """Where data keys of its runs may be: earlier ones are beside them, if `keys` was moved elsewhere since."""
        return tuple(dict.fromkeys((self.keys, self.root / "keys")))

    def has_keys(self, run: str) -> bool:
        """Whether its payloads can still be opened."""
        return any((folder / f"{run}.jsonl").exists() for folder in self.key_folders)

    def forget_keys(self, run: str) -> None:
        """Remove the data keys of a run, wherever they are."""
        for folder in self.key_folders:
            (folder / f"{run}.jsonl").unlink(missing_ok=True)

    def names(self) -> list[str]:
        """The complete runs, oldest first."""
        with suppress(FileNotFoundError):
            return sorted(one.name for one in self.runs.iterdir() if (one / SIGNATURE).is_file() and _made(one.name))
        return []

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make the folders, and keep a second backup out; `Misconfigured("backup.failed")`."""
        try:
            for folder in (self.root, self.pool, self.pool / "incoming", self.runs, self.keys):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.root / "backup.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as failure:
            raise Misconfigured("backup.failed", where=f"{failure.filename}: {failure.strerror}") from failure
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as busy:
            raise Misconfigured("backup.failed", where=f"{self.root}: another backup is running") from busy
        except OSError as failure:
            raise Misconfigured("backup.failed", where=f"{failure.filename}: {failure.strerror}") from failure
        finally:
            os.close(lock)


def vault_of(place: Path, keys: Path | None) -> tuple[Vault, str]:
    """The vault and the run that `place` names: a run's folder, or a folder of backups and its newest run.

    `Misconfigured("backup.unusable")` when there is none.
    """
    place = place.absolute()
    if (place / MANIFEST).is_file():
        root, run = place.parent.parent, place.name
    else:
        root, run = place, next(reversed(Vault(place, place).names()), "")
    if not run:
        raise Misconfigured("backup.unusable", where=f"{place}: no complete backup")
    return Vault(root, keys or root / "keys"), run


def run_name(now: datetime) -> str:
    """The name of a run made now; names sort by time."""
    return now.astimezone(UTC).strftime(_STAMP)


def copy_blob(name: str, source: Callable[[str], Any], pool: Path) -> int:
    """Bring one payload into the pool, whole or not at all; its length, 0 when it was there already."""
    target = pool / name[:2] / name
    if target.exists():
        return 0
    target.parent.mkdir(mode=0o700, exist_ok=True)
    part = target.with_name(f"{name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as written, source(name) as read:
        shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(descriptor)
        length = written.tell()
    part.rename(target)
    return length


def hashes(folder: Path) -> dict[str, dict[str, Any]]:
    """Every file below, by its path in the folder: SHA-256 and length."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name not in (MANIFEST, SIGNATURE))
    return {str(path.relative_to(folder)): digest(path) for path in files}


def digest(path: Path) -> dict[str, Any]:
    """SHA-256 and length of one file."""
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "length": path.stat().st_size}


def write_manifest(folder: Path, manifest: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """Write and sign it, last of all; its SHA-256."""
    data = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
    (folder / MANIFEST).write_bytes(data)
    (folder / SIGNATURE).write_bytes(base64.b64encode(sign(_DOMAIN + data)) + b"\n")
    return hashlib.sha256(data).hexdigest()


def read_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    """The manifest and its SHA-256; `Misconfigured("backup.unusable")` when it cannot be read."""
    try:
        data = (folder / MANIFEST).read_bytes()
        manifest = json.loads(data)
    except (OSError, ValueError) as wrong:
        raise Misconfigured("backup.unusable", where=str(folder / MANIFEST)) from wrong
    if not isinstance(manifest, dict) or manifest.get("format") != "intermediary-backup":
        raise Misconfigured("backup.unusable", where=str(folder / MANIFEST))
    return manifest, hashlib.sha256(data).hexdigest()


def is_signed(folder: Path, keys: Iterable[bytes]) -> bool:
    """Whether one of these public keys (PEM) signed the manifest."""
    try:
        data = (folder / MANIFEST).read_bytes()
        signature = base64.b64decode((folder / SIGNATURE).read_bytes())
    except (OSError, ValueError):
        return False
    return is_of(signature, _DOMAIN + data, keys)


def is_of(signature: bytes, data: bytes, keys: Iterable[bytes]) -> bool:
    """Whether one of these public keys (PEM) made the signature over `data`."""
    return any(_fits(load_pem_public_key(pem), signature, data) for pem in keys)


def prune(vault: Vault, *, keep: timedelta, now: datetime) -> int:
    """Remove runs that are older than `keep`, data keys older than 14 days, and payloads that no run can open any more.

    How many payloads that were. Called after a run that succeeded, so that one always remains. `vault.keys` may hold data
    keys of other folders of backups: those go by their age alone, since only their own folder knows how long it keeps them.
    """
    for run in vault.names():
        if now - _moment(run) > keep:
            vault.forget_keys(run)
            shutil.rmtree((vault.runs / run).rename(vault.runs / f".{run}.part"))  # broken off, it is a draft to clear
    for file in [file for folder in vault.key_folders for file in folder.glob("*.jsonl")]:
        if _made(file.stem) and now - _moment(file.stem) > timedelta(days=KEY_DAYS):
            file.unlink(missing_ok=True)  # another folder's backup may be here at the same time
    needed: set[str] = set()
    for run in vault.names():
        if vault.has_keys(run):
            needed.update((vault.runs / run / BLOBS).read_text(encoding="utf-8").split())
    gone = [path for path in vault.pool.glob("??/*") if path.name not in needed]
    for path in gone:
        path.unlink()
    return len(gone)


def clear_drafts(vault: Vault) -> None:
    """Remove what backups that were killed left in this folder, and the data keys they wrote; inside `writing`."""
    for left in vault.runs.glob(".*.part"):
        vault.forget_keys(left.name[1:].removesuffix(".part"))
        shutil.rmtree(left)


def make_durable(folder: Path) -> None:
    """The files below, and their names."""
    make_each_durable(*folder.rglob("*"), folder)


def make_each_durable(*paths: Path) -> None:
    """These files and folders, without what is below."""
    for path in paths:
        flags = os.O_RDONLY | (os.O_DIRECTORY if path.is_dir() else 0)
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def copy_named(files: Sequence[Path], folder: Path) -> dict[str, str]:
    """Copy files beside each other; where each one came from, by its name there."""
    folder.mkdir(mode=0o700)
    names: dict[str, str] = {}
    for number, file in enumerate(dict.fromkeys(files)):
        if file.is_file():
            name = f"{number:02}-{file.name}"
            shutil.copyfile(file, folder / name)
            names[name] = str(file)
    return names


def _fits(key: object, signature: bytes, data: bytes) -> bool:
    if not isinstance(key, Ed25519PublicKey):
        return False
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _made(name: str) -> bool:
    with suppress(ValueError):
        return bool(_moment(name))
    return False


def _moment(name: str) -> datetime:
    return datetime.strptime(name, _STAMP).replace(tzinfo=UTC)
