"""Reads the container of a message: one Message, any Attachments, each with what the sender says of it (digest §4)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.core.values import Content
from intermediary.keys.spool import Spool
from intermediary.unseal.xta.entity import Octets
from intermediary.unseal.xta.envelope import Envelope
from intermediary.unseal.xta.names import CONTAINER, MAX_CONTENT_BYTES, XENC, XTA
from intermediary.unseal.xta.reading import Children, broken, local, required
from intermediary.xml.parser import Element

CONTENT_CONTAINER = XTA + "ContentContainer"
ENCRYPTED = XENC + "EncryptedData"

_SIZE = re.compile(r"\+?0{0,99}[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Piece:
    """A Message or Attachment, decoded, and the sender's words about it: data for display, never a path or a promise.

    `size` is what the sender states (bytes as a rule), None where nothing.
    """

    content: Content
    content_type: str
    filename: str = field(default="", repr=False)
    encoding: str = ""
    id: str = field(default="", repr=False)
    lang: str = ""
    size: int | None = None
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ContentContainer:
    """What one message carries in the clear."""

    message: Piece
    attachments: tuple[Piece, ...] = ()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The message and all attachments, in order."""
        return (self.message, *self.attachments)

    @property
    def length(self) -> int:
        """Of all content together, in bytes: what the rule of 40 MB counts."""
        return sum(piece.content.length for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An EncryptedData in the place of the container, not opened; `octets` give what its CipherValues hold."""

    element: Element = field(repr=False)
    octets: Octets = field(repr=False)


def read_container(
    envelope: Envelope, spool: Spool, *, max_bytes: int = MAX_CONTENT_BYTES
) -> ContentContainer | Sealed:
    """What the GenericContentContainer in the body holds.

    Raises `Rejected`: `xta.structure`, `xta.reference`; `xta.too-large` for more than `max_bytes` of decoded content.
    """
    if envelope.body is None or envelope.kind != CONTAINER:
        raise broken("GenericContentContainer")
    octets = Octets(envelope.texts, envelope.parts, spool)
    children = Children(envelope.body)
    sealed = children.maybe(ENCRYPTED)
    if sealed is not None:
        children.end()
        return Sealed(sealed, octets)
    clear = children.one(CONTENT_CONTAINER)
    children.end()
    found = read_content_container(clear, octets, max_bytes=max_bytes)
    octets.check_all_used()
    return found


def read_content_container(element: Element, octets: Octets, *, max_bytes: int = MAX_CONTENT_BYTES) -> ContentContainer:
    """A ContentContainer element, in the clear or decrypted. Raises as `read_container`."""
    if element.tag != CONTENT_CONTAINER:
        raise broken("ContentContainer")
    children = Children(element)
    holders = (children.one(XTA + "Message"), *children.many(XTA + "Attachment"))
    children.end()
    pieces: list[Piece] = []
    left = max_bytes
    for holder in holders:
        piece = _piece(holder, octets)
        left -= piece.content.length
        if left < 0:
            raise Rejected("xta.too-large")
        pieces.append(piece)
    return ContentContainer(pieces[0], tuple(pieces[1:]))


def same_sha256(envelope: Envelope, spool: Spool) -> str:
    """What stays the same when the same container is sent or fetched again, in whatever form its octets travel.

    Raises as `read_container`.
    """
    digest = hashlib.sha256()
    for line in _lines(read_container(envelope, spool)):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _lines(container: ContentContainer | Sealed) -> Iterator[str]:
    if isinstance(container, Sealed):
        for value in container.element.iter(XENC + "CipherValue"):
            yield container.octets.of(value).sha256
        return
    for piece in container.pieces:
        said = (piece.content_type, piece.filename, piece.encoding, piece.id, piece.lang, piece.description)
        yield json.dumps([piece.content.sha256, *said])


def _piece(element: Element, octets: Octets) -> Piece:
    where = f"{local(str(element.tag))}/@size"
    size = element.get("size")
    if size is not None and _SIZE.fullmatch(size.strip(" \t\r\n")) is None:
        raise broken(where)
    return Piece(
        content=octets.of(element),
        content_type=required(element, "contentType"),
        filename=element.get("filename", ""),
        encoding=element.get("encoding", ""),
        id=element.get("id", ""),
        lang=element.get("lang", ""),
        size=None if size is None else int(size),
        description=element.get("contentDescription", ""),
    )
