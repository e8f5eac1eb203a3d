"""Own contents for readers: what an author signs and encrypts, in containers of any nesting (§8 to §11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, count

from cryptography import x509

from intermediary.osci.write.algorithms import Cipher
from intermediary.osci.write.attachment import Attachment
from intermediary.osci.write.certificates import CertificateList
from intermediary.osci.write.content import (
    Container,
    Content,
    EncryptedContainer,
    Signer,
    seal_container,
    sign_container,
)
from intermediary.osci.write.mime import WirePart
from intermediary.osci.write.octets import Octets, Random
from intermediary.osci.write.package import Package, Several, Written

CHUNK = "ChunkBlobStoreDelivery"
"""The name under which a chunk travels (§16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """One content container: data, attachments, containers inside; who signs all of it, and who may read it.

    No `readers` leaves it open. Every signer signs everything that is in the container, also what stands in containers
    inside. Each reader's cipher certificate and each signer's signature certificate must be listed by the message
    (`list_certificates(readers=…, authors=…)`).
    """

    data: tuple[bytes, ...] = field(default=(), repr=False)
    attachments: tuple[Attachment, ...] = ()
    inside: tuple[Contents, ...] = ()
    signers: tuple[Signer, ...] = ()
    signing_time: datetime | None = None
    readers: tuple[x509.Certificate, ...] = ()
    cipher: Cipher = Cipher()  # noqa: RUF009  a constant
    attachment_cipher: Cipher = Cipher()  # noqa: RUF009  a constant


def pack_contents(*contents: Contents, certificates: CertificateList, random: Random) -> Package:
    """The content package of a message: each container signed, then encrypted if it has readers.

    `certificates` must be those of the message. ValueError for two attachments of one name or a signer whose key does not
    fit, LookupError for a certificate the message does not list.
    """
    packer = _Packer(certificates, random)
    sealed: list[EncryptedContainer] = []
    opened: list[Container] = []
    for one in contents:
        built = packer.build(one)
        if isinstance(built, EncryptedContainer):
            sealed.append(built)
        else:
            opened.append(built)
    parts = packer.parts + [
        WirePart(one.name, one.media_type, one.data, one.base64)
        for container in opened
        for one in container.attachments
    ]
    if len({part.name for part in parts}) != len(parts):
        raise ValueError("two attachments with the same name")
    members: tuple[Written, ...] = (*sealed, *opened)
    return Package(members[0] if len(members) == 1 else Several(members), tuple(parts))


def chunk_package(chunk: Octets) -> Package:
    """The package of a partial message: one container whose only content is the chunk, raw (§16)."""
    content = Content("ChunkContent", attachment=CHUNK)
    container = Container("ChunkContentContainer", (content,), ())
    return Package(container, (WirePart(CHUNK, "application/octet-stream", chunk),))


class _Packer:
    """Builds the containers of one message; Ids are counted through all of them."""

    def __init__(self, listed: CertificateList, random: Random) -> None:
        self._listed = listed
        self._random = random
        self._numbers = {name: count() for name in ("content", "contentcontainer", "encdata_")}
        self.parts: list[WirePart] = []

    def build(self, contents: Contents) -> Container | EncryptedContainer:
        inside = [self.build(one) for one in contents.inside]
        opened = [one for one in inside if isinstance(one, Container)]
        container = Container(
            self._next("contentcontainer"),
            tuple(self._items(contents, opened)),
            (*contents.attachments, *chain.from_iterable(one.attachments for one in opened)),
            sealed=tuple(one for one in inside if isinstance(one, EncryptedContainer)),
        )
        container = sign_container(container, contents.signers, listed=self._listed, signing_time=contents.signing_time)
        if not contents.readers:
            return container
        encrypted, parts = seal_container(
            container,
            self._next("encdata_"),
            readers=contents.readers,
            cipher=contents.cipher,
            attachment_cipher=contents.attachment_cipher,
            listed=self._listed,
            random=self._random,
        )
        self.parts += parts
        return encrypted

    def _items(self, contents: Contents, opened: list[Container]) -> Iterator[Content]:
        for data in contents.data:
            yield Content(self._next("content"), data)
        for attachment in contents.attachments:
            yield Content(self._next("content"), attachment=attachment.name)
        for container in opened:
            yield Content(self._next("content"), inner=container)

    def _next(self, name: str) -> str:
        return f"{name}{next(self._numbers[name])}"
