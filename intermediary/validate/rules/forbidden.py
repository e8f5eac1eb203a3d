"""What the expressions of rules may not ask for; the cage would refuse it too, but this names the place beforehand."""

from __future__ import annotations

import re

from lxml import etree

from intermediary.validate.rules.text import code
from intermediary.xml.parser import Element

XSL = "http://www.w3.org/1999/XSL/Transform"
OURS = "urn:x-intermediary:rules"
_FUNCTIONS = re.compile(
    r"(?<![\w.\-$@])(?:[\w.\-]+:|Q\{[^{}]*\})?"
    r"(document|doc|doc-available|unparsed-text|unparsed-text-lines|unparsed-text-available|collection|uri-collection|"
    r"json-doc|environment-variable|available-environment-variables|system-property|transform|evaluate|"
    r"load-xquery-module|function-lookup|stream-available|put|element-available|function-available)\s*[(#]"
)
_NAMESPACES = re.compile(r"^(?:java:|xalan:|http://(?:exslt\.org|xml\.apache\.org|xmlsoft\.org|icl\.com|saxon\.sf\.net|"
                         r"www\.saxonica\.com|expath\.org)|urn:schemas-microsoft-com|clitype:)")  # fmt: skip
_INSTRUCTIONS = frozenset(
    {
        "function", "key", "param", "variable", "sequence", "value-of", "text", "choose", "when", "otherwise", "if",
        "for-each", "for-each-group", "iterate", "break", "next-iteration", "on-completion", "with-param", "sort",
        "copy-of", "analyze-string", "matching-substring", "non-matching-substring", "map", "map-entry", "number",
    }
)  # fmt: skip
_TOP = frozenset({"function", "key"})
_IN_BRACES = re.compile(r"\{([^{}]*)\}")


def forbidden(expression: str) -> str:
    """The name of the function an expression may not call, or nothing."""
    found = _FUNCTIONS.search(code(expression))
    return found.group(1) if found else ""


def is_foreign_namespace(uri: str) -> bool:
    """Whether a namespace stands for functions of a processor, or for our own."""
    return uri == OURS or _NAMESPACES.match(uri) is not None


def forbidden_in(element: Element) -> str:
    """What a function or key in XSLT may not contain, by name; nothing if all of it is allowed."""
    for number, one in enumerate(element.iter(etree.Element)):
        name = etree.QName(one)
        if name.namespace == XSL and name.localname not in (_INSTRUCTIONS if number else _TOP):
            return f"xsl:{name.localname}"
        if uri := next((uri for uri in one.nsmap.values() if is_foreign_namespace(uri)), ""):
            return uri
        for key, value in one.attrib.items():
            if etree.QName(key).localname in ("use-when", "extension-element-prefixes"):
                return etree.QName(key).localname
            parts = [str(value), *_IN_BRACES.findall(str(value))]
            if found := next(filter(None, map(forbidden, parts)), ""):
                return found
        texts = (one.text or "", *(child.tail or "" for child in one))
        if found := next(filter(None, map(forbidden, texts)), ""):
            return found
    return ""
