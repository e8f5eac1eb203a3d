"""What a killed process left readable in a target's own folder is gone soon after the next start, whatever becomes of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from intermediary.core.faults import Transient
from intermediary.daemon.tidying import keep_tidy, tidy
from tests.acceptance.daemon import Daemon, wait_until
from tests.acceptance.rig import Rig

KEY = "6b1c1a1e-7d0c-4b62-9a60-1f6f3a1d9f10"
SOON = timedelta(milliseconds=10)


def left_behind(rig: Rig) -> Path:
    """A package that was prepared and never sealed, of an attempt that nobody will repeat."""
    state = rig.site.folder / ".fachverfahren-state"
    ready = state / f"{KEY}.ready"
    ready.write_bytes(b"Kanarienvogel")
    return ready


def test_the_daemon_removes_it_when_it_starts(rig: Rig, tmp_path: Path) -> None:
    """No message has to come for it."""
    ready = left_behind(rig)
    daemon = Daemon(rig.site.config, log=tmp_path / "daemon.log", temporary=tmp_path)
    try:
        wait_until(lambda: not ready.exists(), "the package is removed")
        daemon.wait_for("target.tidied")
    finally:
        daemon.kill()


def test_it_comes_round_again_and_ends_when_told(rig: Rig) -> None:
    """What is left behind later goes with a later round."""
    stop = threading.Event()
    rounds = threading.Thread(target=keep_tidy, args=(rig.configuration, stop), kwargs={"every": SOON})
    rounds.start()
    try:
        for _ in range(2):
            ready = left_behind(rig)
            wait_until(lambda ready=ready: not ready.exists(), "the package is removed")
    finally:
        stop.set()
        rounds.join(20)

    assert not rounds.is_alive()


def test_a_vendors_target_costs_no_lane(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connector is in a process of its own, which is not started just to be asked."""
    (ref,) = rig.configuration.targets()
    assert rig.configuration.own_connector(ref.id) is not None
    monkeypatch.setattr("intermediary.wiring.configuration.Isolated", object)

    assert rig.configuration.own_connector(ref.id) is None


@pytest.mark.parametrize("failure", [Transient("target.unreachable", where="state"), ValueError("planted")])
def test_a_target_that_fails_ends_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """A share that is away, or a defect of a connector: told in the log, and tried again an hour later."""
    ready = left_behind(rig)
    (ref,) = rig.configuration.targets()

    def fails(_connector: object) -> int:
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr("connectors.ordner.connector.Ordner.tidy", fails)
        tidy(rig.configuration, ref.id)
    assert ready.exists()
    tidy(rig.configuration, ref.id)

    assert not ready.exists()
