"""The hardened parser: what it takes, what it refuses and how it names that."""

from __future__ import annotations

import pytest
from lxml import etree

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.xml.parser import Limits, parse

XENC = "http://www.w3.org/2001/04/xmlenc#"


def refused(document: bytes, *, limits: Limits | None = None, refuse_instructions: bool = False) -> tuple[str, str]:
    with pytest.raises(Rejected) as refusal:
        parse(document, limits=limits or Limits(), refuse_instructions=refuse_instructions)
    return refusal.value.code, refusal.value.where


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "xml.malformed"),
        (b"<a>", "xml.malformed"),
        (b"<a/><b/>", "xml.malformed"),
        (b"<a b='1' b='2'/>", "xml.malformed"),
        (b"<p:a/>", "xml.malformed"),
        (b"<a>&unknown;</a>", "xml.malformed"),
        (b"<a>\x00</a>", "xml.malformed"),
        (b"<a>\xff</a>", "xml.malformed"),
        (b"<a>\xed\xa0\x80</a>", "xml.malformed"),
        (b'<?xml version="1.1"?><a/>', "xml.malformed"),
        (b"<!DOCTYPE a><a/>", "xml.dtd-forbidden"),
        (b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'><a/>", "xml.dtd-forbidden"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "xml.encoding"),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "xml.encoding"),
        (b"\xef\xbb\xbf\xef\xbb\xbf<a/>", "xml.encoding"),
        ("<a/>".encode("utf-16"), "xml.encoding"),
        ("<a/>".encode("utf-16-be"), "xml.encoding"),
        ("<a/>".encode("utf-32"), "xml.encoding"),
    ],
)
def test_refused(document: bytes, code: str) -> None:
    """Whatever is not one plain UTF-8 document is refused under a stable code."""
    assert refused(document)[0] == code


@pytest.mark.parametrize(
    "document",
    [b"<a>\xc3\xa4</a>", b"\xef\xbb\xbf<a>\xc3\xa4</a>", b"<?xml version='1.0' encoding='utf-8'?><a>\xc3\xa4</a>"],
)
def test_taken(document: bytes) -> None:
    """UTF-8 is taken with and without byte order mark and declaration, from bytes and from content."""
    assert parse(document).text == "ä"
    assert parse(MemoryContent(document)).text == "ä"


def test_text_is_whole() -> None:
    """Comments, instructions and CDATA do not split a text, so nobody reads half of it (corpus XS-107)."""
    assert parse(b"<a>GOOD<!--x-->-<?p q?><![CDATA[PAY]]>LOAD</a>").text == "GOOD-PAYLOAD"


def test_instructions_on_demand() -> None:
    """SOAP forbids processing instructions; elsewhere they are dropped."""
    assert refused(b"<a><?p q?></a>", refuse_instructions=True) == ("xml.malformed", "processing instruction")


@pytest.mark.parametrize(
    ("document", "limits", "where"),
    [
        (b"<a><b><c/></b></a>", Limits(max_depth=2), "depth"),
        (b"<a><b/><b/></a>", Limits(max_nodes=2), "nodes"),
        (b"<a><!----><!----></a>", Limits(max_nodes=2), "nodes"),
        (b"<a b='' c=''/>", Limits(max_attributes=1), "attributes"),
        (b"<a xmlns:b='urn:b' xmlns:c='urn:c'/>", Limits(max_attributes=1), "attributes"),
        (b"<abcdef/>", Limits(max_name=5), "name"),
        (b"<a abcdef=''/>", Limits(max_name=5), "name"),
        (b"<a>123456</a>", Limits(max_token=5), "token"),
        (b"<a>123<!-- -->456</a>", Limits(max_token=5), "token"),
        (b"<a b='12345678901234567890'/>", Limits(max_token=10), "token"),
        (b"<a" + b" " * 20 + b"/>", Limits(max_token=10), "token"),
        (b"<a><!--12345678901234567890--></a>", Limits(max_token=10), "token"),
        (b"<a b='12345678901234567890'/>", Limits(max_tag=10), "token"),
        (b"<a>1</a" + b" " * 20 + b">", Limits(max_tag=10), "token"),
        (b"<a>" + b"x" * 20 + b"</a>", Limits(max_bytes=20), "bytes"),
    ],
)
def test_limits(document: bytes, limits: Limits, where: str) -> None:
    """Every limit stops a document that is one step beyond it, and says which limit it was."""
    assert refused(document, limits=limits) == ("xml.limit", where)


def test_a_large_tag_in_chunks() -> None:
    """A token that never ends is noticed while it is being fed, not after."""
    assert refused(b"<a" + b" " * 12_000_000 + b"/>") == ("xml.limit", "token")


def test_a_tag_is_no_place_for_content() -> None:
    """A million attributes cost twenty times their bytes before they can be counted: a tag may be short only (threat T2)."""
    many = b"".join(b' a%d=""' % number for number in range(400_000))

    assert ("xml.limit", "token") == refused(b"<a" + many + b"/>")
    assert "b" == parse(b"<a><!--" + b"<" * (3 << 20) + b"-->" + b"b" + b"</a>").text


def test_encoded_content_may_be_large() -> None:
    """CipherValue and Base64Content may exceed the limit of other texts (threat T2)."""
    large = b"A" * (9 * 1024 * 1024)
    document = b'<x:CipherValue xmlns:x="' + XENC.encode() + b'">' + large + b"</x:CipherValue>"

    assert len(parse(document).text or "") == len(large)
    assert refused(b"<CipherValue>" + large + b"</CipherValue>") == ("xml.limit", "token")


def test_nothing_of_the_document_is_told() -> None:
    """A refusal quotes nothing: names and texts of a document are content."""
    with pytest.raises(Rejected) as refusal:
        parse(b"<CANARY><Geheim></CANARY>")
    chain = f"{refusal.value!r} {refusal.value.__cause__!r}"

    assert "CANARY" not in chain
    assert "Geheim" not in chain
    assert refusal.value.where == "line 1"


def test_a_plain_parser_would_not_do() -> None:
    """The control of this file: without the gate a document type declaration passes."""
    assert etree.fromstring(b"<!DOCTYPE a><a/>").tag == "a"
