"""A content container as read: its items, the attachment keys it carries, and what its signatures may point to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from intermediary.core.values import Content
from intermediary.keys.spool import Spool
from intermediary.unseal import xmlenc
from intermediary.unseal.nodes import attribute, broken, children, only, optional
from intermediary.unseal.osci.attachments import Attachment
from intermediary.unseal.osci.names import DS, OSCI
from intermediary.xml.long import LongTexts
from intermediary.xml.parser import Element

CONTAINER = OSCI + "ContentContainer"
CONTENT = OSCI + "Content"
BASE64_CONTENT = OSCI + "Base64Content"
SIGNATURE = DS + "Signature"


@dataclass(frozen=True, slots=True)
class Data:
    """A data content: the element that holds it and its decoded octets as content, taken from there once.

    `position` is where its part stands among the contents of the message.
    """

    identifier: str
    position: int
    element: Element = field(repr=False)
    content: Content


@dataclass(frozen=True, slots=True)
class Linked:
    """A content that refers to an attachment."""

    identifier: str
    element: Element = field(repr=False)
    attachment: Attachment = field(repr=False)


@dataclass(frozen=True, slots=True)
class Nested:
    """A content that holds another container."""

    identifier: str
    element: Element = field(repr=False)
    container: Container = field(repr=False)


@dataclass(frozen=True, slots=True)
class Container:
    """One container: signatures, items and encrypted parts in document order; `place` is its path in the tree.

    `texts` are the long texts of its document.
    """

    place: str
    signatures: tuple[Element, ...] = field(repr=False)
    items: tuple[Data | Linked | Nested, ...] = field(repr=False)
    encrypted: tuple[Element, ...] = field(repr=False)
    keys: tuple[Element, ...] = field(repr=False)
    texts: LongTexts = field(repr=False)

    def attachments(self) -> Iterator[Attachment]:
        """The attachments its contents refer to, nested containers included."""
        for item in self.items:
            if isinstance(item, Linked):
                yield item.attachment
            elif isinstance(item, Nested):
                yield from item.container.attachments()


def check_container(element: Element) -> None:
    """A container holds signatures, contents and encrypted data, and nothing else."""
    if element.tag != CONTAINER:
        raise broken("ContentContainer")
    only(element, SIGNATURE, CONTENT, xmlenc.ENCRYPTED_DATA)


def split_encrypted(element: Element) -> tuple[tuple[Element, ...], tuple[Element, ...]]:
    """The EncryptedData with octets inside, and those that are entries for attachments (told by CipherReference)."""
    found = children(element, xmlenc.ENCRYPTED_DATA)
    entries = tuple(one for one in found if xmlenc.cipher_reference(one) is not None)
    return tuple(one for one in found if one not in entries), entries


def href(content: Element) -> str | None:
    """The attachment's name if a content refers to one; only `cid:` is a reference."""
    value = content.get("href")
    if value is None:
        return None
    if len(content) or not value.startswith("cid:") or len(value) == 4:
        raise broken("Content/@href")
    return value[4:]


def data(content: Element, position: int, texts: LongTexts, spool: Spool) -> Data | None:
    """The data in a content, to become the part at this position; None if the content holds something else."""
    holder = optional(content, BASE64_CONTENT)
    if holder is None:
        return None
    only(content, BASE64_CONTENT)
    return Data(attribute(holder, "Id"), position, holder, xmlenc.base64_octets(holder, texts, spool))


def nested(content: Element) -> Element:
    """The container a content holds."""
    only(content, CONTAINER)
    if len(content) != 1:
        raise broken("Content")
    return content[0]
