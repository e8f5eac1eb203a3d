"""Puts marks into a stylesheet, so that every element it makes says which line made it, and from which input.

The marked stylesheet has the lines of the original: what a processor says about a line is true of the file that people
edit. A mark is an attribute of our namespace; `replay` takes it off again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from intermediary.mapping.xslt.allowed import XSL, line_of
from intermediary.xml.parser import Element

MARKS = "urn:intermediary:herkunft:1"
KONTEXT = "urn:intermediary:kontext:1"
SEPARATOR = "\t"
_PATH = re.compile(r"(?:@?[\w.\-]+:)?@?[\w.\-]+(?:/(?:[\w.\-]+:)?@?[\w.\-]+)*")
_MAKERS = frozenset({f"{{{XSL}}}element", f"{{{XSL}}}copy"})
_SCOPES = frozenset(f"{{{XSL}}}{name}" for name in ("template", "function", "variable", "param"))


def marked(root: Element, *, is_three: bool) -> bytes:
    """The stylesheet with its marks, as UTF-8; output is always XML in UTF-8, whatever `xsl:output` says."""
    writer = _Writer(is_three)
    writer.element(root, {})
    return "".join(writer.pieces).encode("utf-8")


class _Writer:
    def __init__(self, is_three: bool) -> None:
        self.pieces: list[str] = []
        self._line = 1
        self._is_three = is_three

    def element(self, element: Element, above: dict[str | None, str]) -> None:
        if element.tag == f"{{{XSL}}}output":
            return
        name = _qualified(str(element.tag), element)
        attributes = [f"xmlns{f':{p}' if p else ''}={quoteattr(u)}" for p, u in _new(element, above)]
        attributes += [f"{_qualified(str(k), element)}={_attribute(str(v))}" for k, v in element.attrib.items()]
        self._put(" ".join((f"<{name}", *attributes)))
        self._put("\n" * max(0, line_of(element) - self._line))
        self._put(">")
        if element.getparent() is None:
            self._put(f'<x:output xmlns:x="{XSL}" method="xml" encoding="UTF-8" indent="no"/>')
        elif _makes_element(element):
            self._put(self._mark(element))
        self._put(_text(element.text))
        for child in element:
            self.element(child, dict(element.nsmap))
            self._put(_text(child.tail))
        self._put(f"</{name}>")

    def _put(self, text: str) -> None:
        self.pieces.append(text)
        self._line += text.count("\n")

    def _mark(self, element: Element) -> str:
        """Line, template, and the select of an only `value-of`; then, where there is an input, the path to it."""
        scope = next((one for one in element.iterancestors() if str(one.tag) in _SCOPES), None)
        kind = "constant" if _is_constant(element) else "rule"
        facts = SEPARATOR.join((str(line_of(element)), kind, _name_of(scope), _selected(element)))
        path = "" if scope is not None and str(scope.tag).endswith("}function") else _path(self._is_three)
        text = f"<x:text>{escape(facts)}{SEPARATOR}</x:text>"
        mark = f'<x:attribute name="m" namespace="{MARKS}">{text}{path}</x:attribute>'
        if element.tag == f"{{{XSL}}}copy":
            test = ". instance of element()" if self._is_three else "self::*"
            mark = f'<x:if test="{test}">{mark}</x:if>'
        expand = ' expand-text="no"' if self._is_three else ""
        return mark.replace(" ", f' xmlns:x="{XSL}" xmlns:k="{KONTEXT}"{expand} ', 1)


def _path(is_three: bool) -> str:
    """The place of the context node in the form, as the accessor spells it."""
    nodes = "ancestor-or-self::*[ancestor::k:formular]"
    select = f".[. instance of node()]/{nodes}" if is_three else nodes
    same = "*[local-name()=local-name(current())]"
    return (
        f'<x:for-each select="{select}"><x:text>/</x:text><x:value-of select="local-name()"/>'
        f'<x:if test="count(../{same})&gt;1"><x:text>[</x:text>'
        f'<x:value-of select="count(preceding-sibling::{same})+1"/><x:text>]</x:text></x:if></x:for-each>'
    )


def _makes_element(element: Element) -> bool:
    """Literal elements inside instructions, and the instructions that make elements; not data of the stylesheet."""
    if str(element.tag) in _MAKERS:
        return True
    if str(element.tag).startswith(f"{{{XSL}}}"):
        return False
    return any(str(one.tag) in _SCOPES for one in element.iterancestors())


def _is_constant(element: Element) -> bool:
    return not len(element) and element.tag not in _MAKERS and "{" not in (element.text or "")


def _selected(element: Element) -> str:
    """The path of the one `value-of` or `for-each` source that is all the element holds; empty for anything else."""
    if len(element) != 1 or element[0].tag != f"{{{XSL}}}value-of" or (element.text or "").strip():
        return ""
    select = str(element[0].get("select", ""))
    return select if _PATH.fullmatch(select) else ""


def _name_of(scope: Element | None) -> str:
    if scope is None:
        return ""
    return str(scope.get("name") or scope.get("match") or "").replace(SEPARATOR, " ")


def _new(element: Element, above: dict[str | None, str]) -> Iterator[tuple[str | None, str]]:
    for prefix, uri in sorted(element.nsmap.items(), key=lambda one: one[0] or ""):
        if prefix != "xml" and above.get(prefix) != uri:
            yield prefix, uri
    if None in above and None not in element.nsmap:
        yield None, ""


def _qualified(name: str, element: Element) -> str:
    uri, closing, local = name.rpartition("}")
    if not closing:
        return local
    if uri[1:] == "http://www.w3.org/XML/1998/namespace":
        return f"xml:{local}"
    is_attribute = name != str(element.tag)
    prefixes: Sequence[str | None] = sorted(
        (prefix for prefix, bound in element.nsmap.items() if bound == uri[1:] and (prefix or not is_attribute)),
        key=lambda one: one or "",
    )
    if not is_attribute and element.prefix in prefixes:
        return f"{element.prefix}:{local}" if element.prefix else local
    return f"{prefixes[0]}:{local}" if prefixes[0] else local


def _attribute(value: str) -> str:
    return quoteattr(value, {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"})


def _text(text: str | None) -> str:
    return escape(text or "", {"\r": "&#13;"})
