"""Looks whether the folders fit together, without touching anything in them."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from connectors.ordner.folder import opened, sync
from connectors.ordner.lock import LOCKS
from connectors.ordner.rename import exists
from intermediary.connect.api import Misconfigured

_MOUNT = re.compile(r"^mnt_id:\s*([0-9]+)", re.MULTILINE)
_OPEN_FILES = Path("/proc/self/fdinfo")


def probe_handover(state: Path, drop: Path) -> None:
    """Both folders are there, writable and on the same mount, and nobody else writes into the state folder."""
    with opened(state, "state") as state_folder, opened(drop, "drop") as drop_folder:
        for folder, where in ((state_folder, "state"), (drop_folder, "drop")):
            demand(is_writable(folder), f"{where}: not writable")
            sync(folder, f"{where}: cannot be synced")
        state_facts, drop_facts = os.fstat(state_folder), os.fstat(drop_folder)
        demand(not os.path.samestat(state_facts, drop_facts), "state: is the drop itself")
        demand(is_on_one_mount(state_folder, drop_folder), "state: not on the same file system and mount as drop")
        others = stat.S_IMODE(state_facts.st_mode) & (stat.S_IWGRP | stat.S_IWOTH)
        demand(not others, "state: others may write into it")
        demand(_may_lock(state_folder), f"state: {LOCKS} is not ours to write")


def probe_acknowledgement(folder_path: Path) -> None:
    """Answers can be read and cleared."""
    with opened(folder_path, "acknowledgement.folder") as folder:
        demand(is_writable(folder), "acknowledgement.folder: not writable")


def is_writable(folder: int) -> bool:
    """Whether files can be read, made and renamed in an open folder."""
    return os.access(".", os.R_OK | os.W_OK | os.X_OK, dir_fd=folder, effective_ids=True)


def _may_lock(state: int) -> bool:
    return not exists(LOCKS, state) or os.access(LOCKS, os.R_OK | os.W_OK, dir_fd=state, effective_ids=True)


def is_on_one_mount(first: int, second: int) -> bool:
    """Whether a file can be renamed from one open folder into another."""
    is_one_device = os.fstat(first).st_dev == os.fstat(second).st_dev
    return is_one_device and _mount_of(first) == _mount_of(second)


def _mount_of(folder: int) -> str:
    """The mount a folder was reached by: two bind mounts of one device do not let a rename through."""
    try:
        found = _MOUNT.search((_OPEN_FILES / str(folder)).read_text())
    except OSError:
        return ""
    return found.group(1) if found else ""


def demand(holds: bool, where: str) -> None:
    """Raise what a probe finds: the setting and what is wrong with it."""
    if not holds:
        raise Misconfigured("target.misconfigured", where=where)
