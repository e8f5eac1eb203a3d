"""The certificate blocks of the header: who is listed, and under which Id signatures and keys point there (§6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.osci.write.letter import TO_INTERMEDIARY, Letter, Parties
from intermediary.osci.write.markup import base64_lines, element


@dataclass(frozen=True, slots=True)
class Listed:
    """One certificate element, e.g. `osci:CipherCertificateOtherReader`."""

    name: str
    id: str
    certificate: x509.Certificate

    def xml(self) -> str:
        return element(f"osci:{self.name}", x509_data(self.certificate), f' Id="{self.id}"')


@dataclass(frozen=True, slots=True)
class CertificateList:
    """All certificate elements of one message, in the order the schema demands."""

    intermediary: tuple[Listed, ...]
    others: tuple[Listed, ...]

    def cipher_id(self, certificate: x509.Certificate) -> str:
        """Id of the element that carries this encryption certificate."""
        return self._id(certificate, "Cipher")

    def signature_id(self, certificate: x509.Certificate) -> str:
        """Id of the element that carries this signature certificate."""
        return self._id(certificate, "Signature")

    def _id(self, certificate: x509.Certificate, use: str) -> str:
        for listed in self.intermediary + self.others:
            if listed.name.startswith(use) and listed.certificate == certificate:
                return listed.id
        raise LookupError("a certificate that the message does not list")


def list_certificates(letter: Letter, parties: Parties) -> CertificateList:
    """Lists the parties a message of this type and protection names; authors and readers only where they take part."""
    signed = letter.transport_signature is not None
    intermediary: list[Listed] = []
    if letter.message_type in ("AcceptDelivery", "ProcessDelivery"):
        certificate = parties.intermediary_cipher.certificate
        intermediary.append(_listed("CipherCertificateIntermediary", "intermed", certificate))
    if signed and letter.message_type not in TO_INTERMEDIARY:
        certificate = parties.intermediary_signature.certificate
        intermediary.append(_listed("SignatureCertificateIntermediary", "intermed", certificate))
    originator, addressee = parties.originator_cipher.certificate, parties.addressee_cipher.certificate
    signer = parties.originator_signature.certificate
    readers = [reader.certificate for reader in parties.readers] if letter.content_cipher else []
    authors = [author.certificate for author in parties.authors[: len(letter.content_signatures)]]
    return CertificateList(
        tuple(intermediary),
        (
            _listed("CipherCertificateOriginator", "originator", originator),
            _listed("CipherCertificateAddressee", "addressee", addressee),
            *_others("CipherCertificateOtherReader", "reader", readers, (originator, addressee)),
            _listed("SignatureCertificateOriginator", "originator", signer),
            *_others("SignatureCertificateOtherAuthor", "author", authors, (signer,)),
        ),
    )


def x509_data(certificate: x509.Certificate) -> str:
    """ds:X509Data with one certificate."""
    return element("ds:X509Data", element("ds:X509Certificate", certificate_lines(certificate)))


def certificate_lines(certificate: x509.Certificate) -> str:
    """The certificate in the Base64 form of §3."""
    return base64_lines(certificate.public_bytes(Encoding.DER))


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
    return Listed(name, f"{role}_{use}_{certificate.fingerprint(hashes.SHA256()).hex()}", certificate)
