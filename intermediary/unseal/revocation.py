"""Whether a certificate was revoked at a moment, by cached CRLs and OCSP responses that are genuine and fresh."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from intermediary.keys.material import Crl, Material, Ocsp
from intermediary.unseal.path import SOUND, UNREADABLE, has_matching_key_id, is_issued_by

State = Literal["good", "revoked", "unknown"]

_CRL_UNDERSTOOD = frozenset({ExtensionOID.ISSUING_DISTRIBUTION_POINT, ExtensionOID.AUTHORITY_KEY_IDENTIFIER})


@dataclass(frozen=True, slots=True)
class Standing:
    """What the material says about one certificate; `source` names the piece that decided (`crl:<sha256>`).

    `since` is the moment of revocation, also when it lies after the moment asked about: then the state is `good`.
    """

    state: State
    since: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """One usable statement: when it was made, until when it holds, and since when the certificate is revoked if it is."""

    made: datetime
    until: datetime
    source: str
    revoked: datetime | None = None


def standing(
    certificate: x509.Certificate, issuer: x509.Certificate, at: datetime, *, material: Material, grace: timedelta
) -> Standing:
    """The standing of a certificate at the moment `at`, the receipt; nothing is fetched.

    An answer counts if the issuer, or an OCSP signer it delegated to, signed it and `at` is not later than its end plus
    `grace`. The newest that was there at `at` decides; without one, the first that came later and still lists the
    certificate: so a message that had to wait is judged as of its receipt, and a replay with the same material agrees.
    """
    answers = [
        answer
        for answer in (*_from_crls(certificate, issuer, material), *_from_responses(certificate, issuer, material))
        if at <= answer.until + grace and answer.made <= certificate.not_valid_after_utc
    ]
    earlier = [answer for answer in answers if answer.made <= at]
    later = [answer for answer in answers if answer.made > at]
    if earlier:
        decisive = max(earlier, key=lambda answer: (answer.made, answer.revoked is not None, answer.source))
    elif later:
        decisive = min(later, key=lambda answer: (answer.made, answer.revoked is None, answer.source))
    else:
        return Standing("unknown")
    is_revoked = decisive.revoked is not None and decisive.revoked <= at
    return Standing("revoked" if is_revoked else "good", decisive.revoked, decisive.source)


def _from_crls(certificate: x509.Certificate, issuer: x509.Certificate, material: Material) -> Iterator[_Answer]:
    if not _may_sign_crls(issuer):
        return
    for entry in material.crls(issuer.subject):
        crl = entry.crl
        if crl.next_update_utc is None or not _is_about(entry, certificate):
            continue
        if not isinstance(crl.signature_hash_algorithm, SOUND) or not material.is_signed_by(entry, issuer):
            continue
        found = material.entry_of(entry, certificate.serial_number)
        if found is not None and any(one.critical for one in found.extensions):
            continue  # an indirect list names the issuer so: not a list of this authority alone
        revoked = None if found is None else found.revocation_date_utc
        yield _Answer(crl.last_update_utc, crl.next_update_utc, f"crl:{entry.sha256}", revoked)


def _is_about(entry: Crl, certificate: x509.Certificate) -> bool:
    """Whether this list would name the certificate if it were revoked; one that cannot be fully understood would not."""
    try:
        extensions = entry.crl.extensions
        if any(one.critical and one.oid not in _CRL_UNDERSTOOD for one in extensions):
            return False
        scope = extensions.get_extension_for_class(x509.IssuingDistributionPoint).value
    except x509.ExtensionNotFound:
        return True
    except UNREADABLE:
        return False
    if scope.indirect_crl or scope.only_contains_attribute_certs or scope.only_some_reasons or scope.relative_name:
        return False
    is_authority = _is_authority(certificate)
    if (scope.only_contains_user_certs and is_authority) or (scope.only_contains_ca_certs and not is_authority):
        return False
    return not scope.full_name or not set(scope.full_name).isdisjoint(_distribution_points(certificate))


def _distribution_points(certificate: x509.Certificate) -> set[x509.GeneralName]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return set()
    return {name for point in points for name in point.full_name or ()}


def _from_responses(certificate: x509.Certificate, issuer: x509.Certificate, material: Material) -> Iterator[_Answer]:
    for entry, single in material.responses(certificate.serial_number):
        if single.certificate_status is ocsp.OCSPCertStatus.UNKNOWN or not _is_for(single, issuer):
            continue
        if not _is_genuine(entry, issuer, material):
            continue
        until = single.next_update_utc or single.this_update_utc
        yield _Answer(single.this_update_utc, until, f"ocsp:{entry.sha256}", single.revocation_time_utc)


def _is_for(single: ocsp.OCSPSingleResponse, issuer: x509.Certificate) -> bool:
    """The answer names its issuer by two hashes."""
    name = issuer.subject.public_bytes()
    key = _key_bits(issuer)
    algorithm = single.hash_algorithm.name
    if algorithm not in ("sha1", "sha256", "sha384", "sha512"):
        return False
    # SHA-1 only finds the issuer here; what is believed is the signature over the answer.
    return (single.issuer_name_hash, single.issuer_key_hash) == (
        hashlib.new(algorithm, name, usedforsecurity=False).digest(),
        hashlib.new(algorithm, key, usedforsecurity=False).digest(),
    )


def _key_bits(issuer: x509.Certificate) -> bytes:
    """The content of the BIT STRING in SubjectPublicKeyInfo, by RFC 6960 §4.1.1; its key id by RFC 5280 is this hashed."""
    key = issuer.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return b""


def _is_genuine(entry: Ocsp, issuer: x509.Certificate, material: Material) -> bool:
    """Signed by the issuer itself, or by a signer with its own short certificate from the issuer (RFC 6960 §4.2.2.2)."""
    response = entry.response
    try:
        if any(one.critical for one in (*response.extensions, *response.single_extensions)):
            return False
    except UNREADABLE:
        return False
    if _is_signed(response, issuer):
        return True
    made = response.produced_at_utc
    return any(
        _is_delegate(one, issuer, made) and _is_signed(response, one) and not _is_withdrawn(one, issuer, made, material)
        for one in response.certificates
    )


def _is_delegate(signer: x509.Certificate, issuer: x509.Certificate, made: datetime) -> bool:
    try:
        usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    if ExtendedKeyUsageOID.OCSP_SIGNING not in usage or signer.issuer != issuer.subject:
        return False
    if not signer.not_valid_before_utc <= made <= signer.not_valid_after_utc:
        return False
    return has_matching_key_id(signer, issuer) and is_issued_by(signer, issuer)


def _is_withdrawn(signer: x509.Certificate, issuer: x509.Certificate, made: datetime, material: Material) -> bool:
    """Whether a list of the issuer names the OCSP signer. No list is needed: such certificates are short-lived."""
    return any(answer.revoked is not None and answer.revoked <= made for answer in _from_crls(signer, issuer, material))


def _is_signed(response: ocsp.OCSPResponse, signer: x509.Certificate) -> bool:
    key, digest = signer.public_key(), response.signature_hash_algorithm
    if not isinstance(digest, SOUND):
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(response.signature, response.tbs_response_bytes, _padding(response, digest), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _padding(response: ocsp.OCSPResponse, digest: HashAlgorithm) -> padding.AsymmetricPadding:
    if response.signature_algorithm_oid == x509.SignatureAlgorithmOID.RSASSA_PSS:
        return padding.PSS(padding.MGF1(digest), digest.digest_size)
    return padding.PKCS1v15()


def _may_sign_crls(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.crl_sign
    except x509.ExtensionNotFound:
        return True
    except UNREADABLE:
        return False


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
