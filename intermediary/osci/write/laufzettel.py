"""Process cards (Laufzettel): time stamps and the intermediary's checks of certificates (§14)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from cryptography import x509

from intermediary.osci.write.markup import attribute, base64_lines, element, text

CertType = Literal["advanced", "qualified", "accredited", "unknown"]
MathResult = Literal["ok", "corrupted", "indeterminate"]
OfflineResult = Literal["valid", "invalid", "indeterminate"]
OnlineResult = Literal["ok", "revoked"]
OnlineSource = Literal["OCSP", "CRL", "LDAP"]


@dataclass(frozen=True, slots=True)
class CryptographicStamp:
    """A time stamp that proves itself: the URI of its kind, and the token."""

    algorithm: str
    token: bytes = field(repr=False)


Stamp: TypeAlias = datetime | str | CryptographicStamp
"""A moment (aware), a moment as another wrote it (ISO 8601), or a cryptographic time stamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What the intermediary found about one certificate, and when. `online` is the source, its result and its words."""

    at: Stamp
    certificate: x509.Certificate
    cert_type: CertType = "unknown"
    math: MathResult = "ok"
    offline: OfflineResult = "indeterminate"
    online: tuple[OnlineSource, OnlineResult, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Laufzettel:
    """One process card in its bundle.

    `name` is the bundle's: ResponseToMediateDelivery has a RequestProcessCardBundle and a ReplyProcessCardBundle, all
    others a ProcessCardBundle. AcceptDelivery and ProcessDelivery have exactly `created` and `forwarded`. `modified` is
    the latest of the moments unless it is given.
    """

    message_id: str = field(repr=False)
    created: Stamp
    forwarded: Stamp | None = None
    received: Stamp | None = None
    subject: str = field(default="", repr=False)
    modified: datetime | str = ""
    inspections: tuple[Inspection, ...] = ()
    name: Literal["ProcessCardBundle", "RequestProcessCardBundle", "ReplyProcessCardBundle"] = "ProcessCardBundle"

    def xml(self) -> str:
        stamps = (("Creation", self.created), ("Forwarding", self.forwarded), ("Reception", self.received))
        inside = "".join(element(f"osci:{name}", _stamp(moment)) for name, moment in stamps if moment is not None)
        if self.subject:
            inside += element("osci:Subject", text(self.subject))
        return element(
            f"osci:{self.name}",
            message_id_xml(self.message_id)
            + element("osci:ProcessCard", inside, f' RecentModification="{attribute(self._modified())}"')
            + element("osci:InspectionReport", "".join(_inspection(one) for one in self.inspections)),
        )

    def _modified(self) -> str:
        if self.modified:
            return written(self.modified)
        plain = [one for one in (self.created, self.forwarded, self.received) if isinstance(one, datetime | str)]
        if not plain:
            raise ValueError("a process card without a plain moment must say when it was modified")
        return written(plain[-1])


def message_id_xml(message_id: str, name: str = "MessageId") -> str:
    """An id on the wire: Base64 of its UTF-8 text (§7)."""
    return element(f"osci:{name}", base64_lines(message_id.encode()))


def written(moment: datetime | str) -> str:
    """A moment in ISO 8601 with its zone; ValueError for a naive one."""
    if isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise ValueError("a moment must be aware")
    return moment.isoformat(timespec="seconds")


def _stamp(stamp: Stamp) -> str:
    if isinstance(stamp, CryptographicStamp):
        algorithm = f' Algorithm="{attribute(stamp.algorithm)}"'
        return element("osci:Cryptographic", base64_lines(stamp.token), algorithm)
    return element("osci:Plain", text(written(stamp)))


def _inspection(inspection: Inspection) -> str:
    certificate = inspection.certificate
    online = ""
    if inspection.online is not None:
        source, result, said = inspection.online
        online = element("osci:OnlineResult", element(f"osci:{source}", text(said)), f' Result="{result}"')
    return element(
        "osci:Inspection",
        element("osci:Timestamp", _stamp(inspection.at))
        + element("osci:X509SubjectName", text(certificate.subject.rfc4514_string()))
        + element("osci:X509IssuerName", text(certificate.issuer.rfc4514_string()))
        + element("osci:X509SerialNumber", str(certificate.serial_number))
        + element("osci:CertType", "", f' Type="{inspection.cert_type}"')
        + element("osci:MathResult", "", f' Result="{inspection.math}"')
        + element("osci:OfflineResult", "", f' Result="{inspection.offline}"')
        + online,
    )
