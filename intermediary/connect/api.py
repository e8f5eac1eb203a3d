"""Everything a connector imports: the port it implements, the values it is given, the faults it raises.

A connector imports from here and from nowhere else in the intermediary; what stands here is a stable interface. XML that
a target answers with is read by `parse_xml`, the one hardened parser, and by nothing else; HTTP goes through `HttpClient`,
a secret comes from its file by `read_secret`.
"""

from __future__ import annotations

from intermediary.connect.http import HttpClient
from intermediary.connect.http_auth import HttpAuth
from intermediary.connect.http_body import Base64, Body
from intermediary.connect.http_values import HttpAnswer, HttpRequest, HttpSettings, HttpUrl, retry_after
from intermediary.connect.secrets import read_secret
from intermediary.core.callbacks import Callback, Heard, Unheard
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
from intermediary.core.steps import Steps
from intermediary.core.values import EMPTY, Content, Dokument, Zustellauftrag
from intermediary.xml.parser import Limits as XmlLimits
from intermediary.xml.parser import parse as parse_xml

__all__ = [
    "EMPTY",
    "Awaiting",
    "Base64",
    "Body",
    "Callback",
    "Connector",
    "ConnectorFactory",
    "Content",
    "Delivered",
    "Dokument",
    "Fault",
    "Heard",
    "HttpAnswer",
    "HttpAuth",
    "HttpClient",
    "HttpRequest",
    "HttpSettings",
    "HttpUrl",
    "Idempotency",
    "Manifest",
    "Misconfigured",
    "NotDelivered",
    "Refused",
    "Rejected",
    "Steps",
    "Transient",
    "Unclear",
    "Unheard",
    "XmlLimits",
    "Zustellauftrag",
    "parse_xml",
    "read_secret",
    "retry_after",
]
