"""The content container: data, attachment references, authors' signatures, encryption for the readers (§8 to §11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from cryptography import x509

from intermediary.keys.identity import SignatureKey
from intermediary.osci.write.algorithms import BASE64, C14N, Cipher, Digest, SignatureMethod
from intermediary.osci.write.attachment import Attachment
from intermediary.osci.write.certificates import CertificateList
from intermediary.osci.write.encryption import (
    cipher_reference,
    cipher_value,
    enciphered,
    encrypt,
    encrypted_key,
    encryption_method,
    wrap,
)
from intermediary.osci.write.laufzettel import written
from intermediary.osci.write.markup import FIVE, attribute, base64_lines, element, text
from intermediary.osci.write.mime import WirePart
from intermediary.osci.write.octets import Random
from intermediary.osci.write.package import Package
from intermediary.osci.write.signature import reference, signature


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs a container, and with which method; the message lists the certificate."""

    key: SignatureKey
    method: SignatureMethod = SignatureMethod.RSA_SHA256


@dataclass(frozen=True, slots=True)
class Content:
    """A Content element: `data` in place, a reference to a MIME part of that name, or a container inside."""

    id: str
    data: bytes = field(default=b"", repr=False)
    attachment: str | None = field(default=None, repr=False)
    inner: Container | None = None

    def xml(self, namespaces: str = "", inner: str = FIVE) -> str:
        """`inner` are the declarations a container inside repeats; none of them are left in canonical form."""
        if self.inner is not None:
            return element("osci:Content", self.inner.xml(inner), f'{namespaces} Id="{self.id}"')
        if self.attachment is None:
            return element(
                "osci:Content", element("osci:Base64Content", base64_lines(self.data), f' Id="{self.id}"'), namespaces
            )
        return element("osci:Content", "", f'{namespaces} Id="{self.id}" href="cid:{attribute(self.attachment)}"')

    def reference(self, digest: Digest) -> str:
        """What a signature says of it: decoded data, or the canonical element."""
        if self.inner is None and self.attachment is None:
            return reference(f"#{self.id}", self.data, digest=digest, transform=BASE64)
        return reference(f"#{self.id}", self.xml(FIVE, "").encode(), digest=digest, transform=C14N)


@dataclass(frozen=True, slots=True)
class Container:
    """A ContentContainer in the making.

    `attachments` are still readable, also those of containers inside; `keys` are their EncryptedData entries. `sealed`
    are encrypted containers inside.
    """

    id: str
    contents: tuple[Content, ...]
    attachments: tuple[Attachment, ...]
    signatures: tuple[str, ...] = field(default=(), repr=False)
    keys: tuple[str, ...] = field(default=(), repr=False)
    sealed: tuple[EncryptedContainer, ...] = ()

    def xml(self, namespaces: str = FIVE) -> str:
        contents = (content.xml("", namespaces) for content in self.contents)
        sealed = (container.xml("") for container in self.sealed)
        inside = "".join((*self.signatures, *contents, *sealed, *self.keys))
        return element("osci:ContentContainer", inside, f'{namespaces} Id="{self.id}"')


@dataclass(frozen=True, slots=True)
class EncryptedContainer:
    """An EncryptedData of the ContentPackage; the `wrapped` keys stand beside their readers' certificate Ids."""

    id: str
    cipher: Cipher
    wrapped: tuple[tuple[str, bytes], ...] = field(repr=False)
    ciphertext: bytes = field(repr=False)

    def xml(self, namespaces: str = FIVE) -> str:
        keys = "".join(
            encrypted_key(
                wrapped,
                key_info=element(
                    "ds:RetrievalMethod",
                    attributes=f' Type="http://www.w3.org/2000/09/xmldsig#X509Data" URI="#{certificate_id}"',
                ),
                transport=self.cipher.key_transport,
            )
            for certificate_id, wrapped in self.wrapped
        )
        inside = encryption_method(self.cipher) + element("ds:KeyInfo", keys) + cipher_value(self.ciphertext)
        return element("xenc:EncryptedData", inside, f'{namespaces} Id="{self.id}" MimeType="text/xml"')

    def reference(self, digest: Digest) -> str:
        """What a signature says of it: the element without the declarations of its start tag, as the library does it."""
        return reference(f"#{self.id}", self.xml("").encode(), digest=digest, transform=C14N)


def sign_container(
    container: Container, signers: Sequence[Signer], *, listed: CertificateList, signing_time: datetime | None = None
) -> Container:
    """The container with one signature of each signer over everything in it; ValueError if there is nothing in it."""
    if signers and not (container.contents or container.sealed):
        raise ValueError("an empty container cannot be signed")
    made = tuple(
        _author_signature(container, signer, listed=listed, signing_time=signing_time, number=number)
        for number, signer in enumerate(signers)
    )
    return replace(container, signatures=(*container.signatures, *made))


def pack(
    container: Container,
    *,
    readers: Sequence[x509.Certificate],
    cipher: Cipher | None,
    attachment_cipher: Cipher,
    listed: CertificateList,
    random: Random,
) -> Package:
    """Encrypts attachments and container for the readers; leaves both open if there is no cipher."""
    if cipher is None:
        return Package(container, tuple(_open_part(attachment) for attachment in container.attachments))
    encrypted, parts = seal_container(
        container,
        "encdata_0",
        readers=readers,
        cipher=cipher,
        attachment_cipher=attachment_cipher,
        listed=listed,
        random=random,
    )
    return Package(encrypted, parts)


def seal_container(
    container: Container,
    identifier: str,
    *,
    readers: Sequence[x509.Certificate],
    cipher: Cipher,
    attachment_cipher: Cipher,
    listed: CertificateList,
    random: Random,
) -> tuple[EncryptedContainer, tuple[WirePart, ...]]:
    """The container under a fresh key for the readers, and its attachments, each under a key that stands in it."""
    parts: list[WirePart] = []
    keys: list[str] = []
    for attachment in container.attachments:
        key = random(attachment_cipher.symmetric.key_bytes)
        data = enciphered(attachment.data, key=key, cipher=attachment_cipher, random=random)
        parts.append(WirePart(attachment.name, attachment.media_type, data, attachment.base64))
        keys.append(_attachment_key(attachment.name, key, attachment_cipher))
    complete = replace(container, attachments=(), keys=(*container.keys, *keys))
    key = random(cipher.symmetric.key_bytes)
    wrapped = tuple(
        (listed.cipher_id(reader), wrap(key, certificate=reader, transport=cipher.key_transport)) for reader in readers
    )
    ciphertext = encrypt(complete.xml().encode(), key=key, cipher=cipher, random=random)
    return EncryptedContainer(identifier, cipher, wrapped, ciphertext), tuple(parts)


def _author_signature(
    container: Container, signer: Signer, *, listed: CertificateList, signing_time: datetime | None, number: int
) -> str:
    digest = signer.method.digest
    references = [content.reference(digest) for content in container.contents]
    references += [sealed.reference(digest) for sealed in container.sealed]
    references += [reference(f"cid:{one.name}", one.data, digest=digest) for one in container.attachments]
    signed_properties = ""
    if signing_time is not None:
        stamp_id = f"{container.id}TS{number}"
        moment = element("xades:SigningTime", text(written(signing_time)))
        inside = element("xades:SignedSignatureProperties", moment)
        signed_properties = _qualifying(element("xades:SignedProperties", inside, f' Id="{stamp_id}"'))
        canonical = element("xades:SignedProperties", inside, f'{_FIVE_AND_XADES} Id="{stamp_id}"')
        references.append(reference(f"#{stamp_id}", canonical.encode(), digest=digest))
    return signature(
        references,
        method=signer.method,
        signer=signer.key,
        retrieval_id=listed.signature_id(signer.key.certificate),
        object_xml=signed_properties,
    )


_XADES = ' xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"'
_FIVE_AND_XADES = FIVE.replace(" xmlns:xenc=", f"{_XADES} xmlns:xenc=")


def _qualifying(signed_properties: str) -> str:
    return element("ds:Object", element("xades:QualifyingProperties", signed_properties, _XADES))


def _attachment_key(name: str, key: bytes, cipher: Cipher) -> str:
    return element(
        "xenc:EncryptedData",
        encryption_method(cipher)
        + element("ds:KeyInfo", element("ds:MgmtData", base64_lines(key)))
        + cipher_reference(f"cid:{attribute(name)}"),
        f' Id="Attachment{attribute(name)}" MimeType="text/xml"',
    )


def _open_part(attachment: Attachment) -> WirePart:
    return WirePart(attachment.name, attachment.media_type, attachment.data, attachment.base64)
