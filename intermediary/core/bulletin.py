"""What a process tells of itself to whoever looks: whether it can take and work, per channel, and if not why.

Every process of a daemon posts one bulletin (`daemon/board.py`, file and format there); health, metrics and `doctor` read
them. A bulletin is about the process alone: it is true without the store, and while the store is away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why nothing is taken now: a code of the catalogue and the place it is about (a folder, a host).

    Codes: `intake.disk.reserve`, `intake.mandant.full`, `store.unavailable`, `clock.untrusted`. With `mandant` it concerns
    that one alone. `stops_work`: it keeps from claiming and delivering as well, not only from taking.
    """

    code: str
    where: str = ""
    mandant: str = ""
    stops_work: bool = False


@dataclass(frozen=True, slots=True)
class Disk:
    """Room on the file system of one folder, and below which of it nothing is taken; `inodes` is None where it has none."""

    folder: str
    free_bytes: int
    reserve_bytes: int
    free_inodes: int | None
    reserve_inodes: int


@dataclass(frozen=True, slots=True)
class ChannelBulletin:
    """One door: `state` (closed, opening, taking, holding), the code of its last trouble, what it has set aside.

    `obstacles` are those that hold for this channel: of the whole process, and of the Mandanten it serves.
    """

    channel: str
    state: str
    code: str = ""
    aside: int = 0
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def is_taking(self) -> bool:
        """Whether a submission of at least one Mandant would be taken now."""
        return self.state == "taking" and all(one.mandant for one in self.obstacles)


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What one process says. `role` is supervisor, ingress, worker or suspect; `owner` is its `owners.own_name()`.

    `at` is the time of the installation, `boot_seconds` CLOCK_BOOTTIME of the host at the same moment: the age of a bulletin
    is told by the latter. `clock_off_seconds` is by how much the wall clock of the host differs from the time of the
    installation. `channels` is filled by ingress only.
    """

    role: str
    owner: str
    at: datetime
    boot_seconds: float
    clock_off_seconds: float = 0.0
    obstacles: tuple[Obstacle, ...] = ()
    disks: tuple[Disk, ...] = ()
    channels: tuple[ChannelBulletin, ...] = ()

    @property
    def may_work(self) -> bool:
        """Whether workers claim and deliver."""
        return not any(one.stops_work for one in self.obstacles)


def to_json(bulletin: Bulletin) -> dict[str, Any]:
    """The bulletin as a JSON object; members are named like the fields, `format` says which version of this page."""
    return {
        "format": FORMAT,
        "role": bulletin.role,
        "owner": bulletin.owner,
        "at": bulletin.at.isoformat(),
        "boot_seconds": bulletin.boot_seconds,
        "clock_off_seconds": bulletin.clock_off_seconds,
        "obstacles": [_obstacle(one) for one in bulletin.obstacles],
        "disks": [{name: getattr(disk, name) for name in Disk.__slots__} for disk in bulletin.disks],
        "channels": [
            {
                "channel": one.channel,
                "state": one.state,
                "code": one.code,
                "aside": one.aside,
                "is_taking": one.is_taking,
                "obstacles": [_obstacle(each) for each in one.obstacles],
            }
            for one in bulletin.channels
        ],
    }


def from_json(value: Mapping[str, Any]) -> Bulletin:
    """The bulletin of `to_json`; ValueError, LookupError or TypeError when it is none, or of a later format."""
    if value["format"] != FORMAT:
        raise ValueError("a bulletin of another format")
    return Bulletin(
        role=value["role"],
        owner=value["owner"],
        at=datetime.fromisoformat(value["at"]),
        boot_seconds=float(value["boot_seconds"]),
        clock_off_seconds=float(value["clock_off_seconds"]),
        obstacles=_obstacles(value["obstacles"]),
        disks=tuple(Disk(**one) for one in value["disks"]),
        channels=tuple(
            ChannelBulletin(one["channel"], one["state"], one["code"], one["aside"], _obstacles(one["obstacles"]))
            for one in value["channels"]
        ),
    )


def _obstacle(one: Obstacle) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Obstacle.__slots__}


def _obstacles(values: list[Mapping[str, Any]]) -> tuple[Obstacle, ...]:
    return tuple(Obstacle(**one) for one in values)
