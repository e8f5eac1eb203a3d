"""Everything a connector imports: the port it implements, the values it is given, the faults it raises.

A connector imports from here and from nowhere else in the intermediary; what stands here is a stable interface. XML that
a target answers with is read by `parse_xml`, the one hardened parser, and by nothing else.
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
from intermediary.xml.parser import Limits as XmlLimits
from intermediary.xml.parser import parse as parse_xml

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
    "XmlLimits",
    "Zustellauftrag",
    "parse_xml",
]
