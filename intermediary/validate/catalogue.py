"""Finding the schema for a document and checking the document against it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Self

from lxml import etree

from intermediary.core.characters import Repertoire
from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from intermediary.validate.characters import check_characters, demanded, transport_patterns
from intermediary.validate.closure import Reader
from intermediary.validate.code_lists import CodeLists
from intermediary.validate.codes import NOTHING, CodeOutcome, CodeRules
from intermediary.validate.findings import MAX_FINDINGS, befunde, overflow
from intermediary.validate.installed import open_packages
from intermediary.validate.package import Package, Packages
from intermediary.validate.rules.engine import RulesEngine
from intermediary.validate.strict_base64 import KEY, names_the_type, naming_ours
from intermediary.validate.verdict import NOT_RUN, RuleSet, Verdict
from intermediary.validate.versions import one_of
from intermediary.xml.parser import Element
from intermediary.xml.queries import has_more_nodes_than
from intermediary.xml.schema import Compiled, compile_schema, has_more_errors_than, problems

CACHED_SCHEMAS = 64
_LARGE = 20_000  # up to here even a document that is wrong everywhere is listed in about a second


@dataclass(frozen=True, slots=True)
class Schema:
    """A compiled schema and what is known about it; shared by all threads of a process.

    `names` and `patterns` are what findings may repeat. `characters` are its patterns that mean a data type of DIN
    91379, `demanded` is the one that its package demands of all text, `is_strict` whether it has `strict_base64`. The
    lock is held while a document is checked: libxml2 validates in parallel, but lxml keeps one error log per schema.
    """

    rule_set: RuleSet
    compiled: Compiled = field(repr=False)
    names: frozenset[str] = field(repr=False)
    patterns: frozenset[str] = field(repr=False)
    codes: CodeRules | None = field(default=None, repr=False, compare=False)
    characters: Mapping[str, Repertoire] = field(default_factory=dict, repr=False, compare=False)
    demanded: Repertoire | None = field(default=None, repr=False, compare=False)
    is_strict: bool = field(default=False, repr=False, compare=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)


def validate(tree: Element, schema: Schema) -> tuple[Befund, ...]:
    """All findings of a document against a schema; empty when it is valid.

    `tree` is the root from the hardened parser and is not changed. Locations the document itself names
    (`xsi:schemaLocation`) are not followed. Raises `Misconfigured("validate.schema.broken")` when the schema cannot be
    run to its end: never a pass.
    """
    try:
        if has_more_nodes_than(_LARGE, tree) and has_more_errors_than(MAX_FINDINGS, tree, schema.compiled):
            return overflow(MAX_FINDINGS)
        with schema.lock:
            errors = problems(tree, schema.compiled)
            if schema.is_strict and names_the_type(errors):
                errors = problems(naming_ours(tree), schema.compiled)
    except etree.XMLSchemaError as error:
        raise Misconfigured("validate.schema.broken", where=schema.rule_set.name) from error
    found = befunde(errors, tree, schema.names, schema.patterns, schema.characters)
    return found if schema.demanded is None else (*found, *check_characters(tree, schema.demanded, schema.names))


class Catalogue:
    """The schemas of one installation, found by root element and version (xoev-digest §4).

    Built once per configuration by `wiring` and shared by threads. Official packages come from the schemas folder, own
    input schemas from the mappings. When both describe a root, both run: the mapping's own schema says what it can
    read, the official one what the standard allows. Compiled schemas are kept, the least recently used go first.
    """

    def __init__(
        self, packages: Packages, *, keep: int = CACHED_SCHEMAS, demanded_lists: frozenset[str] = frozenset()
    ) -> None:
        self._packages = packages
        self._lists = CodeLists(packages, demanded_lists)
        self._by_root: dict[str, list[tuple[Package, str]]] = {}
        for package in packages.values():
            for entry, roots in package.index.items():
                for root in roots:
                    self._by_root.setdefault(root, []).append((package, entry))
        self._reader = Reader(packages)
        self._keep = keep
        self._compiled: OrderedDict[tuple[str, str], Schema] = OrderedDict()
        self._lock = threading.Lock()
        self._rules = RulesEngine(packages, self.schema_at)

    @classmethod
    def open(
        cls, folder: Path | None, own: Iterable[Path] = (), *, demanded_lists: frozenset[str] = frozenset()
    ) -> Self:
        """The catalogue of a schemas folder (None: nothing installed) and of the mappings' own package folders.

        `demanded_lists` are URIs of code lists without which a document that uses them is not valid (`CodeLists`).

        Raises `Misconfigured` when a lock, listing or manifest is wrong; schema files are read and compiled on first
        use.
        """
        return cls(open_packages(folder, own), demanded_lists=demanded_lists)

    @property
    def packages(self) -> Packages:
        return self._packages

    @property
    def lists(self) -> CodeLists:
        return self._lists

    def knows(self, root: str) -> bool:
        """Whether any installed schema describes a root element."""
        return root in self._by_root

    def schema_for(self, root: str, version: str | None = None, *, day: date | None = None) -> Schema | None:
        """The schema that a root element (`{ns}name`) is checked against first, or None if none is installed."""
        return next(iter(self.schemas_for(root, version, day=day)), None)

    def schemas_for(self, root: str, version: str | None = None, *, day: date | None = None) -> tuple[Schema, ...]:
        """All schemas for a root element: the mapping's own, then the official one.

        `version` decides between versions that share a namespace; for a document that states none the validity on `day`
        does, and then the newest (`versions.one_of`). Raises `Misconfigured`: `validate.schema.ambiguous`
        when two packages of a kind describe the root, `validate.schema.version` when only other versions are installed.
        """
        return tuple(self.schema(*place) for place in self._places(root, version, day))

    def schema_at(self, package: Package, path: str) -> Callable[[Element], tuple[RuleSet, tuple[Befund, ...]]]:
        """The check against one schema file, be it an entry of its package or not: what a scenario names."""
        schema = self.schema(package, path)
        return lambda tree: (schema.rule_set, validate(tree, schema))

    def _places(self, root: str, version: str | None, day: date | None) -> tuple[tuple[Package, str], ...]:
        chosen = []
        for is_own in (True, False):
            kind = [place for place in self._by_root.get(root, ()) if place[0].is_own is is_own]
            if kind:
                chosen.append(one_of(kind, root, version, day))
        return tuple(chosen)

    def validate(self, tree: Element, *, day: date | None = None) -> Verdict:
        """Checks a document against every schema installed for its root, on the day it was received (None: any).

        `Verdict.ran` is false when there is none. The codes of a document that XSD finds valid are held against the lists
        that are installed, and then it against the rules beyond XSD that packages bring; each is a rule set of the
        verdict. Raises `Misconfigured` when a rule set cannot run.
        """
        places = self._places(str(tree.tag), self.version_of(tree), day)
        schemas = tuple(self.schema(*place) for place in places)
        if not schemas:
            return NOT_RUN
        findings: dict[Befund, None] = {}
        for schema in schemas:
            findings.update(dict.fromkeys(validate(tree, schema)))
        outcomes = [] if findings else [self._check_codes(tree, schema) for schema in schemas]
        findings.update(dict.fromkeys(finding for outcome in outcomes for finding in outcome.findings))
        lists = dict.fromkeys(rules for outcome in outcomes for rules in outcome.rule_sets)
        not_run = dict.fromkeys(missing for outcome in outcomes for missing in outcome.not_run)
        rule_sets = (*(schema.rule_set for schema in schemas), *lists)
        verdict = Verdict(True, rule_sets, tuple(findings), tuple(not_run))
        return verdict if findings else self._rules.extend(verdict, tree, places, _names(schemas))

    def _check_codes(self, tree: Element, schema: Schema) -> CodeOutcome:
        if schema.codes is None or not self._lists.has_work:
            return NOTHING
        return schema.codes.check(tree, self._lists, schema.names)

    def schema(self, package: Package, entry: str) -> Schema:
        """The compiled schema of one entry of a package; raises `Misconfigured` when it does not compile."""
        key = (package.id, entry)
        with self._lock:
            known = self._compiled.get(key)
            if known is None:
                known = self._compile(package, entry)
                self._compiled[key] = known
                if len(self._compiled) > self._keep:
                    self._compiled.popitem(last=False)
            self._compiled.move_to_end(key)
            return known

    def _compile(self, package: Package, entry: str) -> Schema:
        name = f"{package.id} {entry}"
        closure = self._reader.closure(package, entry)
        compiled = compile_schema(closure.documents, closure.entry, where=name)
        rule_set = RuleSet(name, package.manifest.name, package.manifest.version, closure.sha256)
        return Schema(
            rule_set,
            compiled,
            closure.names,
            closure.patterns,
            CodeRules.of(closure, where=name),
            transport_patterns(closure.documents.values()),
            demanded(package.manifest.characters),
            KEY in closure.documents,
        )

    def version_of(self, tree: Element) -> str | None:
        """The version a document states, by the attribute that its packages name, on the root or a child of it."""
        places = self._by_root.get(str(tree.tag), ())
        attributes = {package.manifest.version_attribute for package, _ in places} - {""}
        for attribute in sorted(attributes):
            for element in (tree, *islice(tree, 10)):
                value = element.get(attribute)
                if value is not None:
                    return value
        return None


def _names(schemas: Iterable[Schema]) -> frozenset[str]:
    return frozenset().union(*(schema.names for schema in schemas))
