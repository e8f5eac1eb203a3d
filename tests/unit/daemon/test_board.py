"""The board: what a process says is read as it was said, whatever the disk does meanwhile."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.core.bulletin import Bulletin, ChannelBulletin, Disk, Obstacle
from intermediary.daemon.board import BOARD, FRESH_SECONDS, Board, boot_seconds, is_current, read_board, sweep_board
from intermediary.store.owners import own_name

FULL = Obstacle("intake.disk.reserve", "/srv/daten")
BUSY = Obstacle("intake.mandant.full", "musterstadt", mandant="musterstadt")


def bulletin(*obstacles: Obstacle, channels: tuple[ChannelBulletin, ...] = ()) -> Bulletin:
    return Bulletin(
        role="ingress",
        owner=own_name(),
        at=datetime(2026, 11, 22, 3, tzinfo=UTC),
        boot_seconds=boot_seconds(),
        obstacles=obstacles,
        disks=(Disk("/srv/daten", 7, 10, None, 0),),
        channels=channels,
    )


def test_what_is_posted_is_read(tmp_path: Path) -> None:
    """Everything comes back, the newest only, and a shorter one leaves nothing of the longer one before it."""
    board = Board(tmp_path, role="ingress")
    many = tuple(ChannelBulletin(f"kanal-{number}", "taking", obstacles=(FULL,)) for number in range(300))
    board.post(bulletin(FULL, BUSY, channels=many))
    assert 300 == len(read_board(tmp_path)[0].channels)
    last = bulletin(FULL, channels=many[:1])
    board.post(last)

    assert [last] == read_board(tmp_path)
    board.close()
    assert [] == read_board(tmp_path)


def test_a_full_disk_does_not_silence_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bulletin that cannot be written is no failure of the process, and the next one is written."""
    board = Board(tmp_path, role="ingress")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        board.post(bulletin(FULL))
    assert [] == read_board(tmp_path)
    board.post(bulletin(FULL))
    assert [(FULL,)] == [one.obstacles for one in read_board(tmp_path)]


def test_a_second_word_needs_no_new_room(tmp_path: Path) -> None:
    """The file keeps its blocks: what was allocated with the first bulletin holds the following ones."""
    board = Board(tmp_path, role="ingress")
    board.post(bulletin())
    (file,) = (tmp_path / BOARD).iterdir()
    before = file.stat()
    board.post(bulletin(FULL, BUSY))
    after = file.stat()

    assert (before.st_ino, before.st_size, before.st_blocks) == (after.st_ino, after.st_size, after.st_blocks)


def test_the_dead_and_the_silent_do_not_count(tmp_path: Path) -> None:
    """A process that ended without a word, or has not spoken for long, is not current; the dead one is swept away."""
    board = Board(tmp_path, role="worker")
    mine = bulletin()
    board.post(mine)
    ask = "from intermediary.store.owners import own_name; print(own_name())"
    gone = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
    dead = replace(mine, owner=gone)
    (tmp_path / BOARD / "worker.1.00000000.json").write_text(_json(dead))

    assert is_current(mine, now_boot_seconds=mine.boot_seconds + 1)
    assert not is_current(mine, now_boot_seconds=mine.boot_seconds + FRESH_SECONDS + 1)
    assert not is_current(dead, now_boot_seconds=mine.boot_seconds + 1)
    assert 2 == len(read_board(tmp_path))
    sweep_board(tmp_path)
    assert [mine] == read_board(tmp_path)


def test_nothing_readable_is_no_bulletin(tmp_path: Path) -> None:
    """Half-written, foreign or of a later format: left out, and nobody falls over it."""
    (tmp_path / BOARD).mkdir()
    for number, text in enumerate(("", "{", "[]", '{"format": 2}', '{"format": 1}', "null")):
        (tmp_path / BOARD / f"{number}.json").write_text(text)

    assert [] == read_board(tmp_path)
    assert [] == read_board(tmp_path / "nowhere")


def test_a_channel_takes_while_one_mandant_still_may() -> None:
    """A full Mandant keeps the others of a channel from nothing; an obstacle of everybody closes it."""
    assert ChannelBulletin("a", "taking", obstacles=(BUSY,)).is_taking
    assert not ChannelBulletin("a", "taking", obstacles=(FULL,)).is_taking
    assert not ChannelBulletin("a", "holding").is_taking
    assert bulletin(FULL).may_work
    assert not bulletin(Obstacle("clock.untrusted", stops_work=True)).may_work


def _json(one: Bulletin) -> str:
    import json

    from intermediary.core.bulletin import to_json

    return json.dumps(to_json(one))
