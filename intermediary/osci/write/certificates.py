"""The certificate blocks of the header: who is listed, and under which Id signatures and keys point there (§6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.osci.write.markup import base64_lines, element


@dataclass(frozen=True, slots=True)
class Listed:
    """One certificate element, e.g. `osci:CipherCertificateOtherReader`; `name` is without prefix."""

    name: str
    id: str
    certificate: x509.Certificate

    def xml(self) -> str:
        return element(f"osci:{self.name}", x509_data(self.certificate), f' Id="{self.id}"')


@dataclass(frozen=True, slots=True)
class CertificateList:
    """All certificate elements of one message, in the order the schema demands.

    `intermediary` goes into the block IntermediaryCertificates, `others` into NonIntermediaryCertificates; an empty one
    is not written. Made by `list_certificates`, or from what another wrote (`foreign_certificates`).
    """

    intermediary: tuple[Listed, ...] = ()
    others: tuple[Listed, ...] = ()

    def cipher_id(self, certificate: x509.Certificate) -> str:
        """Id of the element that carries this encryption certificate."""
        return self._id(certificate, "Cipher")

    def signature_id(self, certificate: x509.Certificate) -> str:
        """Id of the element that carries this signature certificate."""
        return self._id(certificate, "Signature")

    def named(self, name: str) -> Listed | None:
        """The first element of this name, e.g. `SignatureCertificateOriginator`."""
        return next((listed for listed in self.intermediary + self.others if listed.name == name), None)

    def _id(self, certificate: x509.Certificate, use: str) -> str:
        for listed in self.intermediary + self.others:
            if listed.name.startswith(use) and listed.certificate == certificate:
                return listed.id
        raise LookupError("a certificate that the message does not list")


def list_certificates(
    *,
    originator_cipher: x509.Certificate | None = None,
    originator_signature: x509.Certificate | None = None,
    addressee_cipher: x509.Certificate | None = None,
    addressee_signature: x509.Certificate | None = None,
    intermediary_cipher: x509.Certificate | None = None,
    intermediary_signature: x509.Certificate | None = None,
    author_ciphers: Sequence[x509.Certificate] = (),
    readers: Sequence[x509.Certificate] = (),
    authors: Sequence[x509.Certificate] = (),
) -> CertificateList:
    """Lists the parties by role, each under the Id the reference library gives it.

    `readers` are the cipher certificates the content is encrypted for, `authors` the signature certificates of those who
    sign it; those that are already there as originator or addressee are not listed twice.
    """
    ciphers = tuple(one for one in (originator_cipher, addressee_cipher) if one is not None)
    signers = tuple(one for one in (originator_signature, addressee_signature) if one is not None)
    return CertificateList(
        (
            *_one("CipherCertificateIntermediary", "intermed", intermediary_cipher),
            *_one("SignatureCertificateIntermediary", "intermed", intermediary_signature),
        ),
        (
            *_one("CipherCertificateOriginator", "originator", originator_cipher),
            *_others("CipherCertificateOtherAuthor", "author", author_ciphers, ciphers),
            *_one("CipherCertificateAddressee", "addressee", addressee_cipher),
            *_others("CipherCertificateOtherReader", "reader", readers, (*ciphers, *author_ciphers)),
            *_one("SignatureCertificateOriginator", "originator", originator_signature),
            *_one("SignatureCertificateAddressee", "addressee", addressee_signature),
            *_others("SignatureCertificateOtherAuthor", "author", authors, signers),
        ),
    )


def x509_data(certificate: x509.Certificate) -> str:
    """ds:X509Data with one certificate."""
    return element("ds:X509Data", element("ds:X509Certificate", certificate_lines(certificate)))


@lru_cache(maxsize=256)
def certificate_lines(certificate: x509.Certificate) -> str:
    """The certificate in the Base64 form of §3."""
    return base64_lines(certificate.public_bytes(Encoding.DER))


def _one(name: str, role: str, certificate: x509.Certificate | None) -> Iterable[Listed]:
    if certificate is not None:
        yield _listed(name, role, certificate)


def _others(
    name: str, role: str, certificates: Iterable[x509.Certificate], known: tuple[x509.Certificate, ...]
) -> Iterable[Listed]:
    seen = list(known)
    for number, certificate in enumerate(certificates):
        if certificate not in seen:
            seen.append(certificate)
            yield _listed(name, f"{role}{number}", certificate)


def _listed(name: str, role: str, certificate: x509.Certificate) -> Listed:
    use = "cipher" if name.startswith("Cipher") else "signature"
    return Listed(name, f"{role}_{use}_{_fingerprint(certificate)}", certificate)


@lru_cache(maxsize=256)
def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()
