"""What the supervisor does beside starting children: it counts deaths it sees, and no chore brings it down."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from structlog.testing import capture_logs

from intermediary.core.faults import Transient
from intermediary.daemon import patience, supervisor
from intermediary.daemon.chores import MOURNING, Chores
from intermediary.daemon.health.sample import Sampler
from intermediary.daemon.supervisor import Order, Supervisor
from intermediary.daemon.watch import Watch
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


def test_a_chore_that_fails_is_told_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once when it begins, once for each other cause, once when it is over; meanwhile it is known as failing."""
    chores = Chores(rig.installation, rig.configuration, now=rig.clock)
    troubles: list[Exception | None] = [Transient("store.unavailable")] * 3 + [ValueError("geheim")] * 2 + [None] * 2
    told, failing = [], []
    for trouble in troubles:
        answer = Mock(side_effect=trouble, __name__="tend_targets")
        monkeypatch.setattr(chores, "tend_targets", answer)
        with capture_logs() as said:
            chores.do()
        told.append([(one["event"], one.get("code") or one.get("failure", "")) for one in said if "reason" in one])
        failing.append(chores.failing)

    assert [
        [("chore.failed", "store.unavailable")],
        [],
        [],
        [("chore.failed", "ValueError")],
        [],
        [("chore.healed", "")],
        [],
    ] == told
    assert [["tend_targets"]] * 5 + [[]] * 2 == [list(one) for one in failing]


def test_who_waits_for_a_change_is_woken_when_the_store_is_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration that changes while the store is away wakes what waits for it, once."""
    chores = Chores(rig.installation, rig.configuration, now=rig.clock)
    wake = Mock(side_effect=[Transient("store.unavailable"), 3, 0])
    monkeypatch.setattr(rig.store, "wake_misconfigured", wake)
    with (rig.site.folder / "routes.toml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    for _ in range(4):
        chores.do()

    assert 2 == wake.call_count


def test_a_child_that_cannot_start_says_why_in_one_line(rig: Rig) -> None:
    """Started anew while a configuration is refused, it does not know the one before; the log names code and file."""
    (rig.site.folder / "routes.toml").write_text("[[route", encoding="utf-8")
    command = [sys.executable, "-m", "intermediary.daemon.child", "worker", str(rig.site.config), str(os.getpid()), "1"]
    ended = subprocess.run(command, capture_output=True, timeout=60, check=False)

    assert 1 == ended.returncode
    *_, line = [json.loads(one) for one in ended.stderr.splitlines()]
    assert ("child.refused", "worker", "route.table.invalid") == (line["event"], line["role"], line["code"])
    assert line["where"].endswith("routes.toml")


def test_the_watch_tells_once_that_it_cannot_look(rig: Rig) -> None:
    """While the store is away it looks again and again, and says so once; then once that it looks again."""
    stop, troubles = threading.Event(), [Transient("store.unavailable")] * 3

    def look() -> None:
        if troubles:
            raise troubles.pop()
        stop.set()

    settings = rig.installation.settings
    watch = Watch(
        rig.store,
        rig.configuration,
        settings.model_copy(update={"incidents": settings.incidents.model_copy(update={"look_seconds": 0})}),
        Mock(names=()),
        now=rig.clock,
        failing=dict,
        dying=tuple,
        overdue=dict,
    )
    watch.look = look  # type: ignore[method-assign]
    with capture_logs() as said:
        watch.run(stop)

    assert ["watch.failed", "watch.healed"] == [one["event"] for one in said]


def test_figures_that_cannot_be_had_are_told_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is measured again and again; of each time that it is away one line tells."""
    stop, away = threading.Event(), Transient("store.unavailable")
    answers = iter([away, away, object(), away, away])

    def measure(*_: object) -> object:
        answer = next(answers, None)
        if isinstance(answer, Transient):
            raise answer
        if answer is None:
            stop.set()
        return answer

    settings = rig.installation.settings
    often = settings.model_copy(update={"health": settings.health.model_copy(update={"sample_seconds": 0})})
    sampler = Sampler(often)
    monkeypatch.setattr(sampler, "_measure", measure)
    with capture_logs() as said:
        sampler.run(rig.installation, stop)

    assert ["health.store.away"] * 2 == [one["event"] for one in said]


def test_a_start_without_a_store_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for the store says so once, however long it takes."""
    opened: Any = object()
    answers = iter([Transient("store.unavailable")] * 3 + [opened])
    monkeypatch.setattr(patience, "open_installation", Mock(side_effect=answers))
    with capture_logs() as said:
        found = patience.open_when_there(Path("unused.toml"), lambda: False, sleep=lambda _: None)

    assert opened is found
    assert ["store.away"] == [one["event"] for one in said]


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
