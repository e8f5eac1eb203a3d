"""Everything a connector imports: the port it implements, the values it is given, the faults it raises.

A connector imports from here and from nowhere else in the intermediary; what stands here is a stable interface.
"""

from __future__ import annotations

from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import (
    Awaiting,
    Connector,
    ConnectorFactory,
    Delivered,
    Idempotency,
    Manifest,
    NotDelivered,
    Refused,
)
from intermediary.core.values import EMPTY, Content, Dokument, Zustellauftrag

__all__ = [
    "EMPTY",
    "Awaiting",
    "Connector",
    "ConnectorFactory",
    "Content",
    "Delivered",
    "Dokument",
    "Fault",
    "Idempotency",
    "Manifest",
    "Misconfigured",
    "NotDelivered",
    "Refused",
    "Rejected",
    "Transient",
    "Unclear",
    "Zustellauftrag",
]
