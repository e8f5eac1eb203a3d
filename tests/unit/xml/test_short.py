"""The short way through the gate: it lets nothing through that the gate would refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from intermediary.core.faults import Rejected
from intermediary.xml import gate, queries, short
from intermediary.xml.gate import DEFAULT, Limits
from intermediary.xml.parser import parse

USUAL = b"""<?xml version="1.0" encoding="UTF-8"?>\r\n\r\n<p:a xmlns:p="u" b='1'>\xc3\xa4&lt;<b/></p:a>"""


def is_let_through(document: bytes) -> bool:
    """By the gate itself, event by event."""
    try:
        gate.check(document, DEFAULT, refuse_instructions=True)
    except Rejected:
        return False
    return True


def passes(document: bytes, limits: Limits = DEFAULT) -> bool:
    """By the short way."""
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
    return short.read_plain(document, limits, parser) is not None


def test_a_usual_document_takes_it() -> None:
    """What the protocols send is small and has short tags."""
    assert passes(USUAL)


@pytest.mark.parametrize(
    "document",
    [
        b"<a><!-- > --></a>",
        b"<a><?b?></a>",
        b"<a><![CDATA[b]]></a>",
        b"<a" + b" b='1'" * 400 + b"/>",
        b"<a" + b"".join(b" b%d='1'" % i for i in range(400)) + b"/>",
        b"<" + b"a" * 1025 + b"/>",
        b"<a xmlns:p='" + b"u " * 600 + b"'/>",
        b"<a b='>'" + b" " * 1000 + b"/>",
        b"<a b='>'><!-- < -->" + b"</a>",
        b"<a>" + b"x" * short.SMALL_BYTES + b"</a>",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<a>&b;</a>",
        b"<\xc4\xb2/>",
        b"<a xmlns='u' xmlns:xml='http://www.w3.org/XML/1998/namespace' xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        b"<:a xmlns='u'/><b/>",
        b"<a xmlns='u'/>",
        b"<p:a/>",
        b"<a></a><b/>",
    ],
)
def test_the_unusual_takes_the_long_way(document: bytes) -> None:
    """Long tags, many attributes, anything but elements and text, and what is broken: the gate decides."""
    assert not passes(document)


def test_narrow_limits_take_the_long_way() -> None:
    """Size proves nothing where the limits are narrower than a small document."""
    for limits in (replace(DEFAULT, max_nodes=3), replace(DEFAULT, max_token=9), replace(DEFAULT, max_attributes=2)):
        assert not passes(USUAL, limits)


@pytest.mark.parametrize("depth", [199, 200, 201, 257, 3000])
def test_depth_is_limited_on_either_way(depth: int) -> None:
    """Small and deep is refused like large and deep."""
    document = b"<a>" * depth + b"</a>" * depth
    if depth <= DEFAULT.max_depth:
        parse(document)
        return
    with pytest.raises(Rejected) as refusal:
        parse(document)
    assert (refusal.value.code, refusal.value.where) == ("xml.limit", "depth")


_PIECES = st.sampled_from(
    [
        *(
            b"<a>",
            b"</a>",
            b"<a/>",
            b"<p:a>",
            b"</p:a>",
            b"<p:a xmlns:p='u'>",
            b"<a:b:c/>",
            b"<:a/>",
            b"<",
            b">",
            b"/>",
        ),
        *(
            b" b='1'",
            b" xmlns=''",
            b" xmlns:p=''",
            b" p:b='1'",
            b" xml:lang='x'",
            b" xmlns:xml='u'",
            b" b='>'",
            b" b='<'",
        ),
        *(
            b"&lt;",
            b"&b;",
            b"&#0;",
            b"]]>",
            b"\xff",
            b"\x00",
            b"\xc3\xa4",
            b"<!-- -->",
            b"<?b?>",
            b"<!DOCTYPE a>",
            b"\r\n",
        ),
        *(
            b"<![CDATA[",
            b"<a" + b"a" * 2000,
            b"x" * 300,
            b"<a " + b"b" * 1030 + b"='1'>",
            b"<a xmlns:q='" + b" " * 1100 + b"'>",
        ),
    ]
)


@settings(max_examples=800)
@given(pieces=st.lists(_PIECES, max_size=9), around=st.booleans())
def test_nothing_gets_through_that_the_gate_refuses(pieces: list[bytes], around: bool) -> None:
    """Whatever passes here passes there."""
    document = b"".join(pieces)
    if around:
        document = b"<a>" + document + b"</a>"

    assert not passes(document) or is_let_through(document)


@given(levels=st.integers(1, 9), max_depth=st.integers(1, 9))
def test_is_deeper(levels: int, max_depth: int) -> None:
    """Depth counts elements, the root among them."""
    root = etree.fromstring(b"<a>" * levels + b"</a>" * levels)

    assert queries.is_deeper(root, max_depth) == (levels > max_depth)
