"""Measures this machine: `python -m bench [ROOM [NUMBERS]]`; without a room the quick ones.

Rooms: `applications [MESSAGES]`, `osci`, `throughput [MESSAGES [ROUNDS]]`, `backlog [MESSAGES [ENGINE]]` (0 SQLite, 1
PostgreSQL), `growth [MILLIONS [MILLIONS]]` (on PostgreSQL, on SQLite), `large [MEBIBYTES]`, `mapping [ROUNDS]`,
`timing [REQUESTS [LANES]]`.
Figures are for comparison with others of the same machine; ratios of things measured side by side mean more.
"""

from __future__ import annotations

import os
import platform
import sys

from bench import applications, backlog, growth, large, mapping, osci, throughput, timing

_ROOMS = {
    "applications": applications.measure,
    "osci": osci.measure,
    "throughput": throughput.measure,
    "backlog": backlog.measure,
    "growth": growth.measure,
    "large": large.measure,
    "mapping": mapping.measure,
    "timing": timing.measure,
}
_QUICK = ("applications", "osci")


def main(arguments: list[str]) -> int:
    """Measure what was asked for; 2 when it is not there."""
    room, *numbers = arguments or [""]
    if room and room not in _ROOMS:
        print(f"bench: there is no {room}; there is {', '.join(_ROOMS)}", file=sys.stderr)
        return 2
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for name in (room,) if room else _QUICK:
        print(f"\n{name}")
        _ROOMS[name](*(int(number) for number in numbers))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
