"""What a passive recipient says of a delivery: which code for what, with which reason, on which level (digest §15)."""

from __future__ import annotations

from intermediary.core.codes import CATALOGUE
from intermediary.osci.write.feedback import TEXTS
from intermediary.unseal.osci.feedback import Entry

EXECUTED = "0800"
INTERNAL = "9000"
NOT_OSCI = "9100"
UNDECRYPTABLE = "9202"
NO_REQUEST = "9300"
NO_CIPHER_CERTIFICATE = "9500"
NO_MESSAGE_ID = "9800"
USED_MESSAGE_ID = "9801"
NOT_ACCEPTED = "9805"

_ORDER_LEVEL = ("0", "3", "96", "97", "98", "99")


def entry(code: str, reason: str = "") -> Entry:
    """A line of feedback; `reason` is one of our fault codes, whose meaning the sender is told as well."""
    text = TEXTS[code]
    return Entry(code, f"{text} ({reason}): {CATALOGUE[reason].meaning}" if reason else text, "de")


def is_fault(code: str) -> bool:
    """Whether a code travels in a SOAP fault, instead of the feedback of a response."""
    return not code.startswith(_ORDER_LEVEL)


def is_known(code: str) -> bool:
    """Whether OSCI 1.2 knows the code."""
    return code in TEXTS
