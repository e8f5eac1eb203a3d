"""From the text of a Schematron to its model: every rule with its context, variables, assertions and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import count

from lxml import etree

from intermediary.core.faults import Misconfigured
from intermediary.validate.package import Package
from intermediary.validate.rules.expand import AbstractRules, choose_phase, instantiate
from intermediary.validate.rules.forbidden import XSL, forbidden, forbidden_in, is_foreign_namespace
from intermediary.validate.rules.include import SCH, Included, broken
from intermediary.validate.rules.model import LEVELS, Assertion, Binding, Let, Level, Pattern, Rule, Schematron
from intermediary.validate.rules.text import code, renamed
from intermediary.xml.parser import Element

BINDINGS: Mapping[str, Binding] = {"": "xslt1", "xslt": "xslt1", "xslt2": "xslt3", "xslt3": "xslt3"}
MAX_ASSERTIONS = 20_000
LONGEST_HINT = 600
_XML = "http://www.w3.org/XML/1998/namespace"
_WITHOUT_MEANING = frozenset({"title", "p", "param", "properties", "property", "diagnostics", "phase", "fpi"})
_PREFIX = re.compile(r"[^\W\d][\w.\-]*")
_VARIABLE = re.compile(r"(?:Q\{[^}]*\})?[^\W\d][\w.\-]*(?::[^\W\d][\w.\-]*)?")


def read_schematron(package: Package, path: str, phase: str = "") -> Schematron:
    """The Schematron in a file of a package, in one phase, with everything it draws in.

    Raises `Misconfigured`: `validate.rules.forbidden` for what rules may not ask for (a DTD, files, hosts, functions of
    a processor), `validate.rules.broken` for what is no Schematron or uses what we do not run.
    """
    included = Included(package, path)
    return _Reading(included.root, phase, f"{package.id} {path}").schematron()


class _Reading:
    def __init__(self, root: Element, phase: str, where: str) -> None:
        self._root = root
        self._where = where
        instantiate(root, where)
        self._active = choose_phase(root, phase, where)
        self._abstract = AbstractRules(root, where)
        self._numbers = count()
        self._diagnostics = {one.get("id", ""): one for one in root.iter(f"{SCH}diagnostic")}
        self._names: set[str] = set()

    def schematron(self) -> Schematron:
        root, where = self._root, self._where
        binding = BINDINGS.get(root.get("queryBinding", "").lower())
        if binding is None:
            raise broken(where, f"queryBinding {root.get('queryBinding', '')[:40]}")
        lets = [self._let(one, {}) for one in root.iterchildren(f"{SCH}let")]
        self._declare(let.name for let in lets)
        foreign = tuple(self._foreign())
        patterns = []
        for number, one in enumerate(self._active):
            names: dict[str, str] = {}
            for let in one.iterchildren(f"{SCH}let"):
                name = let.get("name", "")
                if name in self._names or name in names:
                    names[name] = f"{name}__{number}"
            own = [self._let(let, names) for let in one.iterchildren(f"{SCH}let")]
            self._declare(let.name for let in own)
            lets += own
            patterns.append(self._pattern(one, names))
        return Schematron(binding, self._namespaces(), tuple(lets), foreign, tuple(patterns))

    def _declare(self, names: Iterator[str]) -> None:
        for name in names:
            if name in self._names:
                raise broken(self._where, f"variable {name[:80]} twice")
            self._names.add(name)

    def _namespaces(self) -> dict[str, str]:
        found = {
            prefix: uri
            for prefix, uri in self._root.nsmap.items()
            if prefix and uri != SCH[1:-1] and uri != XSL and not is_foreign_namespace(uri)
        }
        for one in self._root.iter(f"{SCH}ns"):
            prefix, uri = one.get("prefix", ""), one.get("uri", "")
            if is_foreign_namespace(uri) or uri == XSL:
                raise self._refused(uri)
            if not _PREFIX.fullmatch(prefix) or not uri or (prefix == "xml") != (uri == _XML):
                raise broken(self._where, f"ns {prefix[:40]}")
            found[prefix] = uri
        found.pop("xml", None)
        if "xs" not in found:  # every translator of XSLT 2 has declared it, so published rules rely on it
            found["xs"] = "http://www.w3.org/2001/XMLSchema"
        return found

    def _foreign(self) -> Iterator[Element]:
        for one in self._root.iterchildren(etree.Element):
            name = etree.QName(one)
            if name.namespace == XSL:
                if refused := forbidden_in(one):
                    raise self._refused(refused)
                yield one
            elif name.namespace == SCH[1:-1] and name.localname not in {*_WITHOUT_MEANING, "ns", "let", "pattern"}:
                raise broken(self._where, f"element {name.localname[:80]}")

    def _let(self, one: Element, names: Mapping[str, str]) -> Let:
        name = one.get("name", "")
        if not _VARIABLE.fullmatch(name):
            raise broken(self._where, f"variable {name[:80]}")
        value = one.get("value")
        if value is None and (refused := forbidden_in(one)):
            raise self._refused(refused)
        expression = "" if value is None else self._expression(value, names)
        return Let(names.get(name, name), expression, one if value is None else None)

    def _pattern(self, one: Element, names: Mapping[str, str]) -> Pattern:
        if one.get("documents") is not None:
            raise self._refused("documents")
        rules: list[Rule] = []
        for child in one.iterchildren(etree.Element):
            name = self._known(child, {"rule", "let"})
            if name == "rule" and child.get("abstract") != "true":
                rules.append(self._rule(child, one, names, len(rules)))
        return Pattern(tuple(rules))

    def _rule(self, one: Element, pattern: Element, names: Mapping[str, str], number: int) -> Rule:
        context = one.get("context", "").strip()
        if not context:
            raise broken(self._where, f"rule {one.get('id', str(number))[:80]} without context")
        items: list[Let | Assertion] = []
        for child in self._abstract.children(one, pattern):
            name = self._known(child, {"let", "assert", "report"})
            if name == "let":
                items.append(self._let(child, names))
            elif name:
                items.append(self._assertion(child, one, pattern, names))
        if re.search(r"(?<![\w.\-])current\s*\(", code(context)):
            raise broken(self._where, "current() in the context of a rule")
        return Rule(self._expression(context, names), tuple(items))

    def _assertion(self, one: Element, rule: Element, pattern: Element, names: Mapping[str, str]) -> Assertion:
        number = next(self._numbers)
        if number >= MAX_ASSERTIONS:
            raise broken(self._where, "too many assertions")
        test = one.get("test", "").strip()
        if not test:
            raise broken(self._where, f"assertion {one.get('id', str(number))[:80]} without test")
        return Assertion(
            number=number,
            test=self._expression(test, names),
            is_report=one.tag == f"{SCH}report",
            id=(one.get("id") or rule.get("id") or pattern.get("id") or f"rule-{number + 1}")[:120],
            level=_level(one, rule, pattern),
            hint=self._hint(one),
        )

    def _hint(self, one: Element) -> str:
        sentences = [_sentence(one)]
        for name in one.get("diagnostics", "").split():
            if name not in self._diagnostics:
                raise broken(self._where, f"no diagnostic {name[:80]}")
            sentences.append(_sentence(self._diagnostics[name]))
        hint = " ".join(filter(None, sentences))
        return hint if len(hint) <= LONGEST_HINT else hint[: LONGEST_HINT - 1].rstrip("{}") + "…"

    def _expression(self, text: str, names: Mapping[str, str]) -> str:
        if refused := forbidden(text):
            raise self._refused(refused)
        return renamed(text, names)

    def _known(self, one: Element, wanted: set[str]) -> str:
        """The name of a Schematron element that means something here; elements of others are ignored, except XSLT."""
        name = etree.QName(one)
        if name.namespace == XSL:
            raise self._refused(f"xsl:{name.localname}")
        if name.namespace != SCH[1:-1] or name.localname in _WITHOUT_MEANING:
            return ""
        if name.localname not in wanted:
            raise broken(self._where, f"element {name.localname[:80]}")
        return name.localname

    def _refused(self, what: str) -> Misconfigured:
        return Misconfigured("validate.rules.forbidden", where=f"{self._where}: {what[:200]}")


def _level(*places: Element) -> Level:
    """What a broken assertion means: its role or flag, then those of its rule and pattern; unknown words mean error."""
    for place in places:
        for key in ("role", "flag"):
            word = place.get(key, "").strip().lower()
            if word:
                return LEVELS.get(word, "error")
    return "error"


def _sentence(one: Element) -> str:
    """The author's text without anything that would be taken from the document."""
    parts = [_static(one.text)]
    for child in one.iterchildren(etree.Element):
        name = etree.QName(child).localname
        if child.tag == f"{SCH}name" and child.get("path") is None:
            parts.append("{name}")
        elif child.tag in (f"{SCH}name", f"{SCH}value-of"):
            parts.append("…")
        elif name in ("emph", "dir", "span"):
            parts.append(_sentence(child))
        parts.append(_static(child.tail))
    return " ".join("".join(parts).split())


def _static(text: str | None) -> str:
    return (text or "").replace("{", "(").replace("}", ")")
