"""Follows names to where they come from: scope by scope, through renamings and from one own module into another."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from intermediary.testing.workbench.lint.sources import Module, absolute

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)
_MOST_STEPS = 40


@dataclass(slots=True, eq=False)
class Scope:
    """The names one block binds. A binding is a dotted origin of an import, or the expression that was assigned."""

    module: Module
    node: ast.AST
    above: Scope | None
    names: dict[str, list[str | ast.expr]] = field(default_factory=dict)
    is_global: set[str] = field(default_factory=set)

    def bind(self, name: str, *origins: str | ast.expr) -> None:
        top = self.top if name in self.is_global else self
        top.names.setdefault(name, []).extend(origins)

    @property
    def top(self) -> Scope:
        return self if self.above is None else self.above.top

    def find(self, name: str) -> Scope | None:
        """The scope that binds a name, as Python looks: a class's names are not seen from inside its methods."""
        here: Scope | None = self
        while here is not None:
            if name in here.names and (here is self or not isinstance(here.node, ast.ClassDef)):
                return here
            here = here.above
        return None


class Names:
    """The scopes of all own modules, and the questions the rules ask about an expression."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        self.scope_of: dict[ast.AST, Scope] = {}
        self.parent_of: dict[ast.AST, ast.AST] = {}
        self.tops: dict[str, Scope] = {}
        for name, module in modules.items():
            self.tops[name] = Scope(module, module.tree, None)
            _Binder(self, self.tops[name]).visit_body(module.tree)

    def walk(self, module: Module) -> Iterator[ast.AST]:
        """Every node of a module in its order, without what only a type checker reads."""
        yield from self._below(module.tree)

    def origins(self, node: ast.expr, steps: int = _MOST_STEPS) -> set[str]:
        """Every dotted name an expression may stand for (`datetime.datetime.now`); empty when it is made here."""
        if steps == 0:
            return set()
        match node:
            case ast.Name(id=name):
                scope = self.scope_of[node].find(name)
                if scope is None:
                    return {f"builtins.{name}"} if hasattr(builtins, name) or name.startswith("__") else set()
                found = {one for binding in scope.names[name] for one in self._bound(binding, steps - 1)}
                return found or ({f"{scope.module.name}.{name}"} if scope.above is None else set())
            case ast.Attribute(value=value, attr=attr):
                return {one for start in self.origins(value, steps - 1) for one in self._member(start, attr, steps - 1)}
            case ast.NamedExpr(value=value):
                return self.origins(value, steps - 1)
            case ast.IfExp(body=body, orelse=other):
                return self.origins(body, steps - 1) | self.origins(other, steps - 1)
            case ast.BoolOp(values=values):
                return {one for value in values for one in self.origins(value, steps - 1)}
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(attr)), *_]):
                return {one for start in self.origins(value, steps - 1) for one in self._member(start, attr, steps - 1)}
        return set()

    def bindings(self, node: ast.expr, steps: int = _MOST_STEPS) -> list[ast.expr]:
        """The expressions whose value a name or an own module's name may have; the expression itself if it is none."""
        if steps == 0:
            return []
        if isinstance(node, ast.Name):
            scope = self.scope_of[node].find(node.id)
            return [] if scope is None else self._values(scope, node.id, steps - 1)
        if isinstance(node, ast.Attribute):
            starts = self.origins(node.value)
            return [one for start in starts for one in self._values_of(f"{start}.{node.attr}", steps - 1)] or [node]
        return [node]

    def top_of(self, node: ast.expr) -> str | None:
        """`module.NAME` when a name leads to a module-level name of an own module, straight or imported."""
        if isinstance(node, ast.Name):
            scope = self.scope_of[node].find(node.id)
            if scope is None or scope.above is not None:
                return None
            own = next((b for b in scope.names[node.id] if isinstance(b, str) and self._owner(b)), None)
            return self._final(own) if own else f"{scope.module.name}.{node.id}"
        if isinstance(node, ast.Attribute):
            own = next((one for one in self.origins(node.value) if one in self.modules), None)
            return self._final(f"{own}.{node.attr}") if own else None
        return None

    def _final(self, dotted: str, steps: int = _MOST_STEPS) -> str:
        """Where an own name is defined: `from own.b import X` in own.a makes own.a.X the same as own.b.X."""
        owner = self._owner(dotted)
        if owner is None or steps == 0:
            return dotted
        for binding in self.tops[owner].names.get(dotted[len(owner) + 1 :], ()):
            if isinstance(binding, str) and self._owner(binding) and binding != dotted:
                return self._final(binding, steps - 1)
        return dotted

    def _values(self, scope: Scope, name: str, steps: int) -> list[ast.expr]:
        found: list[ast.expr] = []
        for binding in scope.names[name]:
            if isinstance(binding, str):
                found += self._values_of(binding, steps)
            else:
                found += self.bindings(binding, steps)
        return found

    def _values_of(self, dotted: str, steps: int) -> list[ast.expr]:
        owner = self._owner(dotted)
        if owner is None or steps == 0:
            return []
        name = dotted[len(owner) + 1 :]
        return self._values(self.tops[owner], name, steps) if name in self.tops[owner].names else []

    def _bound(self, binding: str | ast.expr, steps: int) -> set[str]:
        return self._through(binding, steps) if isinstance(binding, str) else self.origins(binding, steps)

    def _member(self, start: str, attr: str, steps: int) -> set[str]:
        return self._through(f"{start}.{attr}", steps)

    def _through(self, dotted: str, steps: int) -> set[str]:
        """The origins of a name of an own module, or the name itself."""
        owner = self._owner(dotted)
        if owner is None or steps == 0:
            return {dotted}
        name = dotted[len(owner) + 1 :]
        bindings = self.tops[owner].names.get(name)
        if not bindings:
            return {dotted}
        return {one for binding in bindings for one in self._bound(binding, steps - 1)} or {dotted}

    def _owner(self, dotted: str) -> str | None:
        """The own module a dotted name lies in, if exactly one name follows."""
        owner, _, name = dotted.rpartition(".")
        return owner if name and owner in self.modules and dotted not in self.modules else None

    def _below(self, node: ast.AST) -> Iterator[ast.AST]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and self.is_for_checkers(child):
                for other in child.orelse:
                    yield other
                    yield from self._below(other)
                continue
            yield child
            yield from self._below(child)

    def is_for_checkers(self, node: ast.If) -> bool:
        """`if TYPE_CHECKING:` with the name from typing, and bound to nothing else."""
        return isinstance(node.test, ast.Name) and self.origins(node.test) == {"typing.TYPE_CHECKING"}


class _Binder:
    """Fills the scopes of one module."""

    def __init__(self, names: Names, top: Scope) -> None:
        self._names = names
        self._scope = top

    def visit_body(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            self._names.parent_of[child] = node
            self._visit(child)

    def _visit(self, node: ast.AST) -> None:
        self._names.scope_of[node] = self._scope
        self._bind(node)
        if not isinstance(node, _SCOPES):
            self.visit_body(node)
            return
        outer, self._scope = self._scope, Scope(self._scope.module, node, self._scope)
        if isinstance(node, _FUNCTIONS):
            every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg)
            for argument in every:
                if argument is not None:
                    self._scope.bind(argument.arg)
        for statement in _direct(node):
            if isinstance(statement, ast.Global):
                self._scope.is_global.update(statement.names)
        self.visit_body(node)
        self._scope = outer

    def _bind(self, node: ast.AST) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._scope.bind(node.name)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self._assign(target, value)
            case ast.NamedExpr(target=target, value=value):
                self._around().bind(target.id, value)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                self._scope.bind(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                self._scope.bind(name)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom):
            start = absolute(self._scope.module, node)
            for alias in node.names:
                self._scope.bind(alias.asname or alias.name, f"{start}.{alias.name}")
            return
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self._scope.bind(alias.asname or top, alias.name if alias.asname else top)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        match target, value:
            case ast.Name(id=name), _:
                self._scope.bind(name, value)
            case ((ast.Tuple(elts=names) | ast.List(elts=names)), (ast.Tuple(elts=values) | ast.List(elts=values))):
                for one, given in zip(names, values, strict=False):
                    self._assign(one, given)

    def _around(self) -> Scope:
        """A walrus binds around the comprehension it stands in."""
        scope = self._scope
        while isinstance(scope.node, _COMPREHENSIONS) and scope.above is not None:
            scope = scope.above
        return scope


def _direct(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in a block itself, not in a function or class inside it."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, _SCOPES):
            yield from _direct(child)
