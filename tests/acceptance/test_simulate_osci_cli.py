"""`intermediary simulate osci` as a person starts it: says what to do, survives a kill, ends on SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from intermediary.testing.pki import read_pki
from intermediary.testing.simulate.osci.filling import Filler


class _Simulator:
    """The command as a process; ready when it has said all its lines."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "intermediary", "simulate", "osci", "--dir", str(folder), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.said = [self.process.stdout.readline().rstrip() for _ in range(5)]

    @property
    def url(self) -> str:
        return self.said[0].rpartition(" ")[2]

    def state(self) -> Any:
        return httpx2.get(f"{self.url.removesuffix('/osci')}/simulator/state").json()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the simulator lives."""
    return tmp_path / "simulation"


def test_it_says_how_to_use_it_and_keeps_its_box(folder: Path) -> None:
    """Started, filled, killed, started again: same keys, same box; SIGTERM ends it with 0."""
    first = _Simulator(folder, "--fill", "3")
    partners = (folder / "partners.toml").read_text(encoding="utf-8")

    assert first.url.startswith("http://127.0.0.1:")
    assert first.url in partners
    assert "3 Zustellungen" in first.said[3]
    assert 3 == first.state()["waiting"]

    keys = (folder / "keys" / "intermediary-cipher.p12").read_bytes()
    first.end(signal.SIGKILL)
    second = _Simulator(folder)

    assert 3 == second.state()["waiting"]
    assert keys == (folder / "keys" / "intermediary-cipher.p12").read_bytes()
    assert 0 == second.end(signal.SIGTERM)


def test_it_kills_itself_when_told(folder: Path) -> None:
    """The knob `die-before` is a real SIGKILL: no answer, no exit code of its own."""
    simulator = _Simulator(folder)
    base = simulator.url.removesuffix("/osci")
    httpx2.post(f"{base}/simulator/knob", json={"knob": "die-before=next1"})

    def ask(body: bytes) -> bytes:
        return httpx2.post(simulator.url, content=body).content

    filler = Filler(read_pki(folder / "keys"), ask, random=os.urandom, clock=lambda: datetime.now(UTC))
    with pytest.raises(httpx2.TransportError):
        filler.new_id()

    assert -signal.SIGKILL == simulator.end(signal.SIGCONT)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--knob", "nonsense"], "a knob is"), (["--listen", "nowhere"], "an address, a colon and a port")],
)
def test_mistakes_are_told_in_one_line(folder: Path, arguments: list[str], complaint: str) -> None:
    """Usage errors have exit code 2 and say what is allowed."""
    done = subprocess.run(
        [sys.executable, "-m", "intermediary", "simulate", "osci", "--dir", str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert 2 == done.returncode
    assert complaint in done.stderr


def test_it_lists_its_knobs() -> None:
    """One line for each kind of trouble."""
    command = [sys.executable, "-m", "intermediary", "simulate", "osci", "--list-knobs"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert {"delay", "drop-after", "wrong-sequence", "die-after"} <= {
        line.split()[0] for line in done.stdout.splitlines()
    }
