"""Two messages, element by element."""

from __future__ import annotations

import pytest

from intermediary.testing.workbench.compare import Difference, differences_of
from intermediary.xml.parser import parse


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("<a><b>1</b></a>", "<a>\n  <b>1</b>\n</a>", []),
        ('<a x="1" y="2"/>', '<a y="2" x="1"/>', []),
        ('<p:a xmlns:p="urn:x"><p:b/></p:a>', '<a xmlns="urn:x"><b/></a>', []),
        ("<a><b>1</b></a>", "<a><b>2</b></a>", [Difference("/a/b", "1", "2")]),
        ("<a><b>1</b></a>", "<a><b>1 </b></a>", [Difference("/a/b", "1", "1 ")]),
        ('<a x="1"/>', '<a y="1"/>', [Difference("/a/@x", "1", None), Difference("/a/@y", None, "1")]),
        ("<a><b>1</b><c>2</c></a>", "<a><b>1</b></a>", [Difference("/a/c", "2", None)]),
        ("<a><b>1</b></a>", "<a><b>1</b><c><d>2</d></c></a>", [Difference("/a/c", None, "d 2")]),
        (
            "<a><b>1</b><b>2</b><b>3</b></a>",
            "<a><b>1</b><b>3</b></a>",
            [Difference("/a/b[2]", "2", None)],
        ),
        (
            "<a><b><c>1</c></b><b><c>2</c></b></a>",
            "<a><b><c>1</c></b><b><c>9</c></b></a>",
            [Difference("/a/b[2]/c", "2", "9")],
        ),
        ("<a><b/><c/></a>", "<a><c/><b/></a>", [Difference("/a (Reihenfolge)", "b, c", "c, b")]),
        ("<a/>", "<b/>", [Difference("/a", "a", "b")]),
    ],
)
def test_differences_are_told_by_element(before: str, after: str, expected: list[Difference]) -> None:
    """Layout is no difference; each other one has its place, what was expected and what was found."""
    assert expected == differences_of(parse(before.encode()), parse(after.encode()))
