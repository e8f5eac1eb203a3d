"""Disks fill up under a real daemon: taking stops, work goes on, and it takes again without a restart (F14, G8)."""

from __future__ import annotations

import errno
import os
import secrets
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from intermediary.core.bulletin import Bulletin
from intermediary.core.states import NachrichtState
from intermediary.operations.prove import verify_installation
from intermediary.osci.write import Attachment
from intermediary.osci.write.seal import seal
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import Site, make_site
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.wiring import Installation, open_installation, utc_now
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.faked_time import bulletin_of, wait_for_bulletins

MEBIBYTE = 1 << 20
COMPLETED = (NachrichtState.COMPLETED, "")
LARGE = 3 * MEBIBYTE


class SmallDisk:
    """A file system of its own with room for a few large messages."""

    def __init__(self, folder: Path, mebibytes: int) -> None:
        self.folder = folder
        self._filling = folder / "filling"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "tmpfs", str(folder)], capture_output=True
        )
        if done.returncode:
            if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1" and os.getuid() == 0:
                pytest.skip("mounts are forbidden here, even for root")
            pytest.skip("only root mounts a disk to fill")

    @property
    def free(self) -> int:
        room = os.statvfs(self.folder)
        return room.f_bavail * room.f_frsize

    def fill(self, *, but: int = 0) -> None:
        """Leave so many bytes, 0: not a single one."""
        with self._filling.open("ab", buffering=0) as file, suppress(OSError):
            while self.free > but:
                file.write(bytes(min(MEBIBYTE, max(1, self.free - but))))

    def empty(self) -> None:
        self._filling.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True)


class House:
    """An installation of which `data` lies on a small disk, with a reserve of 8 MiB."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self.site: Site = make_site(folder / "site", now=utc_now(), settings=golden_settings(), pki=pki)
        self.data = folder / "site/data"
        self.disk = SmallDisk(self.data, 48)
        with self.site.config.open("a", encoding="utf-8") as file:
            file.write("\n[intake]\nreserve_megabytes = 8\nreserve_inodes = 100\n")
        self.installation: Installation = open_installation(self.site.config)
        self.daemon = Daemon(self.site.config, log=folder / "site/daemon.log", temporary=folder)

    def hand_in(self, number: int, *, size: int = 0) -> Path:
        now = utc_now()
        letter = sample_letter(number, now=now)
        if size:
            large = Attachment("Plan.bin", "application/octet-stream", secrets.token_bytes(size))
            letter = replace(letter, attachments=(*letter.attachments, large))
        body = seal(letter, parties=self.site.pki.parties, random=secrets.token_bytes, now=now)
        hidden = self.site.inbox / f".{number}"
        hidden.write_bytes(body)
        return hidden.rename(self.site.inbox / f"{number}.osci")

    def wait_completed(self, count: int) -> None:
        store = self.installation.store
        wait_until(lambda: store.counts() == {COMPLETED: count}, f"{count} deliveries")

    def wait_codes(self, *codes: str) -> Bulletin:
        found: list[Bulletin] = []

        def says() -> bool:
            said = bulletin_of(self.data, "ingress")
            found[:] = [said] if said is not None else []
            return said is not None and {one.code for one in said.obstacles} == set(codes)

        wait_until(says, f"obstacles {codes}")
        return found[0]

    def check(self, count: int) -> None:
        packages = Counter(path.name for path in self.site.drop.glob("*.zip"))
        assert count == len(packages)
        assert [] == list(self.site.inbox.iterdir())
        assert [] == list((self.data / "blobs/incoming").iterdir())
        assert 1 == self.daemon.said("daemon.started")
        report = verify_installation(self.installation)
        assert report.is_ok, report.problems

    def close(self) -> None:
        self.daemon.kill()
        self.installation.store.close()
        self.disk.close()


@pytest.fixture
def house(tmp_path: Path, pki: Pki) -> Iterator[House]:
    """The installation and its daemon, which has delivered one message."""
    made = House(tmp_path, pki)
    try:
        made.daemon.wait_for("ingress.started")
        made.hand_in(1)
        made.wait_completed(1)
        yield made
    finally:
        made.close()


def test_below_the_reserve_nothing_is_taken(house: House) -> None:
    """Files stay where they lie, the board says why, and clearly more room opens the door again by itself."""
    house.disk.fill(but=7 * MEBIBYTE)
    house.wait_codes("intake.disk.reserve")
    file = house.hand_in(2)
    said = wait_for_bulletins(house.data, "ingress", more=2)

    assert [False] == [one.is_taking for one in said.channels]
    assert said.may_work
    assert said.disks[0].free_bytes < said.disks[0].reserve_bytes == 8 * MEBIBYTE
    assert file.exists()
    house.disk.empty()
    house.wait_completed(2)
    house.wait_codes()
    assert 1 == house.daemon.said("gate.closed") - _of_others(house)
    assert 0 == house.daemon.stop()
    house.check(2)


def test_a_disk_that_fills_to_the_last_byte(house: House) -> None:
    """While large messages are taken and opened: nothing cut short is ever accepted, and nobody has to restart anything."""
    for number in range(2, 6):
        house.hand_in(number, size=LARGE)
    house.daemon.wait_for("claim.done", 1)
    house.disk.fill()
    house.wait_codes("intake.disk.reserve")
    house.hand_in(6, size=LARGE)
    house.disk.fill()  # what the daemon gave back meanwhile
    said = wait_for_bulletins(house.data, "ingress", more=2)
    assert [False] == [one.is_taking for one in said.channels]
    house.disk.empty()
    house.wait_completed(6)
    wait_until(lambda: not house.installation.store.count_unsealed(1), "everything is sealed")
    assert 0 == house.daemon.stop()

    assert 0 == house.daemon.said("child.died")
    house.check(6)


def test_a_daemon_that_starts_on_a_full_disk_waits(house: House) -> None:
    """After a restart in the middle of it: it comes up, says why nothing is taken, and goes on when there is room."""
    assert 0 == house.daemon.stop()
    house.disk.fill()
    house.hand_in(2)
    house.daemon = Daemon(house.site.config, log=house.site.folder / "daemon.log", temporary=house.site.folder)
    wait_until(lambda: bool(house.daemon.said("gate.closed") or house.daemon.said("store.away")), "a word about it")
    assert {COMPLETED: 1} == _counts(house)
    house.disk.empty()
    house.daemon.wait_for("ingress.started")
    house.wait_completed(2)
    assert 0 == house.daemon.stop()
    house.check(2)


def _counts(house: House) -> dict[tuple[NachrichtState, str], int]:
    return house.installation.store.counts()


def _of_others(house: House) -> int:
    """The same words of supervisor and worker."""
    lines = house.daemon.log.read_text().splitlines()
    return sum('"gate.closed"' in line and '"role": "ingress"' not in line for line in lines)


def test_filling_leaves_nothing(tmp_path: Path) -> None:
    """The disk of these tests is really full when they say so."""
    disk = SmallDisk(tmp_path / "disk", 1)
    try:
        disk.fill()
        with pytest.raises(OSError) as full:
            (disk.folder / "more").write_bytes(b"x" * 8192)
        assert errno.ENOSPC == full.value.errno
    finally:
        disk.close()
