"""The code of a mapping: its modules, and those of its own package that it imports, found without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from intermediary.testing.workbench.lint.finding import Impurity


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed module. `file` is its path below the folder that holds the top-level package; `is_package`: `__init__`."""

    name: str
    file: str
    is_package: bool
    tree: ast.Module = field(repr=False)

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]


def own_modules(root: Path, module: str) -> tuple[dict[str, Module], list[Impurity]]:
    """All modules of the mapping's own package that `module` (`firm.dog.mapping`) reaches, and what cannot be read.

    `root` is the folder that holds the top-level package. The package is the one `module` lies in, with what is below
    it; the `__init__` files above it run too and are read as well. A module without source is a finding.
    """
    package = module.rpartition(".")[0] or module
    found: dict[str, Module] = {}
    unread: list[Impurity] = []
    queue = [*_above(module), module]
    while queue:
        name = queue.pop()
        if name in found:
            continue
        place = _place(root, name)
        if place is None:
            continue
        if place.suffix != ".py":
            unread.append(Impurity(place.relative_to(root).as_posix(), 1, "source", f"{name} ist kein Quelltext"))
            continue
        found[name] = _read(root, place, name)
        for imported in imports_of(found[name]):
            if imported == package or imported.startswith(f"{package}."):
                queue += [*_above(imported), imported]
    return found, unread


def imports_of(module: Module) -> Iterator[str]:
    """Every name that may be a module and is imported somewhere in it, as an absolute dotted name."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = absolute(module, node)
            yield start
            yield from (f"{start}.{alias.name}" for alias in node.names)


def absolute(module: Module, node: ast.ImportFrom) -> str:
    """The module an import names, with the dots of a relative one resolved."""
    if not node.level:
        return node.module or ""
    above = module.package.split(".")
    above = above[: len(above) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _read(root: Path, place: Path, name: str) -> Module:
    file = place.relative_to(root).as_posix()
    return Module(name, file, place.name == "__init__.py", ast.parse(place.read_bytes(), filename=file))


def _above(name: str) -> Iterable[str]:
    parts = name.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts)))


def _place(root: Path, name: str) -> Path | None:
    """The file of a module; None when there is none of that name here (the name may be one inside a module)."""
    path = root.joinpath(*name.split("."))
    for candidate in (path / "__init__.py", path.with_name(f"{path.name}.py")):
        if candidate.is_file():
            return candidate
    compiled = [
        *path.parent.glob(f"{path.name}.*.so"),
        *path.parent.glob(f"{path.name}.so"),
        *path.parent.glob(f"{path.name}.pyc"),
    ]
    return compiled[0] if compiled else None
