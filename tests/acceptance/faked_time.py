"""A daemon whose wall clock is what a file says: libfaketime, with CLOCK_BOOTTIME left as it is, as on a real host."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from intermediary.core.bulletin import Bulletin
from intermediary.daemon.board import boot_seconds, is_current, read_board
from tests.acceptance.daemon import wait_until

_SLEEP = """
import select
import time

time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""
"""libfaketime 0.9.10 breaks `clock_nanosleep` to an absolute moment when it leaves CLOCK_MONOTONIC alone."""


class FakedTime:
    """The file; `say` changes the time of every process that was started with `environment`, while it runs."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._library = _library()
        self._patch = file.with_name("patch")
        self._patch.mkdir()
        (self._patch / "sitecustomize.py").write_text(_SLEEP)
        self.say("+0")

    def say(self, text: str) -> None:
        """`+2h`, `-400d`: so far from the real time. `2026-11-22 03:30:00`: it stands still there."""
        hidden = self._file.with_suffix(".new")
        hidden.write_text(f"{text}\n")
        hidden.rename(self._file)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "PYTHONPATH": os.pathsep.join([str(self._patch), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": "UTC",
        }

    @property
    def environment(self) -> dict[str, str]:
        """For a process that is to live in this time."""
        return os.environ | self.variables

    @property
    def within(self) -> tuple[str, ...]:
        """The same as a command to run one in."""
        return ("env", *(f"{name}={value}" for name, value in self.variables.items()))


def bulletin_of(data: Path, role: str) -> Bulletin | None:
    """What a living process of this role says at present."""
    now = boot_seconds()
    return next((one for one in read_board(data) if one.role == role and is_current(one, now_boot_seconds=now)), None)


def wait_for_bulletins(data: Path, role: str, *, more: float) -> Bulletin:
    """The bulletin after the process has looked at everything for so many seconds more."""
    since = boot_seconds()
    found: list[Bulletin] = []

    def has_looked() -> bool:
        said = bulletin_of(data, role)
        found[:] = [said] if said is not None else []
        return said is not None and said.boot_seconds >= since + more

    wait_until(has_looked, f"the next bulletin of {role}")
    return found[0]


def _library() -> Path:
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if found:
        return found[0]
    if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
        pytest.fail("libfaketime is missing: make packages")
    pytest.skip("libfaketime is missing: make packages")
