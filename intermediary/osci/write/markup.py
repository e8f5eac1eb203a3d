"""XML as OSCI writers put it on the wire: already canonical, so that digests cover the written bytes (§2, §3)."""

from __future__ import annotations

import pybase64

from intermediary.xml.markup import attribute, element, text

__all__ = [
    "FIVE",
    "SIX",
    "XMLNS_DS",
    "XMLNS_OSCI",
    "XMLNS_SOAP",
    "XMLNS_XENC",
    "XMLNS_XSI",
    "attribute",
    "base64_lines",
    "element",
    "text",
]

XMLNS_DS = ' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
XMLNS_OSCI = ' xmlns:osci="http://www.osci.de/2002/04/osci"'
XMLNS_SOAP = ' xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
XMLNS_XENC = ' xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"'
XMLNS_XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
FIVE = XMLNS_DS + XMLNS_OSCI + XMLNS_SOAP + XMLNS_XENC + XMLNS_XSI
SIX = FIVE.replace(" xmlns:soap=", ' xmlns:osci2017="http://xoev.de/transport/osci12/7" xmlns:soap=')


def base64_lines(data: bytes) -> str:
    """Base64 with 76 columns and LF; a final LF only after a full last line, as the library writes it (§3)."""
    lines = pybase64.encodebytes(data).decode("ascii")
    return lines if len(lines) % 77 == 0 else lines[:-1]
