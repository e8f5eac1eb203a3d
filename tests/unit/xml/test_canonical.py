"""Canonical forms: the octets under every digest."""

from __future__ import annotations

import pytest
from lxml import etree

from intermediary.core.faults import Rejected
from intermediary.xml import canonical
from intermediary.xml.parser import parse

DOCUMENT = b"""<a:x xmlns:b="urn:b" xmlns:a="urn:a" xml:lang="de"><b:y z="1"  y='2'><c/>&#65;<!-- --></b:y></a:x>"""


def test_inclusive_carries_the_scope() -> None:
    """The apex shows all namespaces in scope in prefix order and the inherited xml: attributes (C14N 1.0, 2.4)."""
    element = parse(DOCUMENT)[0]

    assert canonical.inclusive(element) == (
        b'<b:y xmlns:a="urn:a" xmlns:b="urn:b" y="2" z="1" xml:lang="de"><c></c>A</b:y>'
    )
    assert element.get("{http://www.w3.org/XML/1998/namespace}lang") is None


def test_exclusive_carries_what_is_used() -> None:
    """The exclusive form shows only namespaces in use."""
    assert canonical.exclusive(parse(DOCUMENT)[0]) == b'<b:y xmlns:b="urn:b" y="2" z="1"><c></c>A</b:y>'


def test_own_language_wins() -> None:
    """An xml: attribute of the apex is not replaced by an inherited one."""
    element = parse(b'<a xml:lang="de"><b xml:lang="en"/></a>')[0]

    assert canonical.inclusive(element) == b'<b xml:lang="en"></b>'


def test_no_canonical_form_is_an_error() -> None:
    """A relative namespace URI has no canonical form: an error, never an empty octet stream (rule R5)."""
    element = parse(b'<a xmlns="../relative"><b/></a>')

    with pytest.raises(Rejected) as refusal:
        canonical.inclusive(element)
    assert refusal.value.code == "xml.malformed"
    with pytest.raises(etree.C14NError):
        etree.tostring(element, method="c14n")
