"""Reads what a sender put beside the body of an AMQP message, and makes the copy that a refused one becomes.

`docs/reference/amqp.md` is the published side of this page.
"""

from __future__ import annotations

from typing import Any

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Rejected
from intermediary.ingress.amqp.intake import Delivery
from intermediary.ingress.amqp.outlet import Outgoing
from intermediary.ingress.doors import Angaben, is_clean

MANDANT = "x-mandant"
VORGANG = "x-vorgang"
CLAIM = "x-claim"
REASON = "x-reason"
REASON_TEXT = "x-reason-text"

_MAX_COPIED = 1024


def angaben_of(delivery: Delivery) -> Angaben:
    """What the sender stated, unchecked."""
    return Angaben(
        content_type=delivery.content_type,
        message_id=delivery.message_id,
        mandant=delivery.headers.get(MANDANT),
        reply_to=delivery.reply_to,
        correlation_id=delivery.correlation_id,
        vorgang=delivery.headers.get(VORGANG),
    )


def has_claim(delivery: Delivery) -> bool:
    """Whether the message refers to its content instead of carrying it."""
    return CLAIM in delivery.headers


def claim_of(delivery: Delivery) -> object:
    """The unchecked `x-claim`, or None; a message has either a body or a claim."""
    claim = delivery.headers.get(CLAIM)
    if claim is not None and delivery.content.length:
        raise Rejected("intake.claim.invalid")
    return claim


def refused_copy(delivery: Delivery, queue: str, refused: Rejected) -> Outgoing:
    """The message as it goes to the refused queue: its body, what is harmless of its properties, and the reason.

    Not copied: expiration, priority, user id, `x-death` and unknown headers, which would act on the copy or do not fit.
    """
    headers: dict[str, Any] = {REASON: refused.code, REASON_TEXT: CATALOGUE[refused.code].meaning}
    for name in (MANDANT, VORGANG, CLAIM):
        value = _harmless(delivery.headers.get(name))
        if value is not None:
            headers[name] = value
    return Outgoing(
        queue=queue,
        body=delivery.content.read(),
        content_type=_short(delivery.content_type),
        message_id=_short(delivery.message_id),
        correlation_id=_short(delivery.correlation_id),
        reply_to=_short(delivery.reply_to),
        headers=headers,
    )


def _short(value: object) -> str:
    """A property that came over the wire fits back onto it, unless it was no text."""
    return value if isinstance(value, str) and is_clean(value) else ""


def _harmless(value: object) -> str | int | dict[str, str | int] | None:
    """Short text, a number in the range of the wire, or one flat table of them."""
    if isinstance(value, str):
        return value if len(value) <= _MAX_COPIED and is_clean(value) else None
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    if isinstance(value, dict) and len(value) <= len(("store", "key", "size", "sha256")):
        flat = {name: _harmless(item) for name, item in value.items() if isinstance(name, str) and is_clean(name)}
        return {name: item for name, item in flat.items() if isinstance(item, str | int)}
    return None
