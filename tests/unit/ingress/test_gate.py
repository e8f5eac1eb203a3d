"""The gate and the reserve: when they close, when they open again, and what doors are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from intermediary.core.bulletin import Disk, Obstacle
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.gate import OPEN, SILENT_SECONDS, GuardedGate, closing
from intermediary.ingress.reserve import MEBIBYTE, Reserve, Reserves, is_short
from intermediary.testing.takes import NOW, RecordingTake

FULL_DISK = Obstacle("intake.disk.reserve", "/daten")


class Ticks:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def eingang(number: int, mandant: str = "a") -> Eingang:
    body = MemoryContent(b"x")
    return Eingang(
        mandant=mandant, channel="tuer", message_id=f"m-{number}", content_type="x/y", received_at=NOW, body=body
    )


def test_an_obstacle_of_everybody_closes_for_all() -> None:
    """Until it is gone; the gate remembers nothing."""
    gate = GuardedGate()
    assert gate.obstacle("a") is None
    gate.show([FULL_DISK])
    assert FULL_DISK == gate.obstacle("a") == gate.obstacle()
    gate.show([])

    assert gate.obstacle() is None


def test_a_lookout_that_hangs_closes_the_gate() -> None:
    """Who asks the store and gets no answer cannot say so: silence is the answer."""
    ticks = Ticks()
    gate = GuardedGate(ticks=ticks)
    gate.show([])
    ticks.now = SILENT_SECONDS
    assert gate.obstacle() is None
    ticks.now += 1
    silent = gate.obstacle()

    assert silent is not None
    assert "store.unavailable" == silent.code
    assert (silent,) == gate.obstacles()
    gate.show([])
    assert gate.obstacle() is None


def test_a_full_mandant_is_alone() -> None:
    """It is stopped at its quota, the others go on, and it is let in again when a tenth is free."""
    gate = GuardedGate({"a": 100})
    gate.show([], {"a": 99, "b": 10_000})
    assert gate.obstacle("a") is None
    gate.show([], {"a": 100})
    assert Obstacle("intake.mandant.full", "a", mandant="a") == gate.obstacle("a")
    assert gate.obstacle("b") is gate.obstacle() is None
    gate.show([], {"a": 90})
    assert gate.obstacle("a") is not None
    gate.show([], {"a": 89})

    assert gate.obstacle("a") is None
    gate.show([], {"a": 95})
    assert gate.obstacle("a") is None


def test_what_is_taken_between_two_counts_counts() -> None:
    """A burst is stopped at the quota; what had been there before is not counted twice."""
    take = RecordingTake()
    gate = GuardedGate({"a": 3})
    gate.show([], {"a": 1})
    counted = gate.counting(take)
    counted([eingang(1), eingang(2, "b")])
    counted([eingang(1)])
    assert gate.obstacle("a") is None
    counted([eingang(3)])
    assert gate.obstacle("a") is not None
    gate.show([])

    assert gate.obstacle("a") is not None
    gate.show([], {})
    assert gate.obstacle("a") is None


def test_a_channel_closes_when_all_its_mandanten_are_full() -> None:
    """With one of them still open it goes on; the messages of the full ones wait."""
    gate = GuardedGate({"a": 1, "b": 1})
    gate.show([], {"a": 1})
    assert closing(gate, ("a", "b")) is None
    assert closing(gate, ("a",)) is not None
    gate.show([], {"a": 1, "b": 1})
    assert closing(gate, ("a", "b")) is not None
    assert {"a"} == {one.mandant for one in gate.obstacles(("a",))}

    assert closing(OPEN, ("a",)) is None


@pytest.mark.parametrize(
    ("free", "was_short", "short"), [(100, False, False), (99, False, True), (124, True, True), (125, True, False)]
)
def test_a_disk_opens_again_only_with_clearly_more(free: int, *, was_short: bool, short: bool) -> None:
    """At the edge it does not open and close all the time; bytes and inodes alike."""
    assert short is is_short(Disk("/d", free, 100, None, 0), was_short=was_short)
    assert short is is_short(Disk("/d", 10**9, 100, free, 100), was_short=was_short)


def test_the_reserve_fits_the_disk() -> None:
    """1 GiB on a large one, 5 % on a small one, and what the operator says on any."""
    assert 1024 * MEBIBYTE == Reserve().bytes_of(1 << 40)
    assert 1 << 20 == Reserve().bytes_of(20 << 20)
    assert 7 == Reserve(free_bytes=7).bytes_of(1 << 40)
    assert (10_000, 50, 0) == (Reserve().inodes_of(10**7), Reserve().inodes_of(5000), Reserve().inodes_of(0))
    assert (9, 0) == (Reserve(free_inodes=9).inodes_of(5000), Reserve(free_inodes=9).inodes_of(0))


def test_one_file_system_is_told_once(tmp_path: Path) -> None:
    """Folders beside each other are one place; one that is missing is none, and stops nothing."""
    for name in ("data", "spool"):
        (tmp_path / name).mkdir()
    room = os.statvfs(tmp_path)
    fields = list(room)
    fields[4] = 0  # f_bavail: nothing is left
    full = os.statvfs_result(fields)
    answers = iter([full, full, room, room])
    folders = [tmp_path / "data", tmp_path / "spool", tmp_path / "nowhere"]
    reserves = Reserves(folders, Reserve(), statvfs=lambda _: next(answers))

    assert (Obstacle("intake.disk.reserve", str(tmp_path / "data")),) == reserves.obstacles(reserves.look())
    assert () == reserves.obstacles(reserves.look())
