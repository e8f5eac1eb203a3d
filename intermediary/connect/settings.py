"""Turns a target's settings table into the frozen dataclass its connector declares, and describes that dataclass.

`wiring` and `lint` call `build_settings` before any connector is built; the reference pages are generated from
`describe_settings`. The supported types and the metadata of fields are those of `core/tables.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

from intermediary.core.calls import takes
from intermediary.core.faults import Fault, Misconfigured
from intermediary.core.ports import Connector, ConnectorFactory, Manifest
from intermediary.core.tables import build, fields_of, without_none
from intermediary.core.values import Befund

T = TypeVar("T")

_METHODS = {
    "deliver": ("auftrag", "steps", "now"),
    "lookup": ("key", "steps", "now"),
    "collect": ("key", "correlation", "now"),
    "probe": (),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of a connector's reference: dotted key, type in words, default in TOML (None: required), help text.

    `is_secret`: it names a file with a secret.
    """

    key: str
    type: str
    default: str | None
    help: str
    is_secret: bool = False


class Isolated:
    """A factory whose code is not loaded here: it says the same of itself, and opens connectors that run elsewhere.

    `settings_type` is empty; who wants to know the settings asks `settings_of`, who wants a connector `open_connector`.
    """

    manifest: Manifest
    settings_type: type = type(None)

    def describe(self) -> tuple[Setting, ...]:
        """As `describe_settings`."""
        raise NotImplementedError

    def open(self, table: Mapping[str, object], *, base: Path, where: str) -> Connector:
        """As `open_connector`; `Transient("target.lane.down")` when it cannot be opened now."""
        raise NotImplementedError

    def paths(self, table: Mapping[str, object], *, base: Path, where: str) -> list[tuple[Path, bool]]:
        """Every path its settings name, and whether it is that of a secret; raises as `open`."""
        raise NotImplementedError

    def build(self, settings: Any, base: Path) -> Connector:
        """Never called: the settings are built where the code is."""
        raise NotImplementedError


def settings_of(factory: ConnectorFactory) -> tuple[Setting, ...]:
    """The settings of a connector, wherever its code runs; raises like `describe_settings`."""
    return factory.describe() if isinstance(factory, Isolated) else describe_settings(factory.settings_type)


def build_settings(kind: type[T], table: Mapping[str, object], *, base: Path, where: str) -> T:
    """The settings of one target.

    `base` is the folder that relative paths refer to (that of the routes file), `where` the dotted path of the table.
    Raises `Misconfigured("target.misconfigured")` with every finding: unknown keys with the nearest name, wrong types,
    missing and impossible values.
    """
    settings, findings = build(kind, table, base=base, where=where)
    if settings is None or findings:
        raise Misconfigured("target.misconfigured", where=where, findings=tuple(findings))
    return settings


def open_connector(factory: ConnectorFactory, table: Mapping[str, object], *, base: Path, where: str) -> Connector:
    """A connector of one target, built from its settings table and held against its port.

    Raises like `build_settings`, what the factory raises as a Fault, and `Misconfigured("plugin.invalid")` where only the
    vendor can heal: the factory raised something else, or what it built has not the methods of a connector.
    """
    if isinstance(factory, Isolated):
        return factory.open(table, base=base, where=where)
    try:
        settings: Any = build_settings(factory.settings_type, table, base=base, where=where)
        connector = factory.build(settings, base)
    except Fault:
        raise
    except Exception as failure:  # a vendor's code may raise anything
        raise _invalid(factory, where, f"raised {type(failure).__name__} while it was built") from failure
    flaw = _flaw(factory, connector)
    if flaw:
        raise _invalid(factory, where, flaw)
    return connector


def _flaw(factory: ConnectorFactory, connector: object) -> str:
    """An instance may have other steps and limits and be more or less idempotent: settings know what its target offers."""
    manifest = getattr(connector, "manifest", None)
    if not isinstance(manifest, Manifest) or manifest.name != factory.manifest.name:
        return "builds a connector without its manifest"
    for method, arguments in _METHODS.items():
        if not takes(connector, method, len(arguments)):
            return f"builds a connector that has no {method}({', '.join(arguments)})"
    return ""


def _invalid(factory: ConnectorFactory, where: str, flaw: str) -> Misconfigured:
    finding = Befund(code="plugin.invalid", path=where, hint=f"connector {factory.manifest.name} {flaw}")
    return Misconfigured("plugin.invalid", where=where, findings=(finding,))


def describe_settings(kind: type) -> tuple[Setting, ...]:
    """Every setting of a connector in the order of its fields, nested tables after their name.

    Raises TypeError when the dataclass is not frozen, a field has no help text or a type that no setting can have: a
    defect of the connector that `connector check` shows.
    """
    return tuple(_describe(kind, ""))


def _describe(kind: type, prefix: str) -> Iterator[Setting]:
    parameters = getattr(kind, "__dataclass_params__", None)
    if parameters is None or not parameters.frozen:
        raise TypeError(f"{kind.__qualname__} is no frozen dataclass")
    for key, (field, hint) in fields_of(kind).items():
        text = str(field.metadata.get("help", ""))
        if not text:
            raise TypeError(f"{kind.__qualname__}.{field.name} has no help text")
        inner = without_none(hint)
        yield Setting(prefix + key, _words(inner), _default(field), text, bool(field.metadata.get("secret")))
        is_list = get_origin(inner) is tuple
        table = get_args(inner)[0] if is_list else inner
        if dataclasses.is_dataclass(table) and isinstance(table, type):
            yield from _describe(table, f"{prefix}{key}{'[]' if is_list else ''}.")


def _words(kind: Any) -> str:
    simple = {str: "text", int: "whole number", bool: "true or false", Path: "path"}
    if kind in simple:
        return simple[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(f'"{choice}"' for choice in arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
        return f"list of {_words(arguments[0])}"
    if dataclasses.is_dataclass(kind) or (origin is not None and issubclass(origin, Mapping)):
        return "table"
    if isinstance(kind, type) and issubclass(kind, str):
        return "text"
    raise TypeError(f"a setting cannot have the type {kind!r}")


def _default(field: dataclasses.Field[Any]) -> str | None:
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        return None
    value = field.default if field.default_factory is dataclasses.MISSING else field.default_factory()
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case str() | Path():
            return f'"{value}"'
        case tuple():
            return f"[{', '.join(str(item) for item in value)}]"
        case _ if dataclasses.is_dataclass(value):
            return "{}"
        case _:
            return str(value)
