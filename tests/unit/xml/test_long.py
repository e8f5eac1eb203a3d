"""Documents of any length: with their long texts outside the tree they read like any other."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from intermediary.core.faults import Rejected
from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spool import Spool
from intermediary.xml import canonical
from intermediary.xml.gate import DEFAULT, MEGABYTE, OSCI, XENC
from intermediary.xml.long import NO_TEXTS, Document, read_document
from intermediary.xml.parser import Element, parse

LONG = 8
BASE64 = st.text("ABab01+/=", max_size=30).map(str.encode)


def outcome(read: str, document: bytes) -> tuple[str, str] | list[tuple[str, bytes, bytes]]:
    """Code and place of a refusal, or every element with its text and its canonical form."""
    content = MemoryContent(document)
    try:
        if read == "long":
            found = read_document(content, long_text=LONG, refuse_instructions=True)
        else:
            found = Document(parse(content, refuse_instructions=True))
    except Rejected as refusal:
        return refusal.code, refusal.where if refusal.code == "xml.limit" else ""
    return [
        (str(one.tag), text_of(found, one), b"".join(found.texts.filled(canonical.inclusive(one))))
        for one in found.root.iter()
    ]


def text_of(found: Document, element: Element) -> bytes:
    """Of the tree, or from outside."""
    long = found.texts.of(element)
    return (element.text or "").encode() if long is None else b"".join(long.pieces())


def test_a_long_text_stays_outside() -> None:
    """The tree has a word in its place, its canonical form has the text."""
    document = b'<a xmlns="%s">\r\n<CipherValue>%s</CipherValue><b>x</b></a>' % (XENC.encode(), b"QUJD\r\n" * 40)

    found = read_document(MemoryContent(document), long_text=LONG)

    expected = b"QUJD\n" * 40
    assert expected == text_of(found, found.root[0])
    assert len(etree.tostring(found.root)) < len(document) - 100
    assert canonical.inclusive(parse(document)) == b"".join(found.texts.filled(canonical.inclusive(found.root)))
    assert b"x" == text_of(found, found.root[1])


def test_a_document_without_long_texts() -> None:
    """Nothing is outside of what has none."""
    assert read_document(MemoryContent(b"<a>QUJDQUJDQUJDQUJD</a>"), long_text=LONG).texts is NO_TEXTS


TAGS = st.sampled_from(
    [
        *(b"<CipherValue>", b"</CipherValue>", b"<CipherValue Id='1'>", b"<CipherValue/>", b"<CipherValue x='>'>"),
        *(b"<o:Base64Content>", b"</o:Base64Content>", b"<o:CipherValue>", b"</o:CipherValue>", b"<b>", b"</b>"),
        *(
            b"<!-- ",
            b"<CipherValue>QUJDQUJDQUJDQUJDQUJD</CipherValue>",
            b" -->",
            b"<![CDATA[",
            b"]]>",
            b"<?x?>",
            b"&#10;",
        ),
        *(b"&amp;", b"\r", b"\r\n", b"\n", b" ", b"\t", b"\xc3\xa4", b"\x00", b"-long-", b">", b"<", b"<!DOCTYPE a>"),
        b"<CipherValue>QUJDQUJDQUJD\r\nQUJD\rQUJD</CipherValue>",
        b"<o:Base64Content x='1'>QUJDQUJDQUJDQUJDQUJD</o:Base64Content>",
        b"<o:Base64Content>QUJDQUJDQUJDQUJDQUJD<b/></o:Base64Content>",
        b"<o:Base64Content>QUJDQUJDQUJDQUJDQUJD<!-- -->QUJD</o:Base64Content>",
        b"<CipherValue><![CDATA[QUJDQUJDQUJDQUJDQUJD]]></CipherValue>",
    ]
)


@settings(max_examples=1500)
@given(inside=st.lists(TAGS | BASE64, max_size=8).map(b"".join), head=st.sampled_from([b"", b"\xef\xbb\xbf", b" "]))
@example(inside=b"<!-- <CipherValue>QUJDQUJDQUJDQUJDQUJD</CipherValue> -->", head=b"")
@example(
    inside=b"<CipherValue>QUJDQUJDQUJDQUJDQUJD</CipherValue><CipherValue>QUJDQUJDQUJDQUJDQUJE</CipherValue>", head=b""
)
def test_both_ways_agree(inside: bytes, head: bytes) -> None:
    """The same elements, texts and canonical forms, or the same refusal, with texts outside or all in the tree."""
    document = b"%s<a xmlns='%s' xmlns:o='%s'>%s</a>" % (head, XENC.encode(), OSCI.encode(), inside)

    assert outcome("tree", document) == outcome("long", document)


@pytest.mark.parametrize(
    "inside",
    [
        b"<b>%s</b>",
        b"<CipherValue xmlns='urn:x'>%s</CipherValue>",
        b"<!-- <CipherValue>%s</CipherValue> -->",
        b"<CipherValue><b/>%s</CipherValue>",
        b"<CipherValue>%s<b/></CipherValue>",
        b"<CipherValue><![CDATA[%s]]></CipherValue>",
        b"<CipherValue x='>%s'/>",
        b"<CipherValue/>%s<b/>",
        b"<CipherValue>&#65;%s</CipherValue>",
    ],
)
def test_only_such_texts_may_be_longer_than_a_document(tmp_path: Path, inside: bytes) -> None:
    """A long text anywhere else counts, whatever it looks like."""
    limits = replace(DEFAULT, max_bytes=MEGABYTE, max_token=MEGABYTE // 2)
    document = b"<a xmlns='%s'>%s</a>" % (XENC.encode(), inside % (b"QUJD" * (MEGABYTE // 2)))
    with pytest.raises(Rejected) as refusal:
        read_document(Spool(tmp_path).keep(document), long_text=1000, limits=limits)
    assert refusal.value.code == "xml.limit"


@pytest.mark.parametrize("in_memory", [True, False])
def test_longer_than_any_document(tmp_path: Path, in_memory: bool) -> None:
    """Texts of several megabytes, in memory or in a spool file, where a document may have one."""
    limits = replace(DEFAULT, max_bytes=MEGABYTE)
    texts = [b"QUJD" * 700_001, b"ab\n" * 900_000, b"+/0=\r\n" * 500_000]
    inside = b"<b/>".join(b"<CipherValue>%s</CipherValue>" % text for text in texts)
    document = b"<a xmlns='%s'>%s</a>" % (XENC.encode(), inside)
    content: Content = MemoryContent(document) if in_memory else Spool(tmp_path).keep(document)

    found = read_document(content, long_text=1000, limits=limits)

    expected = [hashlib.sha256(text.replace(b"\r\n", b"\n")).hexdigest() for text in texts]
    values = [text_of(found, one) for one in found.root.iter(f"{{{XENC}}}CipherValue")]
    assert expected == [hashlib.sha256(value).hexdigest() for value in values]


def test_what_is_left_is_limited() -> None:
    """Markup counts as before, beside texts that do not."""
    limits = replace(DEFAULT, max_bytes=10_000)
    long = b"<CipherValue>%s</CipherValue>" % (b"QUJD" * 5000)
    document = b"<a xmlns='%s'>%s%s</a>" % (XENC.encode(), long, b"<b/>" * 3000)
    with pytest.raises(Rejected) as refusal:
        read_document(MemoryContent(document), long_text=1000, limits=limits)
    assert ("xml.limit", "bytes") == (refusal.value.code, refusal.value.where)
