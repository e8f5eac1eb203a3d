"""The processes of one daemon as its health process sees them: by what they post on the board."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from intermediary.core.bulletin import Bulletin
from intermediary.daemon.board import boot_seconds, is_current, read_board
from intermediary.daemon.health.standing import Living, Taking, living, taking

_FRESH_SECONDS = 0.5


class Processes:
    """What belongs to the daemon with this supervisor; safe from any thread, and looks no more often than twice a second.

    `ordered` says how many processes of each role there should be.
    """

    def __init__(
        self,
        data: Path,
        ordered: Mapping[str, int],
        channels: Sequence[str],
        *,
        supervisor: int,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._data = data
        self._ordered = dict(ordered)
        self._channels = tuple(channels)
        self._supervisor = supervisor
        self._ticks = ticks
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._bulletins: tuple[Bulletin, ...] = ()
        self._seen: dict[str, set[str]] = {role: set() for role in self._ordered}
        self._missing_since: dict[str, float] = {}

    def bulletins(self) -> tuple[Bulletin, ...]:
        """What they say now."""
        with self._lock:
            if self._ticks() - self._looked_at >= _FRESH_SECONDS:
                self._look()
            return self._bulletins

    def living(self) -> Living:
        """Whether the daemon lives."""
        found = self.bulletins()
        return living(self._ordered, found, self._missing_since, self._ticks())

    def taking(self) -> Taking:
        """Whether it can take."""
        return taking(self._ordered, self.bulletins(), self._channels)

    @property
    def starts(self) -> dict[str, int]:
        """How many processes of each role have been seen."""
        self.bulletins()
        return {role: len(seen) for role, seen in self._seen.items()}

    def _look(self) -> None:
        now, at = self._ticks(), boot_seconds()
        self._bulletins = tuple(
            one for one in read_board(self._data) if is_current(one, now_boot_seconds=at) and self._is_ours(one)
        )
        self._looked_at = now
        running = Counter(one.role for one in self._bulletins)
        for one in self._bulletins:
            if one.role in self._seen:
                self._seen[one.role].add(one.owner.rpartition(":")[0])
        for role, count in {**self._ordered, "supervisor": 1}.items():
            if running[role] >= count:
                self._missing_since.pop(role, None)
            else:
                self._missing_since.setdefault(role, now)

    def _is_ours(self, bulletin: Bulletin) -> bool:
        pid = int(bulletin.owner.split(":")[3])
        return self._supervisor in (pid, _parent(pid))


def _parent(pid: int) -> int:
    try:
        return int(
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
        )
    except (OSError, ValueError, IndexError):
        return 0
