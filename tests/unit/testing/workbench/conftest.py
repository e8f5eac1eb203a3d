"""A package of a vendor, copied under a name of its own, so that a test may change it."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from intermediary.cli.main import cli

VENDOR = Path(__file__).resolve().parents[3] / "packaging/vendor"
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the vendor's package that is not installed: `root` is what a command line names."""

    root: Path
    package: str

    @property
    def folder(self) -> Path:
        """The folder of the mapping."""
        return self.root / self.package / "hundesteuer"

    def change(self, file: str, old: str, new: str) -> None:
        """Replace a text that is there in a file of the mapping."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        shutil.rmtree(
            path.parent / "__pycache__", ignore_errors=True
        )  # same second, same size: Python would believe it

    def call(self, verb: str, *arguments: str | Path) -> Result:
        """`mapping VERB` for this package, as if nothing of it had been loaded."""
        for name in [one for one in sys.modules if one.partition(".")[0] == self.package]:
            del sys.modules[name]
        return CliRunner().invoke(cli, ["mapping", verb, str(self.root), *map(str, arguments)])


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    """The vendor's example under a new package name."""
    package = f"kopie{next(_NUMBERS)}"
    root = tmp_path / "paket"
    shutil.copytree(VENDOR, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "musterverfahren").rename(root / package)
    for path in [root / "pyproject.toml", *root.rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\bmusterverfahren\.", f"{package}.", text), encoding="utf-8")
    before = list(sys.path)
    yield Copy(root, package)
    sys.path[:] = before
    for name in [one for one in sys.modules if one.partition(".")[0] == package]:
        del sys.modules[name]
