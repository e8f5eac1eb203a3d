"""All findings of a main configuration file at once: its own, and those of the files and folders it names."""

from __future__ import annotations

import os.path
from pathlib import Path

from intermediary.settings.files import check_files
from intermediary.settings.finding import Finding
from intermediary.settings.load import read


def lint(path: Path) -> list[Finding]:
    """Every finding of the file `path`, offline; empty when all is well. Routes and plug-ins are linted elsewhere."""
    file = Path(os.path.abspath(path))  # noqa: PTH100
    settings, findings = read(file)
    return findings if settings is None else [*findings, *check_files(settings, file)]
