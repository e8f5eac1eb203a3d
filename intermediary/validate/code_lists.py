"""The code lists of an installation: found by URI and version, read from their packages on first use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from intermediary.core.faults import Misconfigured
from intermediary.validate.code_uses import ListName
from intermediary.validate.genericode import CodeList, read_code_list
from intermediary.validate.package import Package
from intermediary.validate.verdict import RuleSet

KEPT_LISTS = 128


@dataclass(frozen=True, slots=True)
class InstalledList:
    """One list and the rule set a verdict names it as; `sha256` is that of its file."""

    codes: CodeList
    rule_set: RuleSet


class CodeLists:
    """All installed lists; built with the catalogue and shared by threads.

    `demanded` are the list URIs that must be there whenever a document uses them (`*`: every one). Several packages may
    bring the same list in the same version, if its codes are the same.
    """

    def __init__(self, packages: Mapping[str, Package], demanded: frozenset[str] = frozenset()) -> None:
        self._places: dict[ListName, list[tuple[Package, str]]] = {}
        for package in packages.values():
            for path, name in package.listed.items():
                self._places.setdefault(name, []).append((package, path))
        self._uris = frozenset(uri for uri, _ in self._places)
        self._demanded = demanded
        self._read: OrderedDict[ListName, InstalledList] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def has_work(self) -> bool:
        """Whether any code can be checked, or must be."""
        return bool(self._places or self._demanded)

    def names(self) -> frozenset[ListName]:
        """URI and version of every installed list."""
        return frozenset(self._places)

    def knows(self, uri: str) -> bool:
        """Whether the list is installed in any version."""
        return uri in self._uris

    def demands(self, uri: str) -> bool:
        """Whether a document that uses this list is not valid without it."""
        return "*" in self._demanded or uri in self._demanded

    def find(self, name: ListName) -> InstalledList | None:
        """The list, or None when it is not installed in this version.

        Raises `Misconfigured`: `validate.package.changed` when its file is another one, `validate.codelist.ambiguous` when
        two packages differ over it.
        """
        if name not in self._places:
            return None
        with self._lock:
            known = self._read.get(name)
            if known is None:
                known = self._load(name)
                self._read[name] = known
                if len(self._read) > KEPT_LISTS:
                    self._read.popitem(last=False)
            self._read.move_to_end(name)
            return known

    def _load(self, name: ListName) -> InstalledList:
        uri, version = name
        found: list[InstalledList] = []
        for package, path in self._places[name]:
            codes = read_code_list(package.files.read(path), where=f"{package.id} {path}")
            rules = RuleSet(f"codelist {uri}_{version}", package.id, version, package.files.listing.hashes[path])
            found.append(InstalledList(codes, rules))
        first = found[0]
        for other in found[1:]:
            if other.codes != first.codes:
                where = f"{uri}_{version}: {first.rule_set.package}, {other.rule_set.package}"
                raise Misconfigured("validate.codelist.ambiguous", where=where)
        return first
