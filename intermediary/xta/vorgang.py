"""To which Vorgang a transport order belongs, whichever way it came to us (promise G5)."""

from __future__ import annotations

from intermediary.ingress.doors import MAX_VORGANG
from intermediary.unseal.xta.values import MessageMetaData


def vorgang_of(order: MessageMetaData) -> str:
    """The key of the Vorgang that an order names: its process, else the first order it answers; empty for none."""
    replied = order.identification.in_reply_to
    return process_of(order) or (_clean(replied[0]) if replied else "")


def process_of(order: MessageMetaData) -> str:
    """The file or case number that an order names (`ProcessRef`), of the requester first; empty for none."""
    ids = order.identification
    process = ids.requester or ids.responder
    return "" if process is None else _clean(process.value)


def _clean(text: str) -> str:
    """What a door may take; nothing where the sender's text is none of it."""
    text = text.strip()
    return text if text.isprintable() and len(text) <= MAX_VORGANG else ""
