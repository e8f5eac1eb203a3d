"""Nothing of a payload is left out, in XML and in JSON, and hostile JSON is refused with a finding."""

from __future__ import annotations

import pytest

from intermediary.core.faults import Rejected
from intermediary.mapping.entries import entries_of_json, entries_of_xml
from intermediary.xml.parser import parse


def test_xml_keeps_attributes_repetition_and_text_between() -> None:
    """Every text of the document is a leaf with its place."""
    tree = parse(b'<a xmlns="urn:x" art="1"><b>eins</b> lose <b n="2">zwei</b><c/></a>')

    assert [
        ("/a/@art", "1"),
        ("/a/text()", "lose"),
        ("/a/b[1]", "eins"),
        ("/a/b[2]/@n", "2"),
        ("/a/b[2]/text()", "zwei"),
        ("/a/c", ""),
    ] == [(leaf.path, leaf.text) for leaf in entries_of_xml(tree).leaves()]


def test_hints_about_the_schema_file_are_no_entries() -> None:
    """xsi:schemaLocation says nothing of the applicant; xsi:nil does."""
    xsi = "http://www.w3.org/2001/XMLSchema-instance"
    tree = parse(
        f'<a xmlns:i="{xsi}" i:schemaLocation="u f.xsd" i:noNamespaceSchemaLocation="f"><b i:nil="true"/></a>'.encode()
    )

    assert ["/a/b/@nil"] == [leaf.path for leaf in entries_of_xml(tree).leaves()]


def test_json_keeps_spelling_order_and_repetition() -> None:
    """Numbers as they were written, lists as repetitions, null as nothing; each place is a JSON pointer."""
    data = b'{"a": [1.50, 1e3], "b": {"c": true, "d": null}, "e": [[1], ["x"]], "f": [], "g/h~": [{"i": 0}]}'

    assert [
        ("/a/0", "1.50"),
        ("/a/1", "1e3"),
        ("/b/c", "true"),
        ("/b/d", ""),
        ("/e/0/0", "1"),
        ("/e/1/0", "x"),
        ("/g~1h~0/0/i", "0"),
    ] == [(leaf.path, leaf.text) for leaf in entries_of_json(data).leaves()]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[1]",
        b'"x"',
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": NaN}',
        b"\xff{}",
        b'{"a": "x\\u0000"}',
        b'{"a": "\\ud800"}',
        b'{"a":' * 100_000,
        b'{"a":[' * 300 + b"]}" * 300,
    ],
    ids=["empty", "list", "text", "cut", "twice", "nan", "bytes", "nul", "half", "deep-cut", "deep"],
)
def test_other_json_is_refused(data: bytes) -> None:
    """Whatever is not one object of different names, not too deep, is told to the sender."""
    with pytest.raises(Rejected) as caught:
        entries_of_json(data)

    assert ["json"] == [one.rule for one in caught.value.findings]
