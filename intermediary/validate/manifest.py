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
CHARACTERS = re.compile(r"(2022-08|2019-03) ([A-E])")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}")


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules beyond XML Schema that a package brings: one `[[rules]]` of its manifest.

    `file` is a Schematron (`.sch`) or a scenario file of the KoSIT validator (`.xml`), `includes` are the other files it
    draws in. They apply to documents with one of the `roots`, or whose root one of the `entries` of this package or of one
    it requires declares; without both, to all roots of the package, or of those it requires if it has no entries itself.
    `phase` chooses a phase of the Schematron. `warnings` names assertions that only warn, whatever their author says: those
    that no document can fulfil which the schema allows.
    """

    file: str
    includes: tuple[str, ...] = ()
    phase: str = ""
    entries: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_scenarios(self) -> bool:
        return self.file.endswith(".xml")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a package says of itself.

    `entries` are the schema files to compile, paths inside the package. `roots` limits the root elements (`{ns}name`)
    it answers for; empty means all concrete global elements in the target namespaces of the entries. `requires` names
    the packages (`name@version`) its imports may lead to, `locations` maps a URL to a file of this package, for itself
    and for those that require it. `absent` lists locations that are known to be unavailable and not needed; `doctype`
    lists files whose document type declaration is taken off before parsing: both only in reviewed pins.
    `version_attribute` and `versions` tell versions apart that share a namespace (XJustiz). `code_lists` are genericode
    files of the package. `characters` (`2022-08 C`) demands that all text of its documents stays within a data type of DIN
    91379 where the schema does not say so itself. `rules` are rules beyond XML Schema, for documents of this package and of
    those it requires. A package has at least one of entries, code lists and rules.
    """

    name: str
    version: str
    entries: tuple[str, ...] = ()
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
    code_lists: tuple[str, ...] = ()
    characters: str = ""
    locations: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    rules: tuple[Rules, ...] = ()

    @property
    def id(self) -> str:
        """`name@version`: unique among installed packages."""
        return f"{self.name}@{self.version}"

    @property
    def beside(self) -> tuple[str, ...]:
        """The files of the package that are no schema files; its hash covers them too."""
        drawn = (path for rules in self.rules for path in (rules.file, *rules.includes))
        return (*self.code_lists, *dict.fromkeys(drawn))

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
    for key in ("name", "version"):
        if not values.get(key):
            raise _fault(where, key)
    if not values.get("entries") and not values.get("code_lists") and not values.get("rules"):
        raise _fault(where, "entries")
    if values.get("rules") and not values.get("entries") and not values.get("requires"):
        raise _fault(where, "requires")
    if not _NAME.fullmatch(values["name"]) or not _VERSION.fullmatch(values["version"]):
        raise _fault(where, "name")
    if values.get("characters") and not CHARACTERS.fullmatch(values["characters"]):
        raise _fault(where, "characters")
    return Manifest(**values)


_TUPLES = {"entries", "versions", "requires", "roots", "absent", "doctype", "code_lists", "includes", "warnings"}
_DATES = {"valid_from", "valid_until"}


def _typed(key: str, value: Any, where: str) -> object:
    if key in _TUPLES:
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
    elif key in _DATES:
        if type(value) is date:
            return value
    elif key == "rules":
        if isinstance(value, list):
            return tuple(_rules(one, where) for one in value)
    elif key == "locations":
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return dict(value)
    elif isinstance(value, str):
        return value
    raise _fault(where, key)


def _rules(table: Any, where: str) -> Rules:
    known = {one.name for one in fields(Rules)}
    if not isinstance(table, dict) or not known.issuperset(table):
        raise _fault(where, "rules")
    values: dict[str, Any] = {key: _typed(key, value, where) for key, value in table.items()}
    if not values.get("file", "").endswith((".sch", ".xml")):
        raise _fault(where, "rules: file")
    if values.get("warnings") and values["file"].endswith(".xml"):  # scenario files have customLevel for it
        raise _fault(where, "rules: warnings")
    return Rules(**values)


def rules_lines(rules: Rules) -> list[str]:
    """One `[[rules]]` in TOML; what is empty is left out."""
    named = ((one.name, getattr(rules, one.name)) for one in fields(Rules))
    return [f"{name} = {toml_value(value)}" for name, value in named if value]


def _fault(where: str, key: str) -> Misconfigured:
    return Misconfigured("validate.package.manifest", where=f"{where}: {key}")


def manifest_lines(manifest: Manifest) -> list[str]:
    """The manifest's own keys in TOML, without tables: what is empty is left out."""
    lines = []
    for one in fields(Manifest):
        value = getattr(manifest, one.name)
        if one.name in ("locations", "rules") or not value:
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
