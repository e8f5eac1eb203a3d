"""Authorities for tests and rehearsals: certificates of any shape, revocation lists and OCSP answers, all synthetic."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

CA_USAGE = ("key_cert_sign", "crl_sign")
SIGNER_USAGE = ("digital_signature", "content_commitment")
_KINDS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True, slots=True)
class Authority:
    """A key pair on P-256 with its certificate: an authority, or anybody below one. All times are arguments."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    def issue(
        self,
        name: str,
        *,
        start: datetime,
        end: datetime,
        is_ca: bool = False,
        path_length: int | None = None,
        usage: Iterable[str] | None = None,
        extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
        digest: hashes.SHA224 | hashes.SHA256 | None = None,
    ) -> Authority:
        """Somebody below this authority; `usage` None: a signer, or for `is_ca` an authority. Empty: not stated."""
        key = ec.generate_private_key(ec.SECP256R1())
        wanted = (CA_USAGE if is_ca else SIGNER_USAGE) if usage is None else tuple(usage)
        builder = _builder(name, key, self.certificate.subject, (start, end), is_ca, path_length, wanted)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
        )
        return Authority(builder.sign(self.key, digest or hashes.SHA256()), key)

    def crl(
        self,
        revoked: Mapping[x509.Certificate, datetime],
        *,
        made: datetime,
        until: datetime,
        extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    ) -> bytes:
        """A revocation list of this authority, DER."""
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, made, until)
        for certificate, since in revoked.items():
            entry = x509.RevokedCertificateBuilder(certificate.serial_number, since).build()
            builder = builder.add_revoked_certificate(entry)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def ocsp(
        self,
        certificate: x509.Certificate,
        *,
        made: datetime,
        until: datetime | None,
        revoked: datetime | None = None,
        responder: Authority | None = None,
        is_known: bool = True,
    ) -> bytes:
        """An OCSP response about a certificate of this authority, DER; signed by it, or by a responder it delegated to."""
        good, unknown = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.UNKNOWN
        status = ocsp.OCSPCertStatus.REVOKED if revoked else good if is_known else unknown
        signer = responder or self
        builder = ocsp.OCSPResponseBuilder().add_response(
            certificate, self.certificate, hashes.SHA256(), status, made, until, revoked, None
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        if responder is not None:
            builder = builder.certificates([responder.certificate])
        return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def root(name: str, *, start: datetime, end: datetime, path_length: int | None = None) -> Authority:
    """An authority that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(name, key, _name(name), (start, end), True, path_length, CA_USAGE)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def source_of(data: bytes, kind: str = "crl") -> str:
    """How a judgement names this piece of material: `crl:<sha256>`."""
    return f"{kind}:{hashlib.sha256(data).hexdigest()}"


def _builder(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    validity: tuple[datetime, datetime],
    is_ca: bool,
    path_length: int | None,
    usage: tuple[str, ...],
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(issuer, _name(name), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(validity[0]).not_valid_after(validity[1])
    builder = builder.add_extension(x509.BasicConstraints(is_ca, path_length), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    if usage:
        builder = builder.add_extension(x509.KeyUsage(**{kind: kind in usage for kind in _KINDS}), critical=True)
    return builder


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Musterland"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
