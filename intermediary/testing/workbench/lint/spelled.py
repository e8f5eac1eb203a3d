"""Which names a `getattr` may be asked for, when they are all written out somewhere in the code."""

from __future__ import annotations

import ast

from intermediary.testing.workbench.lint.names import Names


def spellings(node: ast.expr, names: Names) -> frozenset[str] | None:
    """All texts an expression may be: a constant, a loop over constants, or an argument every caller writes out."""
    if isinstance(node, ast.Constant):
        return frozenset({node.value}) if isinstance(node.value, str) else None
    if not isinstance(node, ast.Name):
        return None
    scope = names.scope_of[node].find(node.id)
    if scope is None:
        return None
    if isinstance(scope.node, ast.FunctionDef) and node.id in [one.arg for one in scope.node.args.args]:
        return _of_callers(scope.node, node.id, names) if not scope.names[node.id] else None
    around = names.parent_of.get(node)
    while around is not None:
        for target, walked in _loops(around):
            if isinstance(target, ast.Name) and target.id == node.id:
                return _of_elements(walked, names)
        around = names.parent_of.get(around)
    return None


def _of_callers(function: ast.FunctionDef, argument: str, names: Names) -> frozenset[str] | None:
    """Every mention of the function is a call that writes the argument out."""
    place = [one.arg for one in function.args.args].index(argument)
    found: set[str] = set()
    for module in names.modules.values():
        for node in names.walk(module):
            if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load) or node.id != function.name:
                continue
            call = names.parent_of.get(node)
            if not isinstance(call, ast.Call) or call.func is not node or len(call.args) <= place:
                return None
            given = call.args[place]
            if not isinstance(given, ast.Constant) or not isinstance(given.value, str):
                return None
            found.add(given.value)
    return frozenset(found) or None


def _of_elements(walked: ast.expr, names: Names) -> frozenset[str] | None:
    tables = names.bindings(walked)
    if not tables or not all(isinstance(table, ast.Tuple | ast.List | ast.Set) for table in tables):
        return None
    elements = [one for table in tables for one in table.elts]  # type: ignore[attr-defined]
    if not all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in elements):
        return None
    return frozenset(one.value for one in elements)


def _loops(node: ast.AST) -> list[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.For):
        return [(node.target, node.iter)]
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return [(one.target, one.iter) for one in node.generators]
    return []
