"""Calls the command line as a user does: in this process through the console script's own entry point, or as a process."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from intermediary.cli.main import main
from intermediary.daemon.logs import configure_logging


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines of standard output."""
        return self.out.splitlines()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Standard output as JSON, one object per line."""
        return [json.loads(line) for line in self.lines]


def call(*arguments: str | Path) -> Said:
    """Run a command in this process, through `main` with everything it catches."""
    out, err = io.StringIO(), io.StringIO()
    code: int | str | None = 0
    words = ["intermediary", *map(str, arguments)]
    with (
        _own_logging(),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", words),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code
    return Said(code if isinstance(code, int) else 0 if code is None else 1, out.getvalue(), err.getvalue())


def process(*arguments: str | Path, **environment: str) -> Said:
    """Run a command as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "intermediary", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"} | environment,
        timeout=120,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def _own_logging() -> Iterator[None]:
    """A command sets up the logging of its process; here that must end with the command."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level

    def configure(level: str = "info") -> None:
        configure_logging(level)
        structlog.configure(cache_logger_on_first_use=False)

    try:
        with mock.patch("intermediary.cli.quiet.configure_logging", configure):
            yield
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()
