"""CPU time and memory of a daemon's processes, as the kernel counts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Usage:
    """CPU seconds by role of a daemon (`supervisor`, `ingress`, `worker`); what has ended meanwhile stays counted."""

    pid: int
    _seen: dict[int, tuple[str, float]] = field(default_factory=dict)

    def by_role(self) -> dict[str, float]:
        """Look now, and add up."""
        for process in (self.pid, *_children(self.pid)):
            try:
                self._seen[process] = (_role(process, self.pid), _cpu_seconds(process))
            except FileNotFoundError:
                continue
        total: dict[str, float] = {}
        for role, seconds in self._seen.values():
            total[role] = total.get(role, 0.0) + seconds
        return total

    def resident(self) -> dict[str, int]:
        """Kibibytes resident now, the largest process of each role."""
        found: dict[str, int] = {}
        for process in (self.pid, *_children(self.pid)):
            try:
                lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
                role = _role(process, self.pid)
            except FileNotFoundError:
                continue
            sizes = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
            found[role] = max(found.get(role, 0), *sizes, 0)
        return found


def _children(pid: int) -> Iterator[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except FileNotFoundError:
        return
    yield from map(int, text.split())


def _role(process: int, supervisor: int) -> str:
    if process == supervisor:
        return "supervisor"
    words = Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    return words[3].decode("ascii") if len(words) > 3 else "starting"


def _cpu_seconds(process: int) -> float:
    values = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(values[11]) + int(values[12])) / _TICKS
