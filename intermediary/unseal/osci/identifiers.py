"""Message ids on the wire: Base64 of their UTF-8 text (digest §7)."""

from __future__ import annotations

from intermediary.core.faults import Rejected
from intermediary.unseal.encoding import from_base64
from intermediary.unseal.nodes import optional, text
from intermediary.unseal.osci.names import OSCI
from intermediary.xml.parser import Element


def decode_identifier(written: str, where: str) -> str:
    """The id behind what is written; `Rejected("osci.structure")` if it is none."""
    try:
        return from_base64(written, where=where).decode("utf-8")
    except UnicodeDecodeError:
        raise Rejected("osci.structure", where=where) from None


def read_identifier(parent: Element, name: str) -> str:
    """The id in the child of this name, or empty where there is no such child."""
    holder = optional(parent, OSCI + name)
    return "" if holder is None else decode_identifier(text(holder), name)
