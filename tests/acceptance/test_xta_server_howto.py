"""The page on our own XTA server: its commands lead from an empty folder to a fetched and confirmed message."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from intermediary.testing.servers import free_ports

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/howto/xta-server.md"
PORT = "8444"


@pytest.mark.skipif(
    shutil.which("curl") is None and "INTERMEDIARY_SERVERS_REQUIRED" not in os.environ, reason="apt-get install curl"
)
def test_the_page_works_as_written(tmp_path: Path) -> None:
    """With curl alone: an account is active, an application is sent, laid, fetched, closed, and reported as delivered."""
    text = PAGE.read_text(encoding="utf-8")
    before, run, after = re.split(r"^```sh läuft\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    port = str(free_ports(1)[0])

    for block in _blocks(before):
        _run(block, tmp_path)
    config = tmp_path / "anlage/intermediary-xta.toml"
    config.write_text(config.read_text(encoding="utf-8").replace(PORT, port), encoding="utf-8")
    with _daemon(run, tmp_path):
        said = "".join(_run(block.replace(PORT, port), tmp_path) for block in _blocks(after))

    shown = re.findall(r"^ {6}(.*)$", after, re.MULTILINE)
    assert len(shown) == 2
    assert all(line in said for line in shown)
    assert said.endswith("<xta:Status>1</xta:Status>\n")
    assert "Fault" not in said


def _blocks(text: str) -> list[str]:
    found = re.findall(r"^```sh\n((?:.*\n)*?)```$", text, re.MULTILINE)
    assert found
    return found


def _environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "QUELLE": str(ROOT)}


def _run(commands: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euc", commands], cwd=folder, env=_environment(), check=False, capture_output=True, text=True
    )
    assert 0 == done.returncode, f"{commands}\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def _daemon(command: str, folder: Path) -> Iterator[None]:
    """The daemon of the page, from the line in which its door says that it listens."""
    daemon = subprocess.Popen(
        ["bash", "-euc", f"exec {command}"], cwd=folder, env=_environment(), stderr=subprocess.PIPE, text=True
    )
    assert daemon.stderr is not None
    try:
        lines = []
        for line in daemon.stderr:
            lines.append(line)
            if "xta.listening" in line:
                break
        assert "xta.listening" in lines[-1], "".join(lines)
        yield
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=60)
