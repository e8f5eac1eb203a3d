"""Places of a mapping where `mapping new` left a target without a source: calls of its function `offen`."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from intermediary.testing.workbench.lint.sources import own_modules

OPEN = "offen"


@dataclass(frozen=True, slots=True)
class Unassigned:
    """One call of `offen`, with the place in the target it stands for."""

    file: str
    line: int
    target: str


def unassigned(root: Path, module: str) -> tuple[Unassigned, ...]:
    """All calls `offen("Kopf/ProzessID")` in the own code of a mapping; see `own_modules` for the arguments."""
    modules, _ = own_modules(root, module)
    found = [
        Unassigned(one.file, node.lineno, node.args[0].value)
        for one in modules.values()
        for node in ast.walk(one.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == OPEN
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]
    return tuple(sorted(found, key=lambda one: (one.file, one.line)))
