"""Names of lease holders: which process on which host, so that a start-up can tell whose leases died with a process."""

from __future__ import annotations

import os
import socket
import threading
from functools import cache
from pathlib import Path


def own_name() -> str:
    """The name of the calling thread as a lease holder: host, boot, process, its start time, thread."""
    return f"{process_name(os.getpid())}:{threading.get_native_id()}"


def process_name(pid: int) -> str:
    """What the names of all threads of a process on this host begin with; to be asked while the process runs."""
    return f"{_here()}:{pid}:{_started(pid)}"


def is_alive(owner: str) -> bool:
    """Whether a lease holder may still be at work; one on another host or an unreadable name counts as alive."""
    parts = owner.split(":")
    if len(parts) != 5:
        return True
    host, boot, pid, started, _thread = parts
    if host != _host():
        return True
    return boot == _boot() and _started(int(pid)) == started


@cache
def _here() -> str:
    return f"{_host()}:{_boot()}"


@cache
def _host() -> str:
    return socket.gethostname().replace(":", "-")


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot; empty when there is none, or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
