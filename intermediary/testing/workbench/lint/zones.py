"""Finds what a mapping would say differently on another machine: its time zone, its language, its addresses in memory."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from intermediary.testing.workbench.lint.finding import Impurity
from intermediary.testing.workbench.lint.names import Names
from intermediary.testing.workbench.lint.sources import Module

_WRITES_TIME = frozenset({"strftime", "strptime"})
_OF_THE_MACHINE = re.compile(r"%[-_0^#]?[aAbBcpxXZsh+]")
_UNNAMED = frozenset({"builtins.object"})
_DUNDER = re.compile(r"\{[^{}]*\.__")
_IN_MEMORY = "__hash__"


def depends_on_machine(module: Module, names: Names) -> Iterator[Impurity]:
    """All findings of one module."""
    for node in names.walk(module):
        for what, kind in _check(node, names):
            yield Impurity(module.file, getattr(node, "lineno", 1), kind, what)


def _check(node: ast.AST, names: Names) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Call(func=ast.Attribute(attr="timestamp"), args=[]):
            yield "timestamp() rechnet Zeiten ohne Zone in der Zone der Maschine", "zone"
        case ast.Call(func=ast.Attribute(attr=attr), args=[*_, ast.Constant(value=str(pattern))]) if (
            attr in _WRITES_TIME
        ):
            if _OF_THE_MACHINE.search(pattern):
                yield f"{attr} mit einem Platzhalter, der von Sprache oder Zone der Maschine abhängt", "zone"
        case ast.Attribute(attr=attr) if attr in _WRITES_TIME and not _is_called_with_text(node, names):
            yield f"{attr} ohne ausgeschriebenes Muster", "zone"
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=str(pattern)), *_])):
            if _OF_THE_MACHINE.search(pattern):
                yield "ein Muster für Zeiten, das von Sprache oder Zone der Maschine abhängt", "zone"
        case ast.Attribute(attr=attr) if attr == _IN_MEMORY:
            yield attr, "chance"
        case ast.Call(func=func) if names.origins(func) & _UNNAMED:
            yield "object() heißt nach seiner Adresse im Speicher", "chance"
        case ast.Constant(value=str(text)) if _DUNDER.search(text):
            yield "ein Muster, das in Objekte hineinsieht ({0.__…})", "dynamic"


def _is_called_with_text(node: ast.Attribute, names: Names) -> bool:
    call = names.parent_of.get(node)
    return (
        isinstance(call, ast.Call)
        and call.func is node
        and bool(call.args)
        and isinstance(call.args[-1], ast.Constant)
        and isinstance(call.args[-1].value, str)
    )
