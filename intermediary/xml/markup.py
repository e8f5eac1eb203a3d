"""XML as writers put it on the wire, in its canonical form: escaped character data, attributes, elements."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_ATTRIBUTE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"},
)


def text(value: str) -> str:
    """Character data in C14N form. ValueError for characters XML 1.0 cannot carry."""
    return _permitted(value).translate(_TEXT)


def attribute(value: str) -> str:
    """An attribute's value in C14N form, for use between double quotes. ValueError as in `text`."""
    return _permitted(value).translate(_ATTRIBUTE)


def element(name: str, content: str = "", attributes: str = "") -> str:
    """`<name attributes>content</name>`; never the short form of an empty element."""
    return f"<{name}{attributes}>{content}</{name}>"


def _permitted(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise ValueError("a character that XML 1.0 does not permit")
    return value
