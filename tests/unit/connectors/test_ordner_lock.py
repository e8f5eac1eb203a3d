"""One attempt at a time under a key, in threads and in processes."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.ordner import lock
from connectors.ordner.lock import LOCKS, alone
from intermediary.connect.api import Misconfigured, Transient

_HOLD = """
import os, sys
from connectors.ordner.lock import alone
with alone(os.open(sys.argv[1], os.O_RDONLY), sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[int]:
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield folder
    os.close(folder)


def test_threads_of_one_process_exclude_each_other(state: int) -> None:
    """The lock is of the call, not of the process; it is free again once the call is over."""
    with alone(state, "a"), ThreadPoolExecutor(1) as pool:
        assert "target.busy" == pool.submit(_try, state, "a").result()
        assert "" == pool.submit(_try, state, "b").result()
    assert "" == _try(state, "a")


def test_the_end_of_one_call_frees_no_other(state: int) -> None:
    """Closing one open file of the locks leaves what others hold, as the locks of a process would not."""
    with alone(state, "a"):
        assert "" == _try(state, "b")
        assert "target.busy" == _try(state, "a")


def test_a_process_holds_its_keys_until_it_is_gone(state: int, tmp_path: Path) -> None:
    """A killed process leaves no lock behind, and a stopped one keeps others out."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path), "a"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert b"held\n" == holder.stdout.readline()
        holder.send_signal(signal.SIGSTOP)
        assert "target.busy" == _try(state, "a")
        assert "" == _try(state, "b")
        holder.send_signal(signal.SIGKILL)
    assert "" == _try(state, "a")


def test_no_file_is_made_or_removed_for_a_key(state: int, tmp_path: Path) -> None:
    """What many attempts leave behind is one empty file, the same as before."""
    names = set()
    for number in range(20):
        with alone(state, f"key-{number}"):
            pass
        names.add(tuple((path.name, path.stat().st_ino, path.stat().st_size) for path in tmp_path.iterdir()))

    assert 1 == len(names)


def test_a_link_in_place_of_the_file_is_not_followed(state: int, tmp_path: Path) -> None:
    """Whoever could plant one would have us make a file elsewhere."""
    (tmp_path / "keys.lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(Misconfigured), alone(state, "a"):
        raise AssertionError("it was followed")


def test_who_clears_by_age_never_meets_the_file(state: int, tmp_path: Path) -> None:
    """The READMEs have an operator remove what nobody touched for 90 days; a removed file would lock nobody out."""
    locks = tmp_path / LOCKS
    locks.touch()
    long_ago = time.time() - 100 * 86400
    os.utime(locks, (long_ago, long_ago))
    with alone(state, "a"):
        assert time.time() - locks.stat().st_mtime < 3600


def test_a_file_removed_before_it_was_locked_locks_nothing(
    state: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the opening and the lock somebody removed it: the next one would lock another file."""
    taken = lock._take

    def removed_first(file: int, key: str) -> None:
        (tmp_path / LOCKS).unlink()
        taken(file, key)

    with monkeypatch.context() as patched:
        patched.setattr(lock, "_take", removed_first)
        assert "target.busy" == _try(state, "a")
    assert "" == _try(state, "a")


def test_an_older_program_keeps_us_out(state: int, tmp_path: Path) -> None:
    """During an upgrade it works beside us and locks a file of the key; what it left behind holds nothing."""
    older = tmp_path / "a.lock"
    with older.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "target.busy" == _try(state, "a")
        assert "" == _try(state, "b")
    assert "" == _try(state, "a")


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOLCK, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_without_locks_is_the_operators(state: int, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Waiting heals nothing there, and nobody else is at it."""

    def refused(*_asked: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "fcntl", refused)
    with pytest.raises(Misconfigured) as raised, alone(state, "a"):
        raise AssertionError("it was locked")

    assert ("target.misconfigured", f"state: {os.strerror(number)}") == (raised.value.code, raised.value.where)


def _try(state: int, key: str) -> str:
    try:
        with alone(state, key):
            return ""
    except Transient as fault:
        return fault.code
