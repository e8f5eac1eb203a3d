"""A forger of content packages: writes anything into a message, and owns signed containers but no author's key."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from intermediary.core.values import MemoryContent, Opened
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.osci.write import (
    Attachment,
    CertificateList,
    Cipher,
    Letter,
    Package,
    Parties,
    SignatureMethod,
    Signer,
    seal,
)
from intermediary.osci.write.algorithms import C14N, Digest
from intermediary.osci.write.content import Container, Content, EncryptedContainer, pack, sign_container
from intermediary.osci.write.encryption import encrypt, wrap
from intermediary.osci.write.markup import FIVE, element
from intermediary.osci.write.seal import Interference, certificates_of
from intermediary.osci.write.signature import reference, signature
from intermediary.testing.pki import Pki
from intermediary.unseal import profile, unseal
from intermediary.unseal.formats import OSCI_TYPE

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
CIPHER = Cipher()
PSS = SignatureMethod.PSS_SHA256


@dataclass(frozen=True)
class Several:
    """What stands in a ContentPackage, one after the other."""

    members: tuple[Container | EncryptedContainer | Loose, ...]

    def xml(self, namespaces: str = FIVE) -> str:
        return "".join(member.xml(namespaces) for member in self.members)


@dataclass(frozen=True)
class Loose:
    """Something with its own Id taken away."""

    of: Container | EncryptedContainer | Holder

    def xml(self, namespaces: str = FIVE) -> str:
        return self.of.xml(namespaces).replace(f' Id="{self.of.id}"', "", 1)


@dataclass(frozen=True)
class Holder:
    """A Content that holds a container; it is signed as an element."""

    id: str
    inner: Container | Loose

    def xml(self, namespaces: str = "", _inherited: str = "") -> str:
        return element("osci:Content", self.inner.xml(""), f'{namespaces} Id="{self.id}"')

    def reference(self, digest: Digest) -> str:
        return reference(f"#{self.id}", self.xml(FIVE).encode(), digest=digest, transform=C14N)


@dataclass(frozen=True)
class Written:
    """A content package of the forger's making, in the place of the letter's own."""

    container: Several | Container | EncryptedContainer
    package: Package

    def instead(self) -> Package:
        """What the writer goes on with: transport signature and encryption are made over it."""
        return Package(self.container, self.package.parts)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Forger:
    """Builds containers for one letter; what `sign` gives, the letter's first author once signed herself."""

    letter: Letter
    parties: Parties

    @property
    def _listed(self) -> CertificateList:
        return certificates_of(self.letter, self.parties)

    def sign(self, container: Container, *, author: int = 0) -> Container:
        """The container with this author's signature over everything it holds."""
        return sign_container(container, [Signer(self.parties.authors[author].key, PSS)], listed=self._listed)

    def sign_ciphertext(self, sealed: Package) -> Container:
        """A container with nothing but an encrypted part, signed by the first author."""
        assert isinstance(sealed.container, EncryptedContainer)
        author = self.parties.authors[0]
        digest = reference(
            f"#{sealed.container.id}", sealed.container.xml(FIVE).encode(), digest=PSS.digest, transform=C14N
        )
        made = signature(
            [digest], method=PSS, signer=author.key, retrieval_id=self._listed.signature_id(author.certificate)
        )
        return Container("outer", (), (), (made,), (sealed.container.xml(""),))

    def pack(self, container: Container, *attachments: Attachment) -> Package:
        """The container with the attachments it refers to, encrypted for the readers if the letter is."""
        whole = replace(container, attachments=attachments)
        draw = random.Random(container.id).randbytes
        return pack(
            whole,
            readers=[reader.certificate for reader in self.parties.readers],
            cipher=self.letter.content_cipher,
            attachment_cipher=self.letter.attachment_cipher,
            listed=self._listed,
            random=draw,
        )

    def encrypt(self, container: Container | Loose) -> EncryptedContainer:
        """The container, with or without an Id, encrypted for the readers."""
        key = random.Random(3).randbytes(CIPHER.symmetric.key_bytes)
        wrapped = tuple(
            (
                self._listed.cipher_id(reader.certificate),
                wrap(key, certificate=reader.certificate, transport=CIPHER.key_transport),
            )
            for reader in self.parties.readers
        )
        octets = encrypt(container.xml().encode(), key=key, cipher=CIPHER, random=random.Random(4).randbytes)
        return EncryptedContainer("encdata_0", CIPHER, wrapped, octets)


def box(name: str, *contents: Content | Holder) -> Container:
    """An unsigned container."""
    return Container(name, contents, ())  # type: ignore[arg-type]


_POLICY = replace(profile("osci"), max_key_operations=100)


def delivered(written: Written, letter: Letter, pki: Pki, parties: Parties, require: tuple[str, ...] = ()) -> Opened:
    """The package in a message with a good transport signature, through unseal with the receiver's keyring."""
    package = written.instead()
    message = seal(
        letter,
        parties=parties,
        random=random.Random(2).randbytes,
        now=NOW,
        interference=Interference(after_content_encryption=lambda _own: package),
    )
    own = [pki.members[name] for name in ("recipient-cipher", "reader-cipher")]
    anchor = Anchor(pki.ca, frozenset({"transport", "content"}))
    keyring = Keyring([DecryptionKey(one.private, one.certificate) for one in own], [anchor], require=require)
    return unseal(MemoryContent(message), content_type=OSCI_TYPE, keyring=keyring, policy=_POLICY, at=NOW)
