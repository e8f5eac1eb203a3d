"""What a lane's process gives up for good before it loads a vendor's code: files, processes, memory, other processes.

Landlock (Linux 5.19 and newer) bounds what can be opened, whatever the user's rights are, and whom signals reach; a
seccomp filter refuses to make processes and to look into others. Both need no privilege and cannot be undone. Where the
kernel has neither, `Fence` says so; the limits of `resource` hold everywhere.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_LEAST_ABI = 2  # before, files could not be renamed from one folder to another
_READ_FILE, _READ_DIR, _WRITE_FILE, _TRUNCATE = 1 << 2, 1 << 3, 1 << 1, 1 << 14
_MAKE = sum(1 << bit for bit in (4, 5, 7, 8, 9, 10, 12, 13))  # remove, make folder, file, socket, pipe, link; rename
_FILE_RIGHTS = _READ_FILE | _WRITE_FILE | _TRUNCATE
_SCOPES = 0b11  # abstract sockets and signals stay inside
_SYSTEM = (
    *("/usr", "/lib", "/lib64", "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/run/systemd/resolve"),
    *("/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services"),
    *("/etc/protocols", "/etc/localtime", "/etc/timezone", "/etc/mime.types", "/etc/ld.so.cache", "/etc/passwd"),
    *("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"),
)
_ALLOW, _EPERM, _ENOSYS, _KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_THREAD = 0x00010000


@dataclass(frozen=True, slots=True)
class _Machine:
    """The numbers of system calls on one kind of machine."""

    audit: int
    clone: int
    prlimit: int
    refused: tuple[int, ...]
    ceiling: int = 0xFFFFFFFF


# fork vfork execve execveat ptrace setrlimit, vm_readv vm_writev, mount umount unshare setns pivot_root chroot, bpf perf
# keyctl add_key request_key, kexec init_module finit_module delete_module reboot, userfaultfd, io_uring_setup,
# pidfd_getfd pidfd_send_signal open_by_handle_at kill rt_sigqueueinfo
_ANYWHERE = (425, 438, 424)
_MACHINES: Mapping[str, _Machine] = {
    "x86_64": _Machine(
        0xC000003E,
        56,
        302,
        (
            *(57, 58, 59, 322, 101, 160, 310, 311, 165, 166, 272, 308, 155, 161, 321, 298, 250, 248, 249),
            *(246, 175, 313, 176, 169, 323, 304, 62, 129, *_ANYWHERE),
        ),
        0x40000000,
    ),
    "aarch64": _Machine(
        0xC00000B7,
        220,
        261,
        (
            *(221, 281, 117, 164, 270, 271, 40, 39, 97, 268, 41, 51, 280, 241, 219, 217, 218),
            *(104, 105, 273, 106, 142, 282, 265, 129, 138, *_ANYWHERE),
        ),
    ),
}
_CLONE3 = 435


@dataclass(frozen=True, slots=True)
class Ground:
    """What a lane may reach besides the system's own libraries: folders and files to read, and to write as well.

    `listed` are folders of which only the names may be read, as it takes to make a change in them durable.
    """

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Memory in bytes, open files, and processor time in seconds for the life of a lane."""

    memory_bytes: int
    open_files: int
    cpu_seconds: int


def die_with_parent() -> None:
    """Killed with the thread that made this process; no core dump, no look into its memory."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def put_up(ground: Ground, bounds: Bounds) -> dict[str, bool]:
    """Give it all up; which of the kernel's two fences stand (`files`, `processes`). For a process with one thread."""
    _bound(bounds)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return {"files": False, "processes": False}
    files = _landlock(libc, ground)
    return {"files": files, "processes": _seccomp(libc)}


def _bound(bounds: Bounds) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA: bounds.memory_bytes,
        resource.RLIMIT_AS: 4 * bounds.memory_bytes,  # threads and libraries reserve far more than they use
        resource.RLIMIT_NOFILE: bounds.open_files,
        resource.RLIMIT_CPU: bounds.cpu_seconds,
        resource.RLIMIT_NPROC: _tasks() + 512,  # of this user; holds for no root, and only where seccomp does not
    }
    for kind, wanted in limits.items():
        most = resource.getrlimit(kind)[1]
        value = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(kind, (value, value))


def _tasks() -> int:
    """How many threads this user has already."""
    own, count = os.getuid(), 0
    for one in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if one.stat().st_uid == own:
                count += len(os.listdir(one / "task"))
    return count


def _landlock(libc: ctypes.CDLL, ground: Ground) -> bool:
    abi = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if abi < _LEAST_ABI:
        return False
    handled = (1 << 14) - 1 | (_TRUNCATE if abi >= 3 else 0) | (1 << 15 if abi >= 5 else 0)
    attributes = struct.pack("=QQQ", handled, 0, _SCOPES if abi >= 6 else 0)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    try:
        for path in (*_SYSTEM, *ground.read):
            _allow(libc, ruleset, path, (_READ_FILE | _READ_DIR) & handled)
        for path in ("/dev/null", *ground.write):
            _allow(libc, ruleset, path, (_FILE_RIGHTS | _READ_DIR | _MAKE) & handled)
        for path in ground.listed:
            _allow(libc, ruleset, path, _READ_DIR)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    """One rule; what is not there needs none."""
    with suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            wanted = rights if Path(path).is_dir() else rights & _FILE_RIGHTS
            libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", wanted, place), 0)
        finally:
            os.close(place)


def _seccomp(libc: ctypes.CDLL) -> bool:
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        return False
    program = b"".join(struct.pack("=HBBI", *one) for one in _filter(machine))
    held = ctypes.create_string_buffer(program)
    packed = struct.pack("@HP", len(program) // 8, ctypes.addressof(held))
    return bool(libc.prctl(_PR_SET_SECCOMP, 2, packed, 0, 0) == 0)


def _filter(machine: _Machine) -> Iterator[tuple[int, int, int, int]]:
    """A classic BPF program over the number of a system call and its arguments."""
    yield _load(4)
    yield _jump(0x15, machine.audit, 1, 0)
    yield _return(_KILL)
    yield _load(0)
    yield _jump(0x35, machine.ceiling, 0, 1)
    yield _return(_ENOSYS)
    yield from _refuse((_CLONE3,), _ENOSYS)  # the C library makes threads with clone then
    yield from _refuse(machine.refused, _EPERM)
    yield _jump(0x15, machine.clone, 0, 4)
    yield _load(16)
    yield _jump(0x45, _THREAD, 0, 1)
    yield _return(_ALLOW)
    yield _return(_EPERM)
    yield _jump(0x15, machine.prlimit, 0, 6)
    yield _load(32)
    yield _jump(0x15, 0, 0, 3)
    yield _load(36)
    yield _jump(0x15, 0, 0, 1)
    yield _return(_ALLOW)
    yield _return(_EPERM)
    yield _return(_ALLOW)


def _refuse(numbers: Iterable[int], answer: int) -> Iterator[tuple[int, int, int, int]]:
    for number in numbers:
        yield _jump(0x15, number, 0, 1)
        yield _return(answer)


def _load(offset: int) -> tuple[int, int, int, int]:
    return 0x20, 0, 0, offset


def _jump(code: int, value: int, yes: int, no: int) -> tuple[int, int, int, int]:
    return code, yes, no, value


def _return(answer: int) -> tuple[int, int, int, int]:
    return 0x06, 0, 0, answer
