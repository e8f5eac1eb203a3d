"""Canonical forms of an element: the octets that digests and signatures are made over."""

from __future__ import annotations

from lxml import etree

from intermediary.core.faults import Rejected
from intermediary.xml import queries
from intermediary.xml.parser import Element

INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"

_XML_ATTRIBUTE = "{http://www.w3.org/XML/1998/namespace}"


def inclusive(element: Element) -> bytes:
    """Inclusive C14N 1.0 without comments, evaluated in the document the element lives in.

    Raises `Rejected("xml.malformed")` when there is no canonical form (a relative namespace URI): an empty result is
    never returned.
    """
    inherited = _inherited_xml_attributes(element) if queries.inherits_xml_attributes(element) else {}
    # lxml leaves them out; a copy of the element would lose the namespaces in scope, so they are lent for a moment.
    for name, value in inherited.items():
        element.set(name, value)
    try:
        return _octets(element, exclusive=False)
    finally:
        for name in inherited:
            del element.attrib[name]


def exclusive(element: Element, prefixes: tuple[str, ...] = ()) -> bytes:
    """Exclusive C14N 1.0 without comments; `prefixes` are treated inclusively. Errors as `inclusive`."""
    return _octets(element, exclusive=True, prefixes=prefixes)


def _octets(element: Element, *, exclusive: bool, prefixes: tuple[str, ...] = ()) -> bytes:
    try:
        octets = etree.tostring(
            element,
            method="c14n",
            exclusive=exclusive,
            with_comments=False,
            inclusive_ns_prefixes=list(prefixes) or None,
        )
    except etree.C14NError:
        raise Rejected("xml.malformed", where="canonical form") from None
    if not octets:
        raise Rejected("xml.malformed", where="canonical form")
    return octets


def _inherited_xml_attributes(element: Element) -> dict[str, str]:
    """xml:lang and the like of the ancestors, which inclusive C14N 1.0 carries to the apex."""
    found: dict[str, str] = {}
    for ancestor in element.iterancestors():
        for name, value in ancestor.attrib.items():
            key = str(name)
            if key.startswith(_XML_ATTRIBUTE) and key not in element.attrib:
                found.setdefault(key, str(value))
    return found
