"""XML as OSCI writers put it on the wire: already canonical, so that digests cover the written bytes (§2, §3)."""

from __future__ import annotations

import re

import pybase64

XMLNS_DS = ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
XMLNS_OSCI = ' xmlns:osci="http://www.osci.de/2002/04/osci"'
XMLNS_SOAP = ' xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
XMLNS_XENC = ' xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"'
XMLNS_XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
FIVE = XMLNS_DS + XMLNS_OSCI + XMLNS_SOAP + XMLNS_XENC + XMLNS_XSI
SIX = FIVE.replace(" xmlns:soap=", ' xmlns:osci2017="http://xoev.de/transport/osci12/7" xmlns:soap=')

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


def base64_lines(data: bytes) -> str:
    """Base64 with 76 columns and LF; a final LF only after a full last line, as the library writes it (§3)."""
    lines = pybase64.encodebytes(data).decode("ascii")
    return lines if len(lines) % 77 == 0 else lines[:-1]


def element(name: str, content: str = "", attributes: str = "") -> str:
    """`<name attributes>content</name>`; never the short form of an empty element."""
    return f"<{name}{attributes}>{content}</{name}>"


def _permitted(value: str) -> str:
    if _FORBIDDEN.search(value):
        raise ValueError("a character that XML 1.0 does not permit")
    return value
