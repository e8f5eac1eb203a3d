"""The description of a schema package in `package.toml` or `lock.toml` (docs/reference/schema-packages.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from intermediary.core.faults import Misconfigured
from intermediary.core.values import EMPTY

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a package says of itself.

    `entries` are the schema files to compile, paths inside the package. `roots` limits the root elements (`{ns}name`)
    it answers for; empty means all concrete global elements in the target namespaces of the entries. `requires` names
    the packages (`name@version`) its imports may lead to, `locations` maps a URL to a file of this package, for itself
    and for those that require it. `absent` lists locations that are known to be unavailable and not needed; `doctype`
    lists files whose document type declaration is taken off before parsing: both only in reviewed pins.
    `version_attribute` and `versions` tell versions apart that share a namespace (XJustiz).
    """

    name: str
    version: str
    entries: tuple[str, ...]
    urn: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    origin: str = ""
    licence: str = ""
    version_attribute: str = ""
    versions: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    doctype: tuple[str, ...] = ()
    locations: Mapping[str, str] = field(default_factory=lambda: EMPTY)

    @property
    def id(self) -> str:
        """`name@version`: unique among installed packages."""
        return f"{self.name}@{self.version}"

    def is_valid_on(self, day: date) -> bool:
        """Whether the publisher's validity covers the day; open ends do."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


def manifest_from(table: Mapping[str, Any], *, where: str) -> Manifest:
    """The manifest in a TOML table; raises `Misconfigured("validate.package.manifest")` naming the key at fault."""
    known = {one.name: one for one in fields(Manifest)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            raise _fault(where, key)
        values[key] = _typed(key, value, where)
    for key in ("name", "version", "entries"):
        if not values.get(key):
            raise _fault(where, key)
    if not _NAME.fullmatch(values["name"]) or not _VERSION.fullmatch(values["version"]):
        raise _fault(where, "name")
    return Manifest(**values)


_TUPLES = {"entries", "versions", "requires", "roots", "absent", "doctype"}
_DATES = {"valid_from", "valid_until"}


def _typed(key: str, value: Any, where: str) -> object:
    if key in _TUPLES:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif key in _DATES:
        if type(value) is date:
            return value
    elif key == "locations":
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return dict(value)
    elif isinstance(value, str):
        return value
    raise _fault(where, key)


def _fault(where: str, key: str) -> Misconfigured:
    return Misconfigured("validate.package.manifest", where=f"{where}: {key}")


def manifest_lines(manifest: Manifest) -> list[str]:
    """The manifest's own keys in TOML, without tables: what is empty is left out."""
    lines = []
    for one in fields(Manifest):
        value = getattr(manifest, one.name)
        if one.name == "locations" or not value:
            continue
        lines.append(f"{one.name} = {toml_value(value)}")
    return lines


def toml_value(value: object) -> str:
    """A string, date, integer or tuple of strings as TOML."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        if len(value) <= 1:
            return f"[{', '.join(toml_value(item) for item in value)}]"
        return "[\n" + "".join(f"    {toml_value(item)},\n" for item in value) + "]"
    if isinstance(value, int):
        return str(value)
    raise TypeError(type(value).__name__)
