"""The sealed formats, by content type: one entry per format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from intermediary.core.faults import Rejected
from intermediary.core.values import Content, Opened
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal.circumstances import NOBODY, Circle
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.policy import Policy
from intermediary.unseal.xta.entity import begins_as_xml
from intermediary.unseal.xta.message import XTA_TYPE, open_xta

Role = Literal["passive", "client", "any"]
OSCI_TYPE = "application/vnd.osci12+mime"


@dataclass(frozen=True, slots=True)
class Format:
    """A sealed format: its name in results, how it is opened, and whether some bytes look like it (for `open`)."""

    name: str
    open: Callable[[Content, Keyring, Policy, datetime, Role, Spool | None, Circle], Opened]
    looks_alike: Callable[[bytes], bool]


def _open_osci(
    raw: Content,
    keyring: Keyring,
    policy: Policy,
    at: datetime,
    role: Role,
    spool: Spool | None,
    circle: Circle,
) -> Opened:
    message = open_message(raw, keyring=keyring, policy=policy, at=at, role=role, spool=spool, circle=circle)
    return message.opened


def _open_xta(
    raw: Content,
    keyring: Keyring,
    policy: Policy,
    at: datetime,
    _role: Role,
    spool: Spool | None,
    circle: Circle,
) -> Opened:
    return open_xta(raw, keyring=keyring, policy=policy, at=at, spool=spool, circle=circle)


def _looks_like_xta(head: bytes) -> bool:
    """A bare envelope of SOAP 1.2, or a MIME frame with one of XOP in it."""
    return _SOAP in head if begins_as_xml(head) else _XOP in head.lower()


_SOAP = b"http://www.w3.org/2003/05/soap-envelope"
_XOP = b"application/xop+xml"

FORMATS = {
    XTA_TYPE: Format("xta-2.1.1", _open_xta, _looks_like_xta),
    OSCI_TYPE: Format("osci-1.2", _open_osci, lambda head: not begins_as_xml(head)),
}


def unseal(
    raw: Content,
    *,
    content_type: str,
    keyring: Keyring,
    policy: Policy,
    at: datetime,
    role: Role = "any",
    spool: Spool | None = None,
    circle: Circle = NOBODY,
) -> Opened:
    """Opens a submission: decrypted, verified, not yet judged. The pipeline and the doors call it, dry runs too.

    Pure: equal bytes, keys, policy, partners (`circle`) and `at` (moment of receipt, aware) give an equal result.
    Parameters of the content type do not matter. What is large goes to the `spool`, without one to memory; the result's
    contents hold it open as long as they live. Raises `NotOpened` (a `Rejected`) when the sender has to change something,
    `Rejected("intake.type.unknown")` for a content type that is none of ours.
    """
    entry = FORMATS.get(content_type.partition(";")[0].strip().lower())
    if entry is None:
        raise Rejected("intake.type.unknown")
    return entry.open(raw, keyring, policy, at, role, spool, circle)


def detect(head: bytes) -> str:
    """The content type some bytes look like; anything that is nothing else is taken for OSCI, which then says no."""
    return next((name for name, entry in FORMATS.items() if entry.looks_alike(head)), OSCI_TYPE)
