"""Names of lease holders: which process on which host, so that a start-up can tell whose leases died with a process."""

from __future__ import annotations

import os
import socket
import threading
from functools import cache
from pathlib import Path


def own_name() -> str:
    """The name of the calling thread as a lease holder: host, boot, process namespace, process, its start time, thread."""
    return f"{process_name(os.getpid())}:{threading.get_native_id()}"


def process_name(pid: int) -> str:
    """What the names of all threads of a process on this host begin with; to be asked while the process runs."""
    return f"{_here()}:{pid}:{_started(pid)}"


def is_alive(owner: str, *, is_shared: bool) -> bool:
    """Whether a lease holder may still be at work; one that cannot be told counts as alive, until its lease runs out.

    `is_shared`: other hosts work on the same store. Two of them may bear one name (containers, copied machines), and
    their process ids mean nothing here: then only a process of this very boot and process namespace can be known dead.
    """
    parts = owner.split(":")
    if len(parts) != 6:
        return True
    host, boot, space, pid, started, _thread = parts
    if host != _host():
        return True
    if is_shared and (boot, space) != (_boot(), _space()):
        return True
    return boot == _boot() and _started(int(pid)) == started


@cache
def _here() -> str:
    return f"{_host()}:{_boot()}:{_space()}"


@cache
def _host() -> str:
    return socket.gethostname().replace(":", "-")


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@cache
def _space() -> str:
    """Within which process ids have a meaning: a container has its own."""
    return str(Path("/proc/self/ns/pid").stat().st_ino)


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot; empty when there is none, or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
