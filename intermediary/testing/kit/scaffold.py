"""Makes the package of a new connector in an empty folder, from the templates."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TEMPLATES = Path(__file__).parent / "template"
_FILES = {
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    "init.py": "@PACKAGE@/__init__.py",
    "connector.py": "@PACKAGE@/connector.py",
    "interface.py": "@PACKAGE@/interface.py",
    "settings.py": "@PACKAGE@/settings.py",
    "kit.toml": "@PACKAGE@/kit.toml",
    "test.py": "tests/test_connector.py",
}


class CannotMake(ValueError):
    """The package cannot be made; the text says in German what to do."""


def make(name: str, folder: Path) -> Path:
    """Write the package `name` below `folder` and give its folder. Raises `CannotMake`; nothing is left behind then."""
    package = name.replace("-", "_")
    if not _NAME.fullmatch(name) or keyword.iskeyword(package) or package in sys.stdlib_module_names:
        raise CannotMake(
            f'"{name}": ein Name hat kleine Buchstaben, Ziffern und Bindestriche und gehört keinem Modul von Python: '
            "musterfirma-verfahren"
        )
    target = folder / name
    if target.exists():
        raise CannotMake(f"{target} gibt es schon; einen anderen Namen oder Ordner wählen")
    for template, place in _FILES.items():
        path = target / place.replace("@PACKAGE@", package)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (_TEMPLATES / f"{template}.template").read_text(encoding="utf-8")
        path.write_text(text.replace("@NAME@", name).replace("@PACKAGE@", package), encoding="utf-8")
    (target / package / "py.typed").touch()
    return target
