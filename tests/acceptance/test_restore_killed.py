"""A restore that is ended in the middle: the copy of rows and data keys it works on does not outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.daemon import Daemon
from tests.acceptance.office import Office


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """What the system's folder for temporary files is for the restore."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@contextmanager
def _checking(office: Office, temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`restore --check` as a process that has opened the rows and reads a payload, which does not come."""
    backups = office.folder / "backups"
    assert 0 == office.call("backup", "-o", backups).code
    payload = min(backups.glob("blobs/??/*"))
    kept = office.folder / payload.name
    payload.rename(kept)
    os.mkfifo(payload)
    words = ["restore", backups, "--check", "-c", office.config]
    process = subprocess.Popen(
        [sys.executable, "-m", "intermediary", *map(str, words)],
        env=os.environ | {"TMPDIR": str(temporary)},
        preexec_fn=_hear_signals,
    )
    try:
        with payload.open("wb"):  # returns when the other side has opened it
            yield process
    finally:
        process.kill()
        process.wait()
        payload.unlink()
        kept.rename(payload)


def _hear_signals() -> None:
    """Whoever runs the tests in the background, or without a terminal, has told them to ignore some."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def _copies(office: Office, *elsewhere: Path) -> list[Path]:
    return [file for place in (office.folder / "data", *elsewhere) for file in place.rglob("rows.db*")]


def test_its_rows_lie_in_the_place_of_the_installation(own: Office, temporary: Path) -> None:
    """Nowhere in the system's folder for temporary files; in the spool, for its owner alone."""
    with _checking(own, temporary):
        rows = next(one for one in _copies(own) if one.name == "rows.db")

        assert [] == list(temporary.iterdir())
        assert own.folder / "data/spool" == rows.parent.parent
        assert (0o700, 0o600) == (rows.parent.stat().st_mode & 0o777, rows.stat().st_mode & 0o777)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_told_to_end_it_removes_them(own: Office, temporary: Path, number: signal.Signals) -> None:
    """The exit code says by what it was ended, and nothing is left."""
    with _checking(own, temporary) as process:
        process.send_signal(number)

        assert 128 + number == process.wait(timeout=60)
        assert [] == _copies(own, temporary)


def _restore(office: Office, _temporary: Path) -> None:
    assert 0 == office.call("restore", office.folder / "backups", "--check").code


def _backup(office: Office, _temporary: Path) -> None:
    assert 0 == office.call("backup", "-o", office.folder / "backups").code


def _daemon(office: Office, temporary: Path) -> None:
    daemon = Daemon(office.config, log=temporary.with_name("daemon.log"), temporary=temporary)
    daemon.wait_for("daemon.started")
    daemon.kill()


@pytest.mark.parametrize("comes", [_restore, _backup, _daemon])
def test_what_a_killed_one_left_is_removed(own: Office, temporary: Path, comes) -> None:
    """By the next restore, backup or daemon, whichever comes first."""
    with _checking(own, temporary) as process:
        process.kill()
        process.wait()
        assert _copies(own)
    comes(own, temporary)

    assert [] == _copies(own, temporary)


def test_one_at_work_is_left_alone(own: Office, temporary: Path) -> None:
    """Neither another check nor a backup removes its rows; and they remove their own."""
    with _checking(own, temporary) as process:
        (folder,) = (own.folder / "data/spool").glob("restore-*/")
        _backup(own, temporary)
        assert 1 == own.call("restore", own.folder / "backups", "--keys", own.folder, "--check").code

        assert [folder] == list((own.folder / "data/spool").glob("restore-*/"))
        assert (folder / "rows.db").exists()
        assert process.poll() is None
