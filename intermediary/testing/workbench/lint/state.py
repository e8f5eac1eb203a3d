"""What a mapping could remember from one Nachricht to the next: globals, tables, attributes, objects that live long."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from intermediary.testing.workbench.lint.allowed import (
    CHANGES,
    IN_ORDER,
    MAKES_ITERATOR,
    MAKES_MUTABLE,
    ONLY_LOOK,
    READS,
)
from intermediary.testing.workbench.lint.finding import Impurity
from intermediary.testing.workbench.lint.names import Names
from intermediary.testing.workbench.lint.sources import Module

_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_MAKERS = ("__init__", "__post_init__", "__new__")


def remembers(module: Module, names: Names, long_lived: frozenset[str]) -> Iterator[Impurity]:
    """All findings of one module; `long_lived` are the classes of objects that outlive one call (`long_lived_classes`)."""
    rules = _State(module, names, long_lived)
    for node in names.walk(module):
        for line, what, kind in rules.check(node):
            yield Impurity(module.file, line, kind, what)


def long_lived_classes(names: Names) -> frozenset[str]:
    """Own classes with an object made at module level or in the `__init__` of such a class; and their bases."""
    found: set[str] = set()
    grown = True
    while grown:
        made = {
            origin
            for module in names.modules.values()
            for node in names.walk(module)
            if isinstance(node, ast.Call) and _is_kept(node, names, found)
            for origin in names.origins(node.func) | _own(names, node.func)
        }
        bases = {
            origin
            for module in names.modules.values()
            for node in names.walk(module)
            if isinstance(node, ast.ClassDef) and f"{module.name}.{node.name}" in found
            for base in node.bases
            for origin in names.origins(base) | _own(names, base)
        }
        grown = not (made | bases) <= found
        found |= made | bases
    return frozenset(found)


def _own(names: Names, node: ast.expr) -> set[str]:
    top = names.top_of(node)
    return {top} if top else set()


def _is_kept(node: ast.Call, names: Names, found: set[str]) -> bool:
    function = _function_around(node, names)
    if function is None:
        return True
    around = names.parent_of.get(function)
    return (
        getattr(function, "name", "") in _MAKERS
        and isinstance(around, ast.ClassDef)
        and f"{names.scope_of[function].module.name}.{around.name}" in found
    )


class _State:
    def __init__(self, module: Module, names: Names, long_lived: frozenset[str]) -> None:
        self._module = module
        self._names = names
        self._long_lived = long_lived

    def check(self, node: ast.AST) -> Iterator[tuple[int, str, str]]:
        """Line, what it is, and kind of every finding at one node."""
        line = getattr(node, "lineno", 1)
        for what in (*self._declared(node), *self._changed(node)):
            yield line, what, "state"
        if isinstance(node, ast.For | ast.comprehension) and self._is_set(node.iter):
            yield node.iter.lineno, "eine Menge wird in zufälliger Reihenfolge durchlaufen", "order"
        elif isinstance(node, ast.Call | ast.Starred) and self._orders_a_set(node):
            yield line, "eine Menge wird in zufälliger Reihenfolge aufgereiht", "order"

    def _declared(self, node: ast.AST) -> Iterator[str]:
        """What stands ready to be changed."""
        match node:
            case ast.Global(names=given):
                yield f"global {', '.join(given)}"
            case ast.Nonlocal(names=given):
                yield f"nonlocal {', '.join(given)}: eine Funktion merkt sich etwas"
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                if any(
                    self._is_mutable(one) for one in (*node.args.defaults, *node.args.kw_defaults) if one is not None
                ):
                    yield "ein veränderlicher Vorgabewert eines Arguments"
            case ast.Assign() | ast.AnnAssign() if isinstance(self._names.parent_of.get(node), ast.ClassDef):
                if node.value is not None and self._is_mutable(node.value):
                    yield "an der Klasse veränderlich"
            case ast.Assign() | ast.AnnAssign() if _function_around(node, self._names) is None:
                yield from self._kept(node)

    def _changed(self, node: ast.AST) -> Iterator[str]:
        """What is changed, or handed to somebody who could."""
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                yield from self._stored(node)
            case ast.Subscript(ctx=ast.Store() | ast.Del(), value=value) if self._is_long_lived(value):
                yield f"{ast.unparse(value)}[…] wird geändert"
            case ast.Name(ctx=ast.Load()) | ast.Attribute(ctx=ast.Load()):
                yield from self._used(node)
            case ast.AugAssign(target=ast.Name() as target) if self._is_top(target) and _function_around(
                node, self._names
            ):
                yield f"{target.id} wird geändert"

    def _kept(self, node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
        """What a module keeps: iterators run out, and tables in tables could be changed."""
        if node.value is None:
            return
        if self._is_generator(node.value):
            yield "ein Generator auf Modulebene läuft einmal ab"
        if isinstance(node.value, ast.GeneratorExp) or (
            isinstance(node.value, ast.Call)
            and any(
                one in MAKES_ITERATOR or one.startswith("itertools.") for one in self._names.origins(node.value.func)
            )
        ):
            yield "ein Iterator, der sich merkt, wie weit er ist"
        if isinstance(node.value, _DISPLAYS) and any(
            isinstance(one, _DISPLAYS) for one in ast.walk(node.value) if one is not node.value
        ):
            yield "eine veränderliche Tabelle in einer Tabelle"
        if isinstance(node.value, ast.Call) and self._names.origins(node.value.func) & (
            MAKES_MUTABLE - {"builtins.dict"}
        ):
            yield f"{ast.unparse(node.value.func)}(…) lebt länger als eine Nachricht"

    def _stored(self, node: ast.Attribute) -> Iterator[str]:
        owner = node.value
        function = _function_around(node, self._names)
        if function is None:
            return
        if isinstance(owner, ast.Name) and owner.id in ("self", "cls"):
            around = self._names.parent_of.get(function)
            if not isinstance(around, ast.ClassDef) or getattr(function, "name", "") in _MAKERS:
                return
            if f"{self._module.name}.{around.name}" in self._long_lived or owner.id == "cls":
                yield f"{owner.id}.{node.attr} wird nach dem Laden gesetzt"
        elif self._names.top_of(owner) is not None or self._names.origins(owner) - _locals(self._names, owner):
            yield f"{ast.unparse(owner)}.{node.attr} wird gesetzt"

    def _used(self, node: ast.Name | ast.Attribute) -> Iterator[str]:
        """Any use of a table at module level that could change it, or hands it to somebody who could."""
        above = self._names.parent_of.get(node)
        if isinstance(above, ast.Attribute) and above.value is node and self._is_long_lived_attribute(node):
            if above.attr in CHANGES:
                yield f"{ast.unparse(node)}.{above.attr}"
            return
        if not self._is_table(node) or _function_around(node, self._names) is None:
            return
        if not _only_reads(node, above, self._names):
            yield f"{ast.unparse(node)} wird weitergegeben oder geändert; es ist veränderlich"

    def _is_long_lived_attribute(self, node: ast.expr) -> bool:
        """`self._seen` in a class whose object lives long."""
        function = _function_around(node, self._names)
        return (
            function is not None
            and getattr(function, "name", "") not in _MAKERS
            and self._is_long_lived(node)
            and isinstance(node, ast.Attribute)
        )

    def _is_long_lived(self, node: ast.expr) -> bool:
        if _function_around(node, self._names) is None:
            return False
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            around = self._names.parent_of.get(_function_around(node, self._names) or node)
            return isinstance(around, ast.ClassDef) and f"{self._module.name}.{around.name}" in self._long_lived
        return self._is_top(node)

    def _is_top(self, node: ast.expr) -> bool:
        return self._names.top_of(node) is not None or (
            isinstance(node, ast.Name)
            and any(self._names.top_of(one) is not None for one in _renamed(self._names, node))
        )

    def _is_table(self, node: ast.expr) -> bool:
        return self._names.top_of(node) is not None and any(
            isinstance(one, _DISPLAYS) or (isinstance(one, ast.Call) and self._names.origins(one.func) & MAKES_MUTABLE)
            for one in self._names.bindings(node)
        )

    def _is_mutable(self, node: ast.expr) -> bool:
        return isinstance(node, _DISPLAYS) or (
            isinstance(node, ast.Call) and bool(self._names.origins(node.func) & MAKES_MUTABLE)
        )

    def _is_generator(self, node: ast.expr) -> bool:
        """`G = zaehle()` with an own function that yields."""
        if not isinstance(node, ast.Call):
            return False
        called = self._names.top_of(node.func)
        return called is not None and any(
            f"{module.name}.{one.name}" == called
            and any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(one))
            for module in self._names.modules.values()
            for one in module.tree.body
            if isinstance(one, ast.FunctionDef)
        )

    def _is_set(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.Call):
            return bool(self._names.origins(node.func) & {"builtins.set", "builtins.frozenset"})
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
            return self._is_set(node.left) or self._is_set(node.right)
        if isinstance(node, ast.Name | ast.Attribute):
            return any(
                self._is_set(one) for one in self._names.bindings(node) if not isinstance(one, ast.Name | ast.Attribute)
            )
        return False

    def _orders_a_set(self, node: ast.Call | ast.Starred) -> bool:
        """`list({…})`, `tuple({…})`, `", ".join({…})`, `[*{…}]`, `{…}.pop()`."""
        if isinstance(node, ast.Starred):
            above = self._names.parent_of.get(node)
            return isinstance(above, ast.List | ast.Tuple | ast.Call) and self._is_set(node.value)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "pop" and self._is_set(node.func.value):
            return True
        is_join = isinstance(node.func, ast.Attribute) and node.func.attr == "join"
        in_order = self._names.origins(node.func) & IN_ORDER
        return bool(node.args) and (is_join or bool(in_order)) and self._is_set(node.args[0])


def _only_reads(node: ast.expr, above: ast.AST | None, names: Names) -> bool:
    match above:
        case ast.Subscript(value=value, ctx=ast.Load()) if value is node:
            return True
        case ast.Attribute(attr=attr):
            return attr in READS
        case ast.Compare() | ast.Starred() | ast.BinOp() | ast.FormattedValue() | ast.BoolOp():
            return True
        case ast.For(iter=walked) | ast.comprehension(iter=walked):
            return walked is node
        case ast.Dict(keys=keys, values=values):
            return any(key is None and value is node for key, value in zip(keys, values, strict=True))
        case ast.keyword(arg=None):
            return True
        case ast.Call(func=func, args=args):
            return any(one is node for one in args) and bool(names.origins(func) & ONLY_LOOK)
        case ast.Slice() | ast.Subscript():
            return True
    return False


def _renamed(names: Names, node: ast.Name) -> list[ast.expr]:
    """Names and attributes a local name was made of: `tabelle = TABELLE`."""
    scope = names.scope_of[node].find(node.id)
    if scope is None:
        return []
    return [one for one in scope.names[node.id] if isinstance(one, ast.Name | ast.Attribute) and one is not node]


def _locals(names: Names, node: ast.expr) -> set[str]:
    return {one for one in names.origins(node) if one.startswith("builtins.")}


def _function_around(node: ast.AST, names: Names) -> ast.AST | None:
    above = names.parent_of.get(node)
    while above is not None and not isinstance(above, _FUNCTIONS):
        above = names.parent_of.get(above)
    return above
