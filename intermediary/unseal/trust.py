"""Trust in a signer: key usage, and a path from its certificate to an anchor that was valid at the time asked about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

_LONGEST_PATH = 5
_SOUND = (hashes.SHA256, hashes.SHA384, hashes.SHA512, hashes.SHA3_256, hashes.SHA3_384, hashes.SHA3_512)


def may_sign(certificate: x509.Certificate) -> bool:
    """Key usage, if stated, must allow signatures (OSCI digest §11)."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    except ValueError:
        return False
    return usage.digital_signature or usage.content_commitment


def is_trusted(
    certificate: x509.Certificate,
    anchors: Iterable[x509.Certificate],
    at: datetime,
    hints: Iterable[x509.Certificate] = (),
) -> bool | None:
    """Whether a valid path leads to one of the anchors at the moment `at`; None without any anchor.

    `hints` are further certificates that may stand between (from the message); none of them is believed by itself.
    Revocation is not part of this answer.
    """
    trusted = tuple(anchors)
    if not trusted:
        return None
    return _reaches(certificate, trusted, tuple(hints), at, _LONGEST_PATH)


def _reaches(
    certificate: x509.Certificate,
    anchors: tuple[x509.Certificate, ...],
    hints: tuple[x509.Certificate, ...],
    at: datetime,
    steps: int,
) -> bool:
    if steps == 0 or not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        return False
    if certificate in anchors:
        return True
    for issuer in (*anchors, *hints):
        if issuer != certificate and _issued(certificate, issuer) and _reaches(issuer, anchors, hints, at, steps - 1):
            return True
    return False


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    if certificate.issuer != issuer.subject or not _may_issue(issuer):
        return False
    if not isinstance(certificate.signature_hash_algorithm, _SOUND):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _may_issue(issuer: x509.Certificate) -> bool:
    try:
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == x509.KeyUsage.oid
    except ValueError:
        return False
