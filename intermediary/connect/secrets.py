"""Reads a secret of a target from the file its settings name, and refuses a file that everybody may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from intermediary.core.faults import Misconfigured

_LONGEST = 64 * 1024


def read_secret(path: Path) -> str:
    """The text of a secret file without one newline at its end; read anew at each call, so that it can be renewed.

    For settings of the type Path that are marked `field(metadata={"secret": True, …})`. Raises
    `Misconfigured("target.secret.unreadable")` when there is no such file of at most 64 KiB of UTF-8, and
    `Misconfigured("target.secret.exposed")` when its mode lets everybody read or change it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > _LONGEST:
                raise Misconfigured("target.secret.unreadable", where=path.name)
            if stat.S_IMODE(about.st_mode) & 0o007:
                raise Misconfigured("target.secret.exposed", where=path.name)
            text = file.read(_LONGEST + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        raise Misconfigured("target.secret.unreadable", where=path.name) from failure
    return text.removesuffix("\n").removesuffix("\r")
