"""Copies an installation's store to another engine or place: rows, wrapped payloads, the key of the audit trail."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from intermediary.audit.verify import Report
from intermediary.core.faults import Misconfigured, Transient
from intermediary.operations.prove import verify_installation
from intermediary.settings.load import load
from intermediary.settings.models import Settings
from intermediary.store.pour import Watch
from intermediary.wiring import copy_rows, open_installation, store_url

_STAYS = frozenset(
    {"store.db", "store.db-wal", "store.db-shm", "migrate.lock", "writer.lock", "spool", "incoming", "intake.lock"}
)
"""What belongs to one engine or one process, not to the installation."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: rows by table, files; and what the audit trail of the new store says of itself."""

    rows: dict[str, int]
    files: int
    audit: Report


def copy_installation(source: Path, target: Path, *, watch: Watch) -> Copied:
    """Copy the store of the configuration `source` to where the configuration `target` has its own.

    The daemons of both are stopped. All or nothing: until the last commit the old store is as it was, and afterwards it
    is empty and refuses to work (`store.moved`), so that never both do, and no payload outlives its term there. After a
    break it may be called again; files that are there already are compared. Both configurations name the same
    installation, and the same data folder or an empty one.
    Raises `ConfigurationError`, and `Misconfigured` as `copy_store` does, or `store.absent` where there is none to copy.
    """
    old, new = load(source), load(target)
    here, there = old.installation.data, new.installation.data
    if old.installation.name != new.installation.name:
        raise Misconfigured("store.installation.differs", where="installation.name")
    if here == there and store_url(old) == store_url(new):
        raise Misconfigured("store.copy.not-empty", where="both configurations name the same store")
    open_installation(source, begins=False).store.close()  # brings it to the present schema and tidies up after a crash
    files = 0 if here == there else _copy_files(here, there)
    rows = copy_rows(old, new, watch=watch)
    return Copied(rows, files, _verify(target, new))


def _verify(config: Path, settings: Settings) -> Report:
    installation = open_installation(config)
    try:
        return verify_installation(installation, heads_folder=settings.audit.heads_folder)
    finally:
        installation.store.close()


def _copy_files(here: Path, there: Path) -> int:
    there.mkdir(mode=0o700, parents=True, exist_ok=True)
    count = 0
    try:
        for file in _files(here):
            target = there / file.relative_to(here)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not target.exists():
                _copy_file(file, target)
            elif not filecmp.cmp(file, target, shallow=False):
                raise Misconfigured("store.copy.not-empty", where=str(target))
            count += 1
        for folder in {there, *(path for path in there.rglob("*") if path.is_dir())}:
            _make_durable(folder)
    except OSError as failure:
        raise Transient("store.unavailable", where=f"{failure.filename}: {failure.strerror}") from failure
    return count


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _STAYS or path.is_symlink():
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path


def _copy_file(file: Path, target: Path) -> None:
    """Whole or not at all under its name."""
    part = target.with_name(f"{target.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as written, file.open("rb") as read:
        shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(descriptor)
    part.rename(target)


def _make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
