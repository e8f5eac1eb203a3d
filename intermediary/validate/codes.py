"""Checking the codes of a document against their lists: all four kinds of code use of XÖV (xoev-digest §3)."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from intermediary.validate.closure import Closure
from intermediary.validate.code_lists import CodeLists
from intermediary.validate.code_uses import LIST_URI, LIST_VERSION, CodeUses, ListName, code_uses
from intermediary.validate.findings import CODE, MAX_FINDINGS
from intermediary.validate.places import Places
from intermediary.validate.verdict import RuleSet
from intermediary.xml.parser import Element
from intermediary.xml.queries import users_of
from intermediary.xml.schema import Compiled, compile_schema

RULE = "codelist"
_TELLABLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/#%~-]{0,299}")


@dataclass(frozen=True, slots=True)
class CodeOutcome:
    """What the check of codes has to say: the lists that were used, the findings, and what could not be checked.

    `not_run` has a Befund for every list that is demanded and not installed (`validate.codelist.missing`) or not in this
    version (`validate.codelist.version`): two facts a receiver must be able to tell apart (XInneres S010, S011).
    """

    rule_sets: tuple[RuleSet, ...] = ()
    findings: tuple[Befund, ...] = ()
    not_run: tuple[Befund, ...] = ()


NOTHING = CodeOutcome()


class CodeRules:
    """The code types of one compiled schema.

    Which list a code belongs to is asked of libxml2: it writes the list URI and version that the schema fixes into a copy of
    the document; what the document states itself stands there already. So one look serves all kinds of code use.
    """

    def __init__(self, closure: Closure, uses: CodeUses, *, where: str) -> None:
        self._closure = closure
        self._uses = uses
        self._where = where
        self._compiled: Compiled | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, closure: Closure, *, where: str) -> CodeRules | None:
        """The rules of a schema; None where it uses no code list."""
        uses = code_uses(closure.documents.values())
        return None if uses is None else cls(closure, uses, where=where)

    def check(self, tree: Element, lists: CodeLists, names: frozenset[str]) -> CodeOutcome:
        """The outcome for a document that XSD found valid; `tree` is not changed. Findings repeat no value.

        Raises `Misconfigured("validate.schema.broken")` when the look at the schema does not come to its end.
        """
        return _Check(self._annotated(tree), self._uses, lists, names).run()

    def _annotated(self, tree: Element) -> Element:
        twin = copy.deepcopy(tree)
        with self._lock:
            if self._compiled is None:
                documents = self._closure.documents
                self._compiled = compile_schema(documents, self._closure.entry, where=self._where, fills_in=True)
            try:
                is_valid = self._compiled.validate(twin)
            except etree.XMLSchemaError as error:
                raise Misconfigured("validate.schema.broken", where=self._where) from error
        if not is_valid:
            raise Misconfigured("validate.schema.broken", where=self._where)
        return twin


@dataclass(slots=True)
class _Check:
    """One document on its way."""

    tree: Element
    uses: CodeUses
    lists: CodeLists
    names: frozenset[str]
    _rule_sets: dict[RuleSet, None] = field(default_factory=dict)
    _findings: list[Befund] = field(default_factory=list)
    _not_run: dict[tuple[str, str], Befund] = field(default_factory=dict)

    def run(self) -> CodeOutcome:
        places = Places(self.tree, self.names)
        for element, code in self._codes():
            if len(self._findings) >= MAX_FINDINGS:
                break
            self._check(element, code, places)
        return CodeOutcome(tuple(self._rule_sets), tuple(self._findings), tuple(self._not_run.values()))

    def _codes(self) -> Iterator[tuple[Element, Element]]:
        """Every element that names a list, with the element whose text is the code; empty and nil ones are left out."""
        for element in users_of(self.tree, LIST_URI, LIST_VERSION):
            code = next(element.iterchildren("{*}code"), None)
            if code is None and len(element) == 0:
                code = element
            if code is not None and (code.text or "").strip():
                yield element, code

    def _check(self, element: Element, code: Element, places: Places) -> None:
        name = (_collapsed(element.get(LIST_URI)), _collapsed(element.get(LIST_VERSION)))
        installed = self.lists.find(name)
        if installed is None:
            self._unchecked(name, code, places)
            return
        self._rule_sets[installed.rule_set] = None
        codes = installed.codes.codes(self.uses.columns.get(name[0], ""))
        if _collapsed(code.text) not in codes:
            path, shown = places.find(code.getroottree().getpath(code))
            hint = f"{shown} steht nicht in der Codeliste {name[0]} in der Fassung {name[1]}."
            self._findings.append(Befund(CODE, path=path, line=line_of(code), rule=RULE, hint=hint))

    def _unchecked(self, name: ListName, code: Element, places: Places) -> None:
        uri, version = name
        if name in self.uses.enumerated or not self.lists.demands(uri) or name in self._not_run:
            return
        path, _ = places.find(code.getroottree().getpath(code))
        fault = "validate.codelist.version" if self.lists.knows(uri) else "validate.codelist.missing"
        self._not_run[name] = Befund(fault, path=path, line=line_of(code), rule=RULE, hint=_told(uri, version))


def _told(uri: str, version: str) -> str:
    """A list by name, for operators; whatever does not look like an identifier is the sender's text and not repeated."""
    if not uri:
        return "listURI fehlt"
    shown = [part if _TELLABLE.fullmatch(part) else "?" for part in (uri, version)]
    return "_".join(shown)


def line_of(element: Element) -> int | None:
    """The line an element stands in, if it is known."""
    line: Any = element.sourceline
    return line if line and line > 0 else None


def _collapsed(text: str | None) -> str:
    return " ".join((text or "").split())
