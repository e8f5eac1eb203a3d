"""The time of an installation: even within a boot, believed across boots, never moved by a jump (promise G12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.clock import (
    MOST_ABSENCE,
    MOST_JUMP,
    SLEW,
    Clock,
    Doubt,
    Judgement,
    Memory,
    Reading,
    judge,
    slewed,
)

ZERO = datetime(2026, 11, 1, tzinfo=UTC)
BOOT = timedelta(days=3)
NOW = ZERO + BOOT
SECOND = timedelta(seconds=1)
JUMPS = [timedelta(hours=2), timedelta(hours=-2), timedelta(days=400), timedelta(days=-400)]


def reading(off: timedelta = timedelta(0), *, server: timedelta | None = None, boot: timedelta = BOOT) -> Reading:
    """The clocks at `boot`; wall and server are `off` from what the zero says."""
    return Reading(boot=boot, wall=ZERO + boot + off, server=None if server is None else ZERO + boot + server)


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_within_a_boot_is_doubted_and_time_runs_on(jump: timedelta) -> None:
    """Whatever the wall clock says: time is told by CLOCK_BOOTTIME, so nothing is due, free or late by the jump."""
    judged = judge(reading(jump), Memory(zero=ZERO, newest=NOW))

    assert (Doubt.JUMPED, ZERO, jump) == (judged.doubt, judged.zero, judged.off)


@pytest.mark.parametrize("jump", [timedelta(0), SECOND, -SECOND, MOST_JUMP, -MOST_JUMP])
def test_small_differences_are_believed(jump: timedelta) -> None:
    """What NTP does in daily life is no jump; the zero itself moves only by `slewed`."""
    assert Judgement(ZERO, None, jump) == judge(reading(jump), Memory(zero=ZERO, newest=NOW))


def test_a_clock_that_is_set_back_right_is_believed_again() -> None:
    """Nobody has to restart or accept anything when the time synchronisation heals the jump."""
    memory = Memory(zero=ZERO, newest=NOW)
    assert judge(reading(JUMPS[0]), memory).doubt

    assert judge(reading(SECOND), memory).doubt is None


@pytest.mark.parametrize(
    ("off", "doubt"),
    [
        (timedelta(0), None),
        (timedelta(hours=3), None),
        (MOST_ABSENCE, None),
        (-MOST_JUMP, None),
        (-MOST_JUMP - SECOND, Doubt.BEHIND),
        (timedelta(days=-400), Doubt.BEHIND),
        (MOST_ABSENCE + SECOND, Doubt.AHEAD),
        (timedelta(days=400), Doubt.AHEAD),
    ],
)
def test_across_boots_the_store_testifies(off: timedelta, doubt: Doubt | None) -> None:
    """A host that wakes up before, or long after, the newest moment in the store is not believed."""
    assert doubt is judge(reading(off), Memory(newest=NOW)).doubt


@pytest.mark.parametrize("off", [timedelta(days=-400), timedelta(days=400)])
def test_after_a_doubtful_boot_time_goes_on_from_the_newest_moment(off: timedelta) -> None:
    """Every process of the host reckons the same, it never goes back, and `off` is what is missing."""
    judged = judge(reading(off), Memory(newest=NOW))

    assert NOW == judged.zero
    assert reading(off).reference == judged.zero + BOOT + judged.off


def test_the_first_start_of_all_believes_the_clock() -> None:
    """An empty store knows nothing that could contradict."""
    assert Judgement(ZERO) == judge(reading(), Memory())


def test_a_server_is_followed_and_not_slewed() -> None:
    """Everybody asks the same clock, so it is told as it is."""
    judged = judge(reading(server=5 * SECOND, off=5 * SECOND), Memory(zero=ZERO))

    assert Judgement(ZERO + 5 * SECOND) == judged


@pytest.mark.parametrize("jump", JUMPS)
def test_a_servers_jump_is_doubted(jump: timedelta) -> None:
    """It too must agree with CLOCK_BOOTTIME of this host."""
    assert Doubt.JUMPED is judge(reading(server=jump), Memory(zero=ZERO)).doubt


@pytest.mark.parametrize("jump", JUMPS)
def test_a_host_that_differs_from_the_server_is_doubted(jump: timedelta) -> None:
    """Certificates are judged by the wall clock: with a server's time the host's own must not lie either."""
    judged = judge(reading(jump, server=timedelta(0)), Memory(zero=ZERO))

    assert (Doubt.DIFFERS, ZERO, jump) == (judged.doubt, judged.zero, judged.off)


@given(
    off=st.timedeltas(-MOST_JUMP, MOST_JUMP),
    elapsed=st.timedeltas(timedelta(0), timedelta(hours=6)),
)
def test_a_zero_moves_slowly_and_not_past_the_clock(off: timedelta, elapsed: timedelta) -> None:
    """A lease is never off by more than the slew, and time never runs backwards."""
    moved = slewed(ZERO, off=off, elapsed=elapsed) - ZERO

    assert abs(moved) <= elapsed * SLEW
    assert abs(off - moved) <= abs(off)
    assert moved + elapsed >= timedelta(0)


def test_a_frozen_wall_clock_stops_nothing_for_long() -> None:
    """Time follows a frozen clock at one part in twenty, goes on all the same, and doubts it after ten minutes."""
    zero, step, doubted = ZERO, timedelta(seconds=10), None
    told = [NOW]
    for number in range(1, 100):
        boot = BOOT + number * step
        judged = judge(Reading(boot=boot, wall=NOW), Memory(zero=zero))
        if judged.doubt is not None:
            doubted = boot - BOOT
            break
        zero = slewed(zero, off=judged.off, elapsed=step)
        told.append(zero + boot)

    assert doubted is not None
    assert MOST_JUMP <= doubted <= MOST_JUMP * 1.1
    assert all(later > earlier for earlier, later in pairwise(told))


def test_the_clock_tells_the_judged_time() -> None:
    """Until the first judgement it is the wall clock; then it is even, and says by how much the wall clock is off."""
    state = replace(reading(), wall=NOW)
    clock = Clock(wall=lambda: state.wall, boot=lambda: state.boot)
    assert NOW == clock.now()
    state = Reading(boot=BOOT + SECOND, wall=NOW + JUMPS[2])
    assert NOW + SECOND == clock.now()
    clock.follow(judge(clock.read(), Memory(zero=ZERO)))

    assert Doubt.JUMPED is clock.doubt
    assert NOW + SECOND == clock.now()
    assert JUMPS[2] - SECOND == clock.wall_off
