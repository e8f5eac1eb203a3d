"""Reading a Schematron file with everything it includes: files of the same package, and nothing else."""

from __future__ import annotations

import posixpath
from copy import deepcopy
from dataclasses import dataclass, field

from lxml import etree

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.validate.package import Package
from intermediary.xml.parser import Element, Limits, parse

SCH = "{http://purl.oclc.org/dsdl/schematron}"
LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_depth=100, max_nodes=200_000, max_token=256 * 1024)
MAX_NODES = 200_000
MAX_DEPTH = 16


def broken(where: str, what: str) -> Misconfigured:
    """The rules cannot be compiled as they are; `what` is about the rules, never about a document."""
    return Misconfigured("validate.rules.broken", where=f"{where}: {what}")


def read_rules(package: Package, path: str) -> Element:
    """The root of one file of rules, through the gate; a DTD is `validate.rules.forbidden`, no XML is broken."""
    where = f"{package.id} {path}"
    if path not in package.files:
        raise broken(where, "no such file in the package")
    try:
        return parse(package.files.read(path), limits=LIMITS)
    except Rejected as fault:
        code = "validate.rules.forbidden" if fault.code == "xml.dtd-forbidden" else "validate.rules.broken"
        raise Misconfigured(code, where=f"{where}: {fault.code}") from fault


@dataclass(slots=True)
class Included:
    """A Schematron without `include` and without `extends href`; `files` are the paths it came from."""

    package: Package
    path: str
    root: Element = field(init=False, repr=False)
    files: list[str] = field(default_factory=list)
    _nodes: int = 0

    def __post_init__(self) -> None:
        self.root = self._read(self.path)
        if self.root.tag != f"{SCH}schema":
            raise broken(self._where, "no ISO Schematron")
        self._resolve(self.root, self.path, ())

    @property
    def _where(self) -> str:
        return f"{self.package.id} {self.path}"

    def _read(self, path: str) -> Element:
        if path not in self.files:
            self.files.append(path)
        return read_rules(self.package, path)

    def _resolve(self, root: Element, path: str, above: tuple[str, ...]) -> None:
        self._nodes += sum(1 for _ in root.iter())
        if self._nodes > MAX_NODES:
            raise broken(self._where, "too large with what it includes")
        for one in list(root.iter(f"{SCH}include", f"{SCH}extends")):
            href = one.get("href")
            if one.tag == f"{SCH}extends" and href is None:
                continue
            target, found = self._target(href or "", path, above)
            self._resolve(found, target, (*above, href or ""))
            self._replace(one, found)

    def _target(self, href: str, path: str, above: tuple[str, ...]) -> tuple[str, Element]:
        location, _, fragment = href.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), location)) if location else path
        if len(above) >= MAX_DEPTH or href in above:
            raise broken(self._where, "includes itself")
        if "://" in location or location.startswith("/") or target.startswith("../"):
            raise Misconfigured("validate.rules.forbidden", where=f"{self._where}: include {href[:200]}")
        root = self._read(target)
        if fragment:
            chosen = next((one for one in root.iter(etree.Element) if one.get("id") == fragment), None)
            if chosen is None:
                raise broken(self._where, f"include {href[:200]}: no such id")
            root = deepcopy(chosen)
        return target, root

    def _replace(self, one: Element, found: Element) -> None:
        parent = one.getparent()
        if parent is None:
            raise broken(self._where, "include at the top")
        if one.tag == f"{SCH}include" and found.tag != f"{SCH}schema":
            parent.replace(one, found)
            return
        if found.tag not in (f"{SCH}rule", f"{SCH}pattern"):
            raise broken(self._where, "what is included is no part of a Schematron")
        place = parent.index(one)
        parent.remove(one)
        for child in reversed(found):
            parent.insert(place, child)
