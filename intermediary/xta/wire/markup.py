"""XML as we write it for XTA: every prefix is declared once, at the envelope."""

from __future__ import annotations

from intermediary.unseal.xta.names import (
    DS_URI,
    META_URI,
    OSCI_URI,
    SOAP_URI,
    WSA_URI,
    XENC_URI,
    XOP_URI,
    XSI_URI,
    XTA_URI,
)
from intermediary.xml.markup import attribute, element, text

PREFIXES = {
    "s": SOAP_URI,
    "wsa": WSA_URI,
    "xta": XTA_URI,
    "osci": OSCI_URI,
    "oscimeta": META_URI,
    "xenc": XENC_URI,
    "ds": DS_URI,
    "xop": XOP_URI,
    "xsi": XSI_URI,
}
DECLARATIONS = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in PREFIXES.items())


def leaf(tag: str, value: str, /, **attributes: str) -> str:
    """An element with text; of the attributes those that are not empty. ValueError for what XML cannot carry."""
    return element(tag, text(value), said(**attributes))


def leaf_if(name: str, value: str) -> str:
    """The same, or nothing for an empty value."""
    return leaf(name, value) if value else ""


def said(**attributes: str) -> str:
    """The attributes that are not empty, in the order given."""
    return "".join(f' {name}="{attribute(value)}"' for name, value in attributes.items() if value)
