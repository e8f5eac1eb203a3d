"""What the code of a mapping reaches for: imports, names behind aliases, files, and what nobody can read."""

from __future__ import annotations

import ast
import builtins
import importlib
import types
from collections.abc import Iterator

from intermediary.testing.workbench.lint.allowed import (
    API,
    BUILTINS,
    CORE,
    IMPURE,
    KIND_OF_ATTRIBUTE,
    KIND_OF_MODULE,
    PURE,
    READS_FILES,
    SAFE_ON_PATHS,
)
from intermediary.testing.workbench.lint.finding import Impurity
from intermediary.testing.workbench.lint.names import Names
from intermediary.testing.workbench.lint.sources import Module, absolute
from intermediary.testing.workbench.lint.spelled import spellings

_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath"})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def reaches(module: Module, names: Names, package: str) -> Iterator[Impurity]:
    """All findings of one module; `package` is the mapping's own, which may be imported."""
    rules = _Reach(module, names, package)
    for node in names.walk(module):
        for kind, what in rules.check(node):
            yield Impurity(module.file, getattr(node, "lineno", 1), kind, what)


class _Reach:
    def __init__(self, module: Module, names: Names, package: str) -> None:
        self._module = module
        self._names = names
        self._package = package

    def check(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        match node:
            case ast.Import():
                for alias in node.names:
                    yield from self._imported(alias.name)
            case ast.ImportFrom():
                yield from self._imported_from(node)
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
                yield from self._read(node)
            case ast.Call():
                yield from self._called(node)
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield "threads", "async"
            case ast.BinOp(op=ast.Div()) if self._is_path(node.left) and _leads_up(node.right):
                yield "files", "ein Pfad, der aus dem Paket hinausführt"

    def _imported(self, name: str) -> Iterator[tuple[str, str]]:
        if self._is_own(name) or name in PURE or name in (API, CORE) or name.startswith(f"{CORE}."):
            return
        top = name.partition(".")[0]
        yield KIND_OF_MODULE.get(name, KIND_OF_MODULE.get(top, "foreign")), f"import {name}"

    def _imported_from(self, node: ast.ImportFrom) -> Iterator[tuple[str, str]]:
        start = absolute(self._module, node)
        for alias in node.names:
            whole = f"{start}.{alias.name}"
            if alias.name == "*":
                yield "dynamic", f"from {start} import *"
            elif self._is_own(whole) or whole in PURE or whole == API or whole.startswith(f"{CORE}."):
                yield from self._dotted(whole) if whole not in PURE and not self._is_own(whole) else ()
            elif start in PURE or start in (API, CORE):
                yield from self._dotted(whole)
            else:
                yield from self._imported(start)
                break

    def _read(self, node: ast.Name | ast.Attribute) -> Iterator[tuple[str, str]]:
        origins = self._names.origins(node)
        for origin in sorted(origins):
            yield from self._dotted(origin)
        if isinstance(node, ast.Attribute):
            if self._is_path(node.value) and node.attr not in SAFE_ON_PATHS:
                yield "files", f".{node.attr} an einem Pfad"
            elif node.attr in KIND_OF_ATTRIBUTE and not self._is_setattr_of_frozen(node):
                yield KIND_OF_ATTRIBUTE[node.attr], f".{node.attr}"

    def _called(self, node: ast.Call) -> Iterator[tuple[str, str]]:
        origins = self._names.origins(node.func)
        if "builtins.getattr" in origins:
            yield from self._asked_by_name(node)
        if "builtins.type" in origins and len(node.args) > 1:
            yield "dynamic", "type(…) mit drei Argumenten"
        if origins & _PATHS and not _is_file_of_module(node):
            yield "files", "Path(…) mit etwas anderem als __file__"
        if "datetime.datetime.fromtimestamp" in origins and len(node.args) + len(node.keywords) < 2:
            yield "environment", "datetime.fromtimestamp ohne Zeitzone"
        if isinstance(node.func, ast.Attribute) and node.func.attr == "astimezone" and not (node.args or node.keywords):
            yield "environment", ".astimezone() ohne Zeitzone nimmt die des Rechners"
        if origins & {f"{API}.{name}" for name in READS_FILES} and self._is_in_function(node):
            yield "files", "eine Tabelle wird in einer Funktion gelesen, nicht beim Laden"

    def _asked_by_name(self, node: ast.Call) -> Iterator[tuple[str, str]]:
        """`getattr(thing, name)`: as good as `thing.name` for every name it may be asked for."""
        asked = spellings(node.args[1], self._names) if len(node.args) > 1 else None
        if asked is None:
            yield "dynamic", "getattr mit einem berechneten Namen"
            return
        for name in sorted(asked):
            if name in KIND_OF_ATTRIBUTE:
                yield KIND_OF_ATTRIBUTE[name], f'getattr(…, "{name}")'
            for start in sorted(self._names.origins(node.args[0])):
                yield from self._dotted(f"{start}.{name}")

    def _dotted(self, origin: str) -> Iterator[tuple[str, str]]:
        """Judge a name by where it comes from; real objects are followed to the module that made them."""
        top, _, rest = origin.partition(".")
        if top == "builtins":
            if rest in BUILTINS:
                yield BUILTINS[rest], rest
            return
        if self._is_own(origin) or origin in self._names.modules:
            return
        if origin in IMPURE:
            yield IMPURE[origin], origin
            return
        module = next(
            (name for name in (API, *sorted(PURE, key=len, reverse=True)) if origin.startswith(f"{name}.")), None
        )
        if module is None and origin.startswith(f"{CORE}."):
            module = _longest_module(origin)
        if module is None:
            if origin not in PURE and origin not in (API, CORE):
                yield from self._imported(origin) if "." not in origin else ()
            return
        name = origin[len(module) + 1 :].partition(".")[0]
        only = PURE.get(module)
        if module == API:
            only = frozenset(importlib.import_module(API).__all__)
        if only is not None and name not in only and f"{module}.{name}" not in PURE:
            yield (KIND_OF_MODULE | KIND_OF_ATTRIBUTE | BUILTINS).get(name, "foreign"), origin
            return
        yield from _behind(module, origin)

    def _is_own(self, name: str) -> bool:
        return name in self._names.modules or name == self._package or name.startswith(f"{self._package}.")

    def _is_path(self, node: ast.expr, steps: int = 12) -> bool:
        if steps == 0:
            return False
        match node:
            case ast.Call(func=func):
                if self._names.origins(func) & _PATHS:
                    return True
                return isinstance(func, ast.Attribute) and self._is_path(func.value, steps - 1)
            case ast.BinOp(left=left, op=ast.Div()):
                return self._is_path(left, steps - 1)
            case ast.Attribute(value=value, attr="parent"):
                return self._is_path(value, steps - 1)
            case ast.Name() | ast.Attribute():
                if self._names.origins(node) & _PATHS or self._is_annotated(node):
                    return True
                return any(self._is_path(one, steps - 1) for one in self._names.bindings(node) if one is not node)
        return False

    def _is_annotated(self, node: ast.expr) -> bool:
        """Whether a name is an argument that is said to be a Path."""
        if not isinstance(node, ast.Name):
            return False
        scope = self._names.scope_of[node].find(node.id)
        if scope is None or not isinstance(scope.node, _FUNCTIONS):
            return False
        arguments = (*scope.node.args.posonlyargs, *scope.node.args.args, *scope.node.args.kwonlyargs)
        return any(
            one.arg == node.id and one.annotation is not None and self._names.origins(one.annotation) & _PATHS
            for one in arguments
        )

    def _is_in_function(self, node: ast.AST) -> bool:
        above: ast.AST | None = node
        while above is not None:
            if isinstance(above, _FUNCTIONS):
                return True
            above = self._names.parent_of.get(above)
        return False

    def _is_setattr_of_frozen(self, node: ast.Attribute) -> bool:
        """`object.__setattr__(self, …)` while a frozen value is made."""
        if node.attr != "__setattr__" or self._names.origins(node.value) != {"builtins.object"}:
            return False
        scope: object = self._names.scope_of[node].node
        return isinstance(scope, ast.FunctionDef) and scope.name in ("__init__", "__post_init__", "__new__")


def _behind(module: str, origin: str) -> Iterator[tuple[str, str]]:
    """Follow the real objects: a module seen through another module's name, or an impure class under a new name."""
    thing: object = importlib.import_module(module)
    for attr in origin[len(module) + 1 :].split("."):
        thing = getattr(thing, attr, None)
        if isinstance(thing, types.ModuleType) and thing.__name__ not in PURE and not _is_ours(thing.__name__):
            top = thing.__name__.partition(".")[0]
            yield KIND_OF_MODULE.get(thing.__name__, KIND_OF_MODULE.get(top, "foreign")), origin
            return
    if thing is None:
        return
    real = f"{getattr(thing, '__module__', None)}.{getattr(thing, '__qualname__', '')}"
    if thing is builtins or (real.startswith("builtins.") and real[9:] in BUILTINS):
        yield BUILTINS.get(real[9:], "dynamic"), origin
    elif real in IMPURE and real != origin:
        yield IMPURE[real], origin
    else:
        for impure, kind in IMPURE.items():
            owner, _, name = impure.rpartition(".")
            if real and origin.endswith(f".{name}") and real.endswith(f"{owner.rpartition('.')[2]}.{name}"):
                yield kind, origin
                return


def _is_ours(name: str) -> bool:
    return name in (API, CORE) or name.startswith(f"{CORE}.")


def _longest_module(origin: str) -> str:
    parts = origin.split(".")
    for length in range(len(parts), 1, -1):
        name = ".".join(parts[:length])
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        return name
    return CORE


def _is_file_of_module(node: ast.Call) -> bool:
    return len(node.args) == 1 and isinstance(node.args[0], ast.Name) and node.args[0].id == "__file__"


def _leads_up(node: ast.expr) -> bool:
    if not isinstance(node, ast.Constant):
        return not isinstance(node, ast.JoinedStr | ast.Name)
    return isinstance(node.value, str) and (node.value.startswith("/") or ".." in node.value.split("/"))
