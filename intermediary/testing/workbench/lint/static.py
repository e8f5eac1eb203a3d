"""Reads the code of a mapping and says what in it is not pure; nothing is run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from intermediary.testing.workbench.lint.finding import Impurity
from intermediary.testing.workbench.lint.names import Names
from intermediary.testing.workbench.lint.reach import reaches
from intermediary.testing.workbench.lint.sources import own_modules
from intermediary.testing.workbench.lint.state import long_lived_classes, remembers
from intermediary.testing.workbench.lint.zones import depends_on_machine


def impurities(root: Path, module: str) -> tuple[tuple[Impurity, ...], int]:
    """Findings in order of file and line, and how many modules were read.

    `module` is the one the entry point names (`firm.dog.mapping`), `root` the folder that holds its top-level package.
    Raises `SyntaxError` when a file cannot be parsed.
    """
    modules, found = own_modules(root, module)
    names = Names(modules)
    package = module.rpartition(".")[0] or module
    long_lived = long_lived_classes(names)
    for one in modules.values():
        found += [*reaches(one, names, package), *remembers(one, names, long_lived), *depends_on_machine(one, names)]
    return tuple(_once(found)), len(modules)


def _once(found: Iterable[Impurity]) -> list[Impurity]:
    """One finding per line and kind: the first says it, the next would only repeat it."""
    kept: dict[tuple[str, int, str], Impurity] = {}
    for one in found:
        kept.setdefault((one.file, one.line, one.kind), one)
    return sorted(kept.values(), key=lambda one: (one.file, one.line, one.kind))
