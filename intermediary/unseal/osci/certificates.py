"""The certificates in the header: every reference in a message resolves to one of them, by id (digest §6)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from intermediary.core.faults import Rejected
from intermediary.unseal.encoding import from_base64
from intermediary.unseal.nodes import attribute, broken, local, only, single, text
from intermediary.unseal.osci.names import DS, OSCI
from intermediary.unseal.osci.structure import CERTIFICATE_BLOCKS, Structure
from intermediary.xml.parser import Element

_ROLES = {
    CERTIFICATE_BLOCKS[0]: ("CipherCertificateIntermediary", "SignatureCertificateIntermediary"),
    CERTIFICATE_BLOCKS[1]: (
        "CipherCertificateOriginator",
        "CipherCertificateOtherAuthor",
        "CipherCertificateAddressee",
        "CipherCertificateOtherReader",
        "SignatureCertificateOriginator",
        "SignatureCertificateAddressee",
        "SignatureCertificateOtherAuthor",
    ),
}
_SEVERAL = ("CipherCertificateOtherAuthor", "CipherCertificateOtherReader", "SignatureCertificateOtherAuthor")

_MOST = 1000
"""In one block; each of them may have to be judged."""


class Certificates:
    """The header's certificates as DER, by id and by role; who signed is decided by role, never by a hint."""

    def __init__(self, structure: Structure) -> None:
        self._by_id: dict[str, tuple[str, bytes]] = {}
        self._by_role: dict[str, list[tuple[str, bytes]]] = {}
        for block in structure.blocks:
            if block.tag in _ROLES:
                self._add(block, tuple(OSCI + role for role in _ROLES[str(block.tag)]))

    def _add(self, block: Element, roles: tuple[str, ...]) -> None:
        if len(block) > _MOST:
            raise Rejected("osci.limit", where=local(str(block.tag)))
        only(block, *roles)
        for entry in block:
            role, identifier = str(entry.tag), attribute(entry, "Id")
            only(entry, DS + "X509Data")
            data = single(entry, DS + "X509Data")
            der = from_base64(text(single(data, DS + "X509Certificate")), where="X509Certificate")
            if role in self._by_role and local(role) not in _SEVERAL:
                raise broken(local(role))
            self._by_id[identifier] = (role, der)
            self._by_role.setdefault(role, []).append((identifier, der))

    def resolve(self, uri: str) -> bytes:
        """The certificate a `#id` names; a dangling reference is `Rejected("osci.reference")`."""
        return self._named(uri)[1]

    def signer(self, uri: str) -> bytes:
        """The signature certificate a `#id` in a content signature names."""
        role, der = self._named(uri)
        if not local(role).startswith("SignatureCertificate"):
            raise Rejected("osci.reference", where="RetrievalMethod")
        return der

    def hints(self) -> Iterator[x509.Certificate]:
        """All of them that can be read: authorities among them may stand in a path, and are believed by nobody."""
        for _role, der in self._by_id.values():
            with suppress(Rejected):
                yield parsed(der)

    def of_role(self, role: str) -> tuple[str, bytes] | None:
        """Id and DER of the first certificate in this role."""
        found = self._by_role.get(role)
        return found[0] if found else None

    def roles(self) -> dict[str, tuple[bytes, ...]]:
        """All certificates by the local name of their role."""
        return {local(role): tuple(der for _id, der in entries) for role, entries in self._by_role.items()}

    def _named(self, uri: str) -> tuple[str, bytes]:
        if not uri.startswith("#") or uri[1:] not in self._by_id:
            raise Rejected("osci.reference", where="RetrievalMethod")
        return self._by_id[uri[1:]]


@lru_cache(maxsize=1024)
def subject_of(certificate: x509.Certificate) -> str:
    """The subject in RFC 4514 form."""
    return certificate.subject.rfc4514_string()


@lru_cache(maxsize=1024)
def parsed(der: bytes) -> x509.Certificate:
    """The certificate behind the DER, or a structure fault; its names, dates and key can be read without another."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        # The library reads these when they are asked for, which is too late for a structure fault.
        _ = certificate.subject, certificate.issuer, certificate.not_valid_before_utc, certificate.not_valid_after_utc
        certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise broken("X509Certificate") from None
    return certificate
