"""The content container: data, attachment references, authors' signatures, encryption for the readers (§8 to §11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from intermediary.osci.write.algorithms import BASE64, C14N, Cipher, Digest, SignatureMethod
from intermediary.osci.write.certificates import CertificateList
from intermediary.osci.write.encryption import (
    cipher_reference,
    cipher_value,
    encrypt,
    encrypted_key,
    encryption_method,
    wrap,
)
from intermediary.osci.write.letter import Attachment, Identity, Letter, Parties, Random
from intermediary.osci.write.markup import FIVE, attribute, base64_lines, element, text
from intermediary.osci.write.mime import WirePart
from intermediary.osci.write.signature import reference, signature


@dataclass(frozen=True, slots=True)
class Content:
    """A Content element: `data` in place, or with `attachment` a reference to a MIME part of that name."""

    id: str
    data: bytes = field(default=b"", repr=False)
    attachment: str | None = field(default=None, repr=False)

    def xml(self, namespaces: str = "") -> str:
        if self.attachment is None:
            return element(
                "osci:Content", element("osci:Base64Content", base64_lines(self.data), f' Id="{self.id}"'), namespaces
            )
        return element("osci:Content", "", f'{namespaces} Id="{self.id}" href="cid:{attribute(self.attachment)}"')


@dataclass(frozen=True, slots=True)
class Container:
    """A ContentContainer in the making; `attachments` are still readable, `keys` are their EncryptedData entries."""

    id: str
    contents: tuple[Content, ...]
    attachments: tuple[Attachment, ...]
    signatures: tuple[str, ...] = field(default=(), repr=False)
    keys: tuple[str, ...] = field(default=(), repr=False)

    def xml(self, namespaces: str = FIVE) -> str:
        inside = [*self.signatures, *(content.xml() for content in self.contents), *self.keys]
        return element("osci:ContentContainer", "".join(inside), f'{namespaces} Id="{self.id}"')


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


@dataclass(frozen=True, slots=True)
class Package:
    """What body and MIME parts will carry: the container, open or encrypted, and the attachments' wire bytes."""

    container: Container | EncryptedContainer
    parts: tuple[WirePart, ...]

    def xml(self, namespaces: str = FIVE) -> str:
        """The ContentPackage; without `namespaces` in the form it has inside a canonical body."""
        return element("osci:ContentPackage", self.container.xml(namespaces))


def container_of(letter: Letter) -> Container:
    """The container before anything is signed: data first, then a reference for each attachment."""
    data = [Content(f"content{number}", data) for number, data in enumerate(letter.contents)]
    references = [
        Content(f"content{number}", attachment=attachment.name)
        for number, attachment in enumerate(letter.attachments, start=len(data))
    ]
    return Container("contentcontainer0", (*data, *references), letter.attachments)


def sign_container(container: Container, *, letter: Letter, parties: Parties, listed: CertificateList) -> Container:
    """Adds one signature per method of the letter, each by the next author and over everything in the container."""
    if len(letter.content_signatures) > len(parties.authors):
        raise ValueError("more content signatures than authors")
    signatures = tuple(
        _author_signature(container, method=method, author=author, letter=letter, listed=listed, number=number)
        for number, (method, author) in enumerate(zip(letter.content_signatures, parties.authors, strict=False))
    )
    return Container(container.id, container.contents, container.attachments, signatures)


def pack(container: Container, *, letter: Letter, parties: Parties, listed: CertificateList, random: Random) -> Package:
    """Encrypts attachments and container for the readers; leaves both open if the letter has no content cipher."""
    cipher = letter.content_cipher
    if cipher is None:
        return Package(container, tuple(_open_part(attachment) for attachment in container.attachments))
    parts: list[WirePart] = []
    keys: list[str] = []
    for attachment in container.attachments:
        key = random(letter.attachment_cipher.symmetric.key_bytes)
        data = encrypt(attachment.data, key=key, cipher=letter.attachment_cipher, random=random)
        parts.append(WirePart(attachment.name, attachment.media_type, data, attachment.base64))
        keys.append(_attachment_key(attachment.name, key, letter.attachment_cipher))
    complete = Container(container.id, container.contents, (), container.signatures, (*container.keys, *keys))
    return Package(_encrypted(complete, cipher=cipher, parties=parties, listed=listed, random=random), tuple(parts))


def _encrypted(
    container: Container, *, cipher: Cipher, parties: Parties, listed: CertificateList, random: Random
) -> EncryptedContainer:
    key = random(cipher.symmetric.key_bytes)
    wrapped = tuple(
        (
            listed.cipher_id(reader.certificate),
            wrap(key, certificate=reader.certificate, transport=cipher.key_transport),
        )
        for reader in parties.readers
    )
    ciphertext = encrypt(container.xml().encode(), key=key, cipher=cipher, random=random)
    return EncryptedContainer("encdata_0", cipher, wrapped, ciphertext)


def _author_signature(
    container: Container,
    *,
    method: SignatureMethod,
    author: Identity,
    letter: Letter,
    listed: CertificateList,
    number: int,
) -> str:
    references = content_references(container.contents, container.attachments, digest=method.digest)
    signed_properties = ""
    if letter.signing_time is not None:
        stamp_id = f"{container.id}TS{number}"
        moment = element("xades:SigningTime", text(letter.signing_time.isoformat(timespec="seconds")))
        inside = element("xades:SignedSignatureProperties", moment)
        signed_properties = _qualifying(element("xades:SignedProperties", inside, f' Id="{stamp_id}"'))
        canonical = element("xades:SignedProperties", inside, f'{_FIVE_AND_XADES} Id="{stamp_id}"')
        references.append(reference(f"#{stamp_id}", canonical.encode(), digest=method.digest))
    return signature(
        references,
        method=method,
        signer=author,
        retrieval_id=listed.signature_id(author.certificate),
        object_xml=signed_properties,
    )


def content_references(contents: Sequence[Content], attachments: Sequence[Attachment], *, digest: Digest) -> list[str]:
    """References to everything in the container: data decoded, reference elements canonical, attachments readable."""
    references = [
        reference(f"#{content.id}", content.data, digest=digest, transform=BASE64)
        if content.attachment is None
        else reference(f"#{content.id}", content.xml(FIVE).encode(), digest=digest, transform=C14N)
        for content in contents
    ]
    references += [reference(f"cid:{attachment.name}", attachment.data, digest=digest) for attachment in attachments]
    return references


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
