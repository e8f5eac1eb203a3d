"""Reading a scenario file of the KoSIT validator: which documents are meant, and what they are held against.

Format: http://www.xoev.de/de/validator/framework/1/scenarios. `createReport` draws a report for people and is not run;
of its contents the levels it gives to single rules count. Nothing is read but files of the package and of those it
requires.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from intermediary.core.faults import Misconfigured
from intermediary.validate.listing import RULES_SUFFIX, SUFFIX
from intermediary.validate.locations import Place, location_key
from intermediary.validate.package import Package, Packages
from intermediary.validate.rules.forbidden import forbidden, is_foreign_namespace
from intermediary.validate.rules.include import broken, read_rules
from intermediary.validate.rules.model import Level
from intermediary.xml.parser import Element

NAMESPACE = "{http://www.xoev.de/de/validator/framework/1/scenarios}"
MAX_SCENARIOS = 200
_LEVELS: Mapping[str, Level] = {"error": "error", "warning": "warning", "information": "warning"}
_STYLESHEETS = (".xsl", ".xslt")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario: documents for which `match` is true are held against `schemas`, then `rules`, then `accept`."""

    name: str
    namespaces: Mapping[str, str]
    match: str
    schemas: tuple[Place, ...] = field(repr=False)
    rules: tuple[Place, ...] = field(repr=False)
    accept: str = ""
    levels: Mapping[str, Level] = field(default_factory=dict, repr=False)


def read_scenarios(package: Package, path: str, packages: Packages) -> tuple[Scenario, ...]:
    """The scenarios of a file; raises `Misconfigured("validate.rules.broken" | "validate.rules.forbidden")`.

    A location leads to a file beside the scenario file, to one the manifest names under `locations`, or to the only file
    of that name in reach. Where it names a translated Schematron (`.xsl`), the Schematron of the same name is taken.
    """
    where = f"{package.id} {path}"
    root = read_rules(package, path)
    if root.tag != f"{NAMESPACE}scenarios":
        raise broken(where, "no scenario file")
    found = list(root.iterchildren(f"{NAMESPACE}scenario"))
    if not 0 < len(found) <= MAX_SCENARIOS:
        raise broken(where, f"{len(found)} scenarios")
    finder = _Finder(package, path, packages, where)
    return tuple(_scenario(one, finder, where) for one in found)


def _scenario(one: Element, finder: _Finder, where: str) -> Scenario:
    name = _text(one, "name")[:120]
    namespaces = {
        space.get("prefix", ""): (space.text or "").strip() for space in one.iterchildren(f"{NAMESPACE}namespace")
    }
    match, accept = _text(one, "match"), _text(one, "acceptMatch")
    if not match:
        raise broken(where, f"scenario {name}: match")
    refused = forbidden(match) or forbidden(accept) or next(filter(is_foreign_namespace, namespaces.values()), "")
    if refused:
        raise Misconfigured("validate.rules.forbidden", where=f"{where}: scenario {name}: {refused[:200]}")
    return Scenario(
        name=name,
        namespaces=namespaces,
        match=match,
        schemas=tuple(finder.find(place) for place in _locations(one, "validateWithXmlSchema")),
        rules=tuple(finder.find(place) for place in _locations(one, "validateWithSchematron")),
        accept=accept,
        levels=_levels(one, where),
    )


def _levels(one: Element, where: str) -> dict[str, Level]:
    levels: dict[str, Level] = {}
    for custom in one.iterfind(f"{NAMESPACE}createReport/{NAMESPACE}customLevel"):
        level = _LEVELS.get(custom.get("level", ""))
        if level is None:
            raise broken(where, "customLevel")
        levels.update(dict.fromkeys((custom.text or "").split(), level))
    return levels


def _locations(one: Element, step: str) -> Iterator[str]:
    for resource in one.iterfind(f"{NAMESPACE}{step}/{NAMESPACE}resource"):
        yield _text(resource, "location")


def _text(one: Element, name: str) -> str:
    return (one.findtext(f"{NAMESPACE}{name}") or "").strip()


class _Finder:
    """Where a location of a scenario file leads, among the packages in reach."""

    def __init__(self, package: Package, path: str, packages: Packages, where: str) -> None:
        self._package = package
        self._folder = posixpath.dirname(path)
        self._reach = packages.within_reach(package)
        self._where = where

    def find(self, location: str) -> Place:
        named = self._named(location)
        stem, suffix = posixpath.splitext(location)
        if named is None and suffix.lower() in _STYLESHEETS:
            named = self._named(stem + RULES_SUFFIX)
        if named is None or not named[1].lower().endswith((SUFFIX, RULES_SUFFIX)):
            raise broken(self._where, f"no file {location[:200]}")
        return named

    def _named(self, location: str) -> Place | None:
        inside = posixpath.normpath(posixpath.join(self._folder, unquote(location)))
        if inside in self._package.files:
            return self._package, inside
        for one in self._reach:
            for known, target in one.manifest.locations.items():
                if location_key(known) == location_key(location) and target in one.files:
                    return one, target
        name = posixpath.basename(location)
        for one in self._reach:
            found = [path for path in one.files.listing.hashes if name and posixpath.basename(path) == name]
            if len(found) == 1:
                return one, found[0]
        return None
