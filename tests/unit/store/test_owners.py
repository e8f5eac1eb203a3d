"""Who may be taken for dead: never a process of another host, whatever that host is called."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from intermediary.store import owners
from intermediary.store.owners import is_alive, own_name, process_name

HOST, BOOT, SPACE, PID, STARTED, THREAD = range(6)


def _changed(part: int, value: str) -> str:
    parts = own_name().split(":")
    parts[part] = value
    return ":".join(parts)


@pytest.fixture
def dead() -> str:
    """A thread of a process of this host that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        name = process_name(process.pid)
        process.communicate(b"\n")
    return f"{name}:1"


@pytest.mark.parametrize("is_shared", [True, False])
def test_the_living_live_and_the_dead_are_dead(dead: str, is_shared: bool) -> None:
    """On this host, in this boot and namespace, it is known for certain."""
    assert is_alive(own_name(), is_shared=is_shared)
    assert not is_alive(dead, is_shared=is_shared)


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_process_number_that_was_given_again_is_another_process(is_shared: bool) -> None:
    """The start time tells them apart."""
    assert not is_alive(_changed(STARTED, "1"), is_shared=is_shared)


@pytest.mark.parametrize(
    ("part", "value"), [(HOST, "elsewhere"), (BOOT, "00000000-0000-0000-0000-000000000000"), (SPACE, "1")]
)
def test_nobody_elsewhere_is_taken_for_dead(dead: str, part: int, value: str) -> None:
    """Another host, another machine of the same name, another container of the same name: only the lease decides."""
    parts = dead.split(":")
    parts[part] = value

    assert is_alive(":".join(parts), is_shared=True)


def test_what_was_before_the_last_boot_is_dead_where_there_is_one_host() -> None:
    """A store that no other host can use: after a reboot nobody waits for a lease."""
    assert not is_alive(_changed(BOOT, "00000000-0000-0000-0000-000000000000"), is_shared=False)


@pytest.mark.parametrize("name", ["", "person", "a:b:1:2:3", "a:b:c:d:e:f:g"])
def test_an_unreadable_name_is_alive(name: str) -> None:
    """Names of earlier versions run out with their lease."""
    assert is_alive(name, is_shared=True)
    assert is_alive(name, is_shared=False)


def test_threads_have_the_name_of_their_process() -> None:
    """A supervisor frees what its child held by the child's name."""
    assert own_name().startswith(f"{process_name(os.getpid())}:")
    assert owners.own_name().count(":") == 5
