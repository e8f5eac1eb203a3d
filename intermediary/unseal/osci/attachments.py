"""Attachments: MIME parts a content refers to, opened with the key its container carries (digest §10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.core.values import Content
from intermediary.keys.spool import Spool
from intermediary.unseal import cipher, xmlenc
from intermediary.unseal.encoding import from_base64
from intermediary.unseal.mime import MimePart
from intermediary.unseal.nodes import only, single, text
from intermediary.unseal.osci.names import DS
from intermediary.unseal.osci.progress import Progress
from intermediary.unseal.policy import Policy
from intermediary.unseal.xmlenc import Method
from intermediary.xml.parser import Element

_WHERE = "attachment"


@dataclass(frozen=True, slots=True)
class AttachmentKey:
    """The cipher and key of one attachment, from an EncryptedData entry of its container."""

    method: Method
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One opened attachment: plaintext, media type, whether it was encrypted, and where it was referred to first."""

    name: str = field(repr=False)
    content: Content
    media_type: str
    encrypted: bool
    place: str = field(repr=False)


def read_key(entry: Element, policy: Policy, progress: Progress) -> AttachmentKey:
    """The key in `KeyInfo/MgmtData`; the policy decides on the cipher before it is used."""
    method = xmlenc.read_method(entry, policy, _WHERE)
    progress.saw(method.uri)
    info = single(entry, DS + "KeyInfo")
    only(info, DS + "MgmtData")
    return AttachmentKey(method, from_base64(text(single(info, DS + "MgmtData")), where="MgmtData"))


class Attachments:
    """The MIME parts of one message and which have been opened. A name is compared literally, and never a path."""

    def __init__(self, parts: Mapping[str, MimePart], spool: Spool) -> None:
        self._parts = parts
        self._spool = spool
        self._opened: dict[str, Attachment] = {}
        self._keys: dict[str, AttachmentKey | None] = {}

    def open(self, name: str, key: AttachmentKey | None, place: str) -> Attachment:
        """The attachment, decrypted if its container has a key for it. Opened once; two keys for one are refused."""
        if name in self._opened:
            if self._keys[name] != key:
                raise Rejected("osci.reference", where=_WHERE)
            return self._opened[name]
        part = self._parts.get(name)
        if part is None:
            raise Rejected("osci.attachment.missing")
        content = part.content if key is None else self._plaintext(part.content, key)
        self._keys[name] = key
        self._opened[name] = Attachment(name, content, part.media_type, key is not None, place)
        return self._opened[name]

    def opened(self) -> tuple[Attachment, ...]:
        """All opened attachments in the order of their MIME parts."""
        return tuple(self._opened[name] for name in self._parts if name in self._opened)

    def check_all_referenced(self) -> None:
        """Every MIME part must have been referred to (digest §10)."""
        if self._parts.keys() != self._opened.keys():
            raise Rejected("osci.attachment.unreferenced")

    def _plaintext(self, octets: Content, key: AttachmentKey) -> Content:
        method = key.method
        try:
            return cipher.decrypt_content(octets, key.key, method.cipher, method.iv_bytes, self._spool)
        except cipher.Undecryptable:
            raise Rejected("osci.content.undecryptable", where=_WHERE) from None
