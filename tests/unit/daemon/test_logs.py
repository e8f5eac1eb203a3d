"""A log without room: lines are lost and counted, nobody falls over it (F14)."""

from __future__ import annotations

import ast
import errno
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import intermediary
from intermediary.daemon.logs import ALLOWED, Patient


class Full(io.StringIO):
    is_full = False

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space")
        return super().write(text)

    def flush(self) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, "no space")


def test_lost_lines_are_counted() -> None:
    """While the disk is full nothing is raised; afterwards the first line says how many are missing."""
    stream = Full()
    patient = Patient(stream)
    patient.write("a\n")
    stream.is_full = True
    for _ in range(3):
        patient.write("b\n")
        patient.flush()
    stream.is_full = False
    patient.write("c\n")
    first, told, last = stream.getvalue().splitlines()

    assert ("a", "c") == (first, last)
    assert {"event": "log.lost", "level": "error", "count": 3} == json.loads(told)


def test_what_is_logged_is_let_through() -> None:
    """A field that the list does not know is dropped: whoever logs one has to say there that it holds no content."""
    package = Path(intermediary.__path__[0])
    calls = [
        (path.name, keyword.arg)
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "log"
        for keyword in node.keywords
    ]

    assert len(calls) > 100
    assert [] == [(file, name) for file, name in calls if name is not None and name not in ALLOWED]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_process_with_a_full_log_ends_as_it_should() -> None:
    """It logs as always, and its exit code does not tell of the log."""
    script = (
        "import sys, structlog; from intermediary.daemon.logs import configure_logging, end_logging;"
        "configure_logging(); structlog.get_logger().info('daemon.started'); print('alive'); end_logging(); sys.exit(0)"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=full, text=True, check=False
        )

    assert (0, "alive\n") == (done.returncode, done.stdout)
