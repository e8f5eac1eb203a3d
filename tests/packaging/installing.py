"""Builds wheels and installs them away from the source, without a network: everything comes from the cache of set-up."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
UV = PROJECT / ".ci/uv"
_OURS = ("PYTHON", "VIRTUAL_ENV", "INTERMEDIARY_")


@dataclass(frozen=True, slots=True)
class Said:
    """What a program left: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Standard output as JSON, one object per line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python environment with nothing of the source in it; `beside` is a folder of more packages on its path."""

    place: Path
    beside: Path | None = None

    @property
    def python(self) -> Path:
        return self.place / "bin/python"

    @property
    def program(self) -> Path:
        return self.place / "bin/intermediary"

    @property
    def variables(self) -> dict[str, str]:
        """What its programs run with: nothing of the test's own Python."""
        return clean_variables() | ({"PYTHONPATH": str(self.beside)} if self.beside else {})

    def call(self, program: Path, *arguments: str | Path, folder: Path) -> Said:
        """Run one of its programs in a folder, to the end."""
        done = subprocess.run(
            [program, *arguments], cwd=folder, env=self.variables, check=False, capture_output=True, text=True
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def install(self, wheel: Path, *options: str) -> None:
        """Install a wheel that was built here."""
        run(UV, "pip", "install", "--offline", "--quiet", *options, "--python", self.python, wheel, folder=self.place)


def build_wheel(source: Path, folder: Path) -> Path:
    """The wheel of a source folder."""
    run(UV, "build", "--offline", "--wheel", "--out-dir", folder, source, folder=source)
    (built,) = folder.glob("*.whl")
    return built


def make_environment(place: Path, wheel: Path) -> Environment:
    """A new environment with the locked dependencies and our wheel."""
    sync = ("sync", "--offline", "--frozen", "--quiet", "--no-dev", "--no-install-project")
    run(UV, *sync, folder=PROJECT, UV_PROJECT_ENVIRONMENT=str(place))
    made = Environment(place)
    made.install(wheel, "--no-deps")
    return made


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Run a program that must succeed; its standard output."""
    done = subprocess.run(
        command, cwd=folder, env=clean_variables() | environment, check=False, capture_output=True, text=True
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def clean_variables() -> dict[str, str]:
    """The environment variables of this process without those that lead to its Python or its configuration."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
