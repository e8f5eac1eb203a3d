"""Certificate paths: candidates from a signer to an anchor, and the first rule one of them breaks (RFC 5280 §6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

from intermediary.unseal.name_constraints import admits

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)
Path = tuple[x509.Certificate, ...]
"""From the signer to the anchor; one certificate when the signer is an anchor itself."""

UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What reading the extensions of a foreign certificate may raise."""

LONGEST_PATH = 6
MOST_SIGNATURES = 64
MOST_HINTS = 16

SOUND = (hashes.SHA256, hashes.SHA384, hashes.SHA512, hashes.SHA3_256, hashes.SHA3_384, hashes.SHA3_512)

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        # Any policy is acceptable here, so that these two can forbid nothing (RFC 5280 §6.1.1 c, e).
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.INHIBIT_ANY_POLICY,
    }
)
_SIGNS_MESSAGES = frozenset(
    {
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # documentSigning, RFC 9336
        ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"),
    }
)


class PathFinder:
    """Looks for paths of one signer; used once. Names and key ids propose an issuer, only its signature makes it one.

    `anchors` end a path; `between` (ours) and `hints` (the message's, asked for only when nothing else led anywhere) may
    stand inside and are believed by nobody. `has_forgery`: an issuer was at hand, but the signature was not its own.
    """

    def __init__(
        self,
        anchors: Iterable[x509.Certificate],
        between: Iterable[x509.Certificate],
        hints: Callable[[], Iterable[x509.Certificate]],
    ) -> None:
        self._anchors = tuple(anchors)
        self._between = tuple(between)
        self._hints = hints
        self._checked: dict[tuple[x509.Certificate, x509.Certificate], bool] = {}
        self.has_forgery = False

    @property
    def looked_at(self) -> int:
        """How many signatures of certificates were calculated: never more than MOST_SIGNATURES."""
        return len(self._checked)

    def paths(self, signer: x509.Certificate) -> Iterator[Path]:
        """Every path whose signatures hold, shortest anchors first; nothing else about it is judged yet."""
        found = False
        for path in self._extended((signer,), self._between):
            found = True
            yield path
        if not found:
            yield from self._extended((signer,), (*self._between, *islice(self._hints(), MOST_HINTS)))

    def _extended(self, path: Path, between: tuple[x509.Certificate, ...]) -> Iterator[Path]:
        last = path[-1]
        if last in self._anchors:
            yield path
            return
        if len(path) == LONGEST_PATH:
            return
        for issuer in self._anchors:
            if self._is_issuer(issuer, last):
                yield (*path, issuer)
        for issuer in between:
            if issuer not in path and issuer not in self._anchors and self._is_issuer(issuer, last):
                yield from self._extended((*path, issuer), between)

    def _is_issuer(self, issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
        if not is_proposed(certificate, issuer):
            return False
        known = (certificate, issuer)
        issued = self._checked.get(known)
        if issued is None:
            if len(self._checked) >= MOST_SIGNATURES:
                return False
            issued = self._checked[known] = is_issued_by(certificate, issuer)
            self.has_forgery = self.has_forgery or not issued
        return issued


@lru_cache(maxsize=1024)
def broken_rule(path: Path, *, signs: bool = True) -> str:
    """The first rule of a path that does not hold, apart from time and revocation; empty when all do.

    `signs`: the path is that of a signer, who must be allowed to sign messages; else of a certificate to encrypt for.
    """
    for position, certificate in enumerate(path):
        try:
            rule = _broken(certificate, position, path, signs=signs)
        except UNREADABLE:
            rule = "malformed"
        if rule:
            return rule
    return ""


def is_valid_at(path: Path, at: datetime) -> bool:
    """Whether every certificate of the path was within its validity at this moment."""
    return all(one.not_valid_before_utc <= at <= one.not_valid_after_utc for one in path)


@lru_cache(maxsize=1024)
def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the signature over the certificate is the issuer's, made with a sound hash."""
    try:
        if not isinstance(certificate.signature_hash_algorithm, SOUND):
            return False
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def is_proposed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether names and key ids say that this may be the issuer; they prove nothing."""
    return issuer != certificate and certificate.issuer == issuer.subject and has_matching_key_id(certificate, issuer)


def has_matching_key_id(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Key ids propose: two that are stated must be equal; one that is missing says nothing."""
    try:
        wanted = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
        given = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except (x509.ExtensionNotFound, *UNREADABLE):
        return True
    return wanted is None or wanted == given


def _broken(certificate: x509.Certificate, position: int, path: Path, *, signs: bool) -> str:
    if any(one.critical and one.oid not in _UNDERSTOOD for one in certificate.extensions):
        return "critical-extension"
    if position == 0:
        return "" if not signs or _signs_messages(certificate) else "extended-key-usage"
    basic = _extension(certificate, x509.BasicConstraints)
    if basic is None or not basic.ca:
        return "no-authority"
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        return "key-usage"
    below = sum(1 for one in path[1:position] if one.subject != one.issuer)
    if basic.path_length is not None and below > basic.path_length:
        return "path-length"
    constraints = _extension(certificate, x509.NameConstraints)
    if constraints is not None and not all(admits(constraints, one) for one in _bound(path[:position])):
        return "name-constraints"
    return ""


def _bound(below: Path) -> Iterator[x509.Certificate]:
    """Whom the constraints of an authority bind: all below it but authorities that issued themselves (RFC 5280 §6.1.3)."""
    return (one for position, one in enumerate(below) if position == 0 or one.subject != one.issuer)


def _signs_messages(certificate: x509.Certificate) -> bool:
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    return usage is None or any(oid in _SIGNS_MESSAGES for oid in usage)


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
