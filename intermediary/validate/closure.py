"""Everything one entry schema draws in: read, checked by the gate, and tied together under names only we know."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.validate.doctype import without_doctype
from intermediary.validate.locations import Locator, Place
from intermediary.validate.package import Package, Packages
from intermediary.validate.strict_base64 import DOCUMENT, KEY, strict
from intermediary.xml.parser import Element, Limits, parse

XS = "{http://www.w3.org/2001/XMLSchema}"
LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_depth=100)
MAX_DOCUMENTS = 500
_REFERENCES = (f"{XS}import", f"{XS}include", f"{XS}redefine")
_FORBIDDEN = tuple(
    f"{XS}{name}" for name in ("assert", "assertion", "alternative", "override", "openContent", "defaultOpenContent")
)


@dataclass(frozen=True, slots=True)
class Closure:
    """The documents of one schema, ready to compile.

    `documents` are serialised anew, their references rewritten to the keys of this mapping, and strict about Base64
    (`strict_base64`). `names` are all element and
    attribute names the schema declares and `patterns` all its patterns: what a finding may repeat. `sha256` covers
    every package that took part.
    """

    documents: dict[str, bytes] = field(repr=False)
    entry: str
    packages: tuple[Package, ...]
    names: frozenset[str] = field(repr=False)
    patterns: frozenset[str] = field(repr=False)

    @property
    def sha256(self) -> str:
        parts = sorted(f"{package.id} {package.sha256}\n" for package in self.packages)
        return hashlib.sha256("".join(parts).encode()).hexdigest()


def read_schema(package: Package, path: str) -> Element:
    """The root of one schema file: verified bytes, through the gate.

    Raises `Misconfigured("validate.schema.forbidden")` for a DTD or a rule of XSD 1.1 (which libxml2 would not check),
    and `validate.schema.broken` for whatever else is no schema.
    """
    data = package.files.read(path)
    if path in package.manifest.doctype:
        data = without_doctype(data)
    where = f"{package.id} {path}"
    try:
        root = parse(data, limits=LIMITS)
    except Rejected as fault:
        code = "validate.schema.forbidden" if fault.code == "xml.dtd-forbidden" else "validate.schema.broken"
        raise Misconfigured(code, where=f"{where}: {fault.where or fault.code}") from fault
    if root.tag != f"{XS}schema":
        raise Misconfigured("validate.schema.broken", where=f"{where}: no schema")
    if next(root.iter(*_FORBIDDEN), None) is not None:
        raise Misconfigured("validate.schema.forbidden", where=f"{where}: XSD 1.1")
    return root


class Reader:
    """Follows the references of schemas among the packages of one installation."""

    def __init__(self, packages: Packages) -> None:
        self._packages = packages
        self._locator = Locator(packages, lambda package, path: read_schema(package, path).get("targetNamespace", ""))

    def closure(self, package: Package, entry: str, *, as_published: bool = False) -> Closure:
        """The entry and every document it draws in, directly or through others.

        `as_published` they are not made strict about Base64: to be walked over, never to judge.
        """
        start: Place = (package, entry)
        keys: dict[tuple[str, str], str] = {(package.id, entry): _key(0)}
        queue = [start]
        documents: dict[str, bytes] = {}
        used: dict[str, Package] = {}
        names: set[str] = set()
        patterns: set[str] = set()
        while queue:
            place = queue.pop(0)
            used[place[0].id] = place[0]
            root = read_schema(*place)
            queue.extend(self._rewrite(place, root, keys))
            if len(keys) > MAX_DOCUMENTS:
                raise Misconfigured("validate.schema.broken", where=f"{package.id} {entry}: too many documents")
            names.update(_declared(root))
            patterns.update(one.get("value", "") for one in root.iter(f"{XS}pattern"))
            documents[keys[place[0].id, place[1]]], is_strict = strict(root, as_published=as_published)
            if is_strict:
                documents[KEY] = DOCUMENT
        return Closure(documents, _key(0), tuple(used.values()), frozenset(names), frozenset(patterns))

    def roots(self, package: Package, entry: str) -> tuple[str, ...]:
        """The root elements an entry offers: the concrete global elements of its target namespace."""
        queue = [(package, entry)]
        seen = {(package.id, entry)}
        declared: dict[str, None] = {}
        namespace = read_schema(package, entry).get("targetNamespace", "")
        while queue:
            place = queue.pop(0)
            root = read_schema(*place)
            for element in root.iterchildren(f"{XS}element"):
                if element.get("abstract") != "true":
                    declared[_qualified(namespace, element.get("name", ""))] = None
            for reference in root.iterchildren(f"{XS}include", f"{XS}redefine"):
                found = self._find(place, root, reference)
                if found is not None and (found[0].id, found[1]) not in seen:
                    seen.add((found[0].id, found[1]))
                    queue.append(found)
        return tuple(declared)

    def _rewrite(self, place: Place, root: Element, keys: dict[tuple[str, str], str]) -> list[Place]:
        """Points every reference of a document at our own names; the documents not seen before are returned."""
        fresh = []
        for reference in list(root.iterchildren(*_REFERENCES)):
            if reference.get("schemaLocation") is None:
                continue
            found = self._find(place, root, reference)
            if found is None:
                del reference.attrib["schemaLocation"]
                continue
            known = (found[0].id, found[1])
            if known not in keys:
                keys[known] = _key(len(keys))
                fresh.append(found)
            reference.set("schemaLocation", keys[known])
        return fresh

    def _find(self, place: Place, root: Element, reference: Element) -> Place | None:
        package, path = place
        location = reference.get("schemaLocation", "")
        is_import = reference.tag == f"{XS}import"
        namespace = reference.get("namespace", "") if is_import else root.get("targetNamespace", "")
        return self._locator.find(package, path, location, namespace)


def _key(number: int) -> str:
    return f"schema:/{number}"


def _declared(root: Element) -> set[str]:
    declarations = root.iter(f"{XS}element", f"{XS}attribute")
    return {name for one in declarations if (name := one.get("name") or one.get("ref", "").rpartition(":")[2])}


def _qualified(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name
