"""Process cards as the intermediary writes them: time stamps, and its report about the certificates (digest §14)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from cryptography import x509

from intermediary.osci.write import Inspection, Laufzettel
from intermediary.testing.simulate.osci.books import Card
from intermediary.testing.simulate.osci.journal import Journal
from intermediary.unseal.osci.certificates import parsed

BundleName = Literal["ProcessCardBundle", "RequestProcessCardBundle", "ReplyProcessCardBundle"]

_INSPECTED = (
    "SignatureCertificateOriginator",
    "SignatureCertificateOtherAuthor",
    "CipherCertificateOtherAuthor",
    "CipherCertificateAddressee",
    "CipherCertificateOtherReader",
)
_EXPIRY = (
    ("CipherCertificateOriginator", "3500"),
    ("SignatureCertificateOriginator", "3700"),
    ("SignatureCertificateOtherAuthor", "3701"),
    ("CipherCertificateOtherAuthor", "3704"),
    ("CipherCertificateAddressee", "3705"),
    ("CipherCertificateOtherReader", "3706"),
    ("SignatureCertificateAddressee", "3708"),
)


def inspected(certificates: Mapping[str, tuple[bytes, ...]], journal: Journal) -> tuple[str, ...]:
    """Keeps the certificates that a report speaks about; names of their files, each once."""
    return tuple(dict.fromkeys(journal.keep(der) for role in _INSPECTED for der in certificates.get(role, ())))


def laufzettel(card: Card, journal: Journal, *, name: BundleName = "ProcessCardBundle") -> Laufzettel:
    """The card as it stands in an answer; the certificates were inspected when the message came in."""
    return Laufzettel(
        message_id=card.message_id,
        created=card.creation,
        forwarded=card.forwarding,
        received=card.reception,
        subject=card.subject,
        modified=card.modified,
        inspections=tuple(_inspection(journal.fetch(file), card.creation) for file in card.inspected),
        name=name,
    )


def warnings(certificates: Mapping[str, tuple[bytes, ...]], at: datetime) -> tuple[str, ...]:
    """Codes 35xx and 37xx for certificates outside of their validity period."""
    return tuple(
        code for role, code in _EXPIRY if any(not _is_current(parsed(der), at) for der in certificates.get(role, ()))
    )


def _inspection(der: bytes, at: datetime) -> Inspection:
    """Offline only, and without an anchor: a valid period is all that is judged."""
    certificate = parsed(der)
    return Inspection(at=at, certificate=certificate, offline="valid" if _is_current(certificate, at) else "invalid")


def _is_current(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
