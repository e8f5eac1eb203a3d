"""What a stylesheet may contain: an allow-list, so that nothing it does depends on more than its input.

The cage refuses files, hosts and the environment too; this says so beforehand, with the line, and it also keeps out what
the cage would let through: the clock, random numbers, ids that differ from run to run, extensions of a processor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from intermediary.mapping.xslt.functions import in_braces, refused
from intermediary.xml.parser import Element

XSL = "http://www.w3.org/1999/XSL/Transform"
_PROCESSORS = re.compile(
    r"(?:java|xalan|clitype|saxon)[:/]|https?://(?:exslt\.org|xml\.apache\.org|xmlsoft\.org|icl\.com|saxon\.sf\.net|"
    r"www\.saxonica\.com|expath\.org|php\.net|www\.w3\.org/2003/11/xpath-functions)|urn:schemas-microsoft-com"
)
_ONE_NAMES = (
    "stylesheet transform template apply-templates call-template with-param param variable value-of text element "
    "attribute attribute-set copy copy-of for-each if choose when otherwise sort number key decimal-format output "
    "strip-space preserve-space message"
)
_ONE = frozenset(_ONE_NAMES.split())
_THREE_NAMES = (
    "function sequence for-each-group analyze-string matching-substring non-matching-substring perform-sort iterate "
    "break next-iteration on-completion map map-entry where-populated on-empty on-non-empty next-match mode try "
    "catch namespace"
)
_THREE = _ONE | frozenset(_THREE_NAMES.split())
_NEVER = frozenset({"extension-element-prefixes", "use-when", "use-package"})
_VERSIONS = {"1.0": False, "2.0": True, "3.0": True}


@dataclass(frozen=True, slots=True)
class Flaw:
    """What a stylesheet may not contain, and on which line."""

    line: int
    what: str


def is_three(root: Element) -> bool | None:
    """Whether a stylesheet needs an XSLT 3 processor; None when it is no stylesheet of a known version."""
    if root.tag not in (f"{{{XSL}}}stylesheet", f"{{{XSL}}}transform"):
        return None
    return _VERSIONS.get(str(root.get("version", "")).strip())


def flaws(root: Element) -> tuple[Flaw, ...]:
    """Everything in a stylesheet that is not allowed, in its order; empty when it may run."""
    three = is_three(root)
    if three is None:
        return (Flaw(line_of(root), "no stylesheet of version 1.0, 2.0 or 3.0"),)
    own = frozenset(str(one.get("name")) for one in root.iter(f"{{{XSL}}}function"))
    return tuple(Flaw(line_of(one), what) for one in root.iter() for what in _wrong(one, three, own))


def expressions(element: Element, *, with_texts: bool) -> Iterator[str]:
    """What of an element may be an expression: attributes of instructions, and what stands in braces elsewhere."""
    is_instruction = _is_xsl(element)
    for value in element.attrib.values():
        if is_instruction:
            yield str(value)
        yield from in_braces(str(value))
    if with_texts:
        for text in (element.text or "", *(child.tail or "" for child in element)):
            yield from in_braces(text)


def _wrong(element: Element, three: bool, own: frozenset[str]) -> Iterator[str]:
    name = str(element.tag).rpartition("}")[2]
    if _is_xsl(element) and name not in (_THREE if three else _ONE):
        yield f"xsl:{name}"
    for uri in element.nsmap.values():
        if _PROCESSORS.match(uri):
            yield f"namespace {uri}"
    for attribute in element.attrib:
        plain = str(attribute).rpartition("}")[2]
        if plain in _NEVER or (_is_xsl(element) and plain.startswith("_")):
            yield f"attribute {plain}"
    if name == "key" and _is_xsl(element) and "//" in str(element.get("use", "")):
        yield "xsl:key whose use looks through the whole document"
    for expression in expressions(element, with_texts=three):
        call = refused(expression, is_three=three, prefixes=element.nsmap, own=own)
        if call:
            yield call


def _is_xsl(element: Element) -> bool:
    return str(element.tag).startswith(f"{{{XSL}}}")


def line_of(element: Element) -> int:
    """The line on which the start tag of an element ends; 0 when nobody knows."""
    line: Any = element.sourceline
    return int(line or 0)
