"""What the supervisor does beside starting children: it counts deaths it sees, and no chore brings it down."""

from __future__ import annotations

import socket
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from intermediary.daemon import supervisor
from intermediary.daemon.chores import MOURNING, Chores
from intermediary.daemon.supervisor import Order, Supervisor
from intermediary.testing.samples import sample_letter
from tests.acceptance.rig import Rig

_GONE = f"{socket.gethostname().replace(':', '-')}:an-earlier-boot:1:1:1:1"


def _left(rig: Rig) -> str:
    """A Nachricht whose holder has gone."""
    nachricht_id = rig.submit(sample_letter(1, now=rig.clock()), "m-1")
    rig.store.claim(_GONE, rig.clock())
    return nachricht_id


def test_what_an_earlier_daemon_held_is_free_at_the_start(rig: Rig) -> None:
    """The loss of a whole daemon counts for nothing."""
    nachricht_id = _left(rig)
    Chores(rig.installation, rig.configuration, now=rig.clock).free_dead_leases_at_start()
    [claim] = rig.store.claim("w", rig.clock())

    assert (nachricht_id, 0) == (claim.nachricht.id, claim.nachricht.unexplained)


def test_another_supervisor_has_time_to_count_its_dead(rig: Rig) -> None:
    """Later on a lease of somebody gone stays for a moment: its own supervisor, maybe another daemon's, counts first."""
    _left(rig)
    chores = Chores(rig.installation, rig.configuration, now=rig.clock)
    chores.free_dead_leases()
    rig.clock.advance(MOURNING - timedelta(seconds=1))
    chores.free_dead_leases()

    assert [] == rig.store.claim("w", rig.clock())

    rig.clock.advance(timedelta(seconds=1))
    chores.free_dead_leases()

    assert 1 == len(rig.store.claim("w", rig.clock()))


def test_a_chore_that_fails_unexpectedly_stops_no_other(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor has children to watch."""
    rig.submit(sample_letter(1, now=rig.clock()), "m-1")
    chores = Chores(rig.installation, rig.configuration, now=rig.clock)

    def fail(_now: datetime) -> int:
        raise ValueError("nobody expected this")

    monkeypatch.setattr(chores, "free_dead_leases", lambda: fail(rig.clock()))
    chores.do()

    assert 1 == len(rig.store.heads())


def test_a_healthy_child_starts_with_a_clean_slate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deaths in a row delay the next start ever more; a minute of health makes up for all before."""
    moment = 1000.0
    monkeypatch.setattr(supervisor, "time", SimpleNamespace(monotonic=lambda: moment))
    watching = Supervisor(Order(Path("unused.toml")))
    child = watching._children[1]
    store = SimpleNamespace(release_crashed=lambda *_, **__: 0)
    installation: Any = SimpleNamespace(store=store, now=lambda: None)
    delays = []
    for lived in (1, 1, 1, 61, 1):
        child.started = moment
        moment += lived
        watching._mourn(child, 1, installation)
        delays.append(child.not_before - moment)

    assert [1.0, 2.0, 4.0, 1.0, 2.0] == delays
