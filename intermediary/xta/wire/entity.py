"""Writes what travels in an HTTP body: the envelope alone, or with its contents as MIME parts beside it (MTOM, XOP)."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import pybase64

from intermediary.core.joined import JoinedContent
from intermediary.core.values import Content
from intermediary.unseal.xta.container import ContentContainer, Piece
from intermediary.unseal.xta.entity import SOAP_TYPE, XOP_TYPE
from intermediary.unseal.xta.envelope import Addressing
from intermediary.unseal.xta.names import ANONYMOUS
from intermediary.xml.markup import attribute, element
from intermediary.xta.wire.markup import DECLARATIONS, leaf, leaf_if, said

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Random = Callable[[int], bytes]
"""Gives that many random bytes; `secrets.token_bytes` outside of tests."""


@dataclass(frozen=True, slots=True)
class Entity:
    """An HTTP body and its Content-Type; the content reads what it carries each time it is opened."""

    content_type: str
    content: Content = field(repr=False)


@dataclass(frozen=True, slots=True)
class SealedXml:
    """An EncryptedData as XML, to travel in the place of a container; declares its prefixes itself or uses ours."""

    xml: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """A SOAP message to write: header blocks and body as XML, or a container in the body."""

    addressing: Addressing
    headers: tuple[str, ...] = field(default=(), repr=False)
    body: str = field(default="", repr=False)
    container: ContentContainer | SealedXml | None = field(default=None, repr=False)


def write_entity(message: OutgoingMessage, *, random: Random, mtom: bool = True) -> Entity:
    """The message as an HTTP body. With `mtom` the contents of a container travel as they are, beside the envelope.

    Nothing is held that is not small; contents must not change. ValueError for a character XML cannot carry.
    """
    token = b64encode(random(18), altchars=b"-_").decode()
    pieces, parts = _body(message, token if mtom else "")
    start, end = _frame(message)
    envelope = (start.encode(), *pieces, end.encode())
    action = said(action=message.addressing.action).strip()
    if not parts:
        return Entity(f"{SOAP_TYPE}; charset=utf-8; {action}", JoinedContent(envelope))
    boundary = f"xta-{token}"
    root = f"envelope-{token}@xta"
    content_type = (
        f'multipart/related; type="{XOP_TYPE}"; boundary="{boundary}"; start="<{root}>"; '
        f'start-info="{SOAP_TYPE}"; {action}'
    )
    root_type = f'{XOP_TYPE}; charset=UTF-8; type="{SOAP_TYPE}"'
    first = f"--{boundary}\r\n{_part(root_type, root)}"
    content: list[bytes | Content] = [first.encode(), *envelope]
    for name, part in parts:
        content += [f"\r\n--{boundary}\r\n{_part('application/octet-stream', name)}".encode(), part]
    content.append(f"\r\n--{boundary}--\r\n".encode())
    return Entity(content_type, JoinedContent(content))


def _frame(message: OutgoingMessage) -> tuple[str, str]:
    """What stands before and after the inside of the body."""
    addressing = message.addressing
    header = (
        leaf("wsa:Action", addressing.action)
        + leaf_if("wsa:To", addressing.to)
        + leaf_if("wsa:MessageID", addressing.message_id)
        + leaf_if("wsa:RelatesTo", addressing.relates_to)
        + (element("wsa:ReplyTo", leaf("wsa:Address", addressing.reply_to)) if addressing.reply_to else "")
        + "".join(message.headers)
    )
    start = f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope{DECLARATIONS}>' + element("s:Header", header)
    return start + "<s:Body>", "</s:Body></s:Envelope>"


def _body(message: OutgoingMessage, token: str) -> tuple[list[bytes | Content], list[tuple[str, Content]]]:
    """The inside of the body, and the parts beside it; without a token everything is inside."""
    container = message.container
    if container is None:
        return [message.body.encode()], []
    if isinstance(container, SealedXml):
        return [element("xta:GenericContentContainer", container.xml).encode()], []
    inside: list[bytes | Content] = [b"<xta:GenericContentContainer><xta:ContentContainer>"]
    parts: list[tuple[str, Content]] = []
    for number, piece in enumerate(container.pieces):
        name = "Attachment" if number else "Message"
        inside.append(f"<xta:{name}{_said_of(piece)}>".encode())
        if token:
            part = f"{number}-{token}@xta"
            parts.append((part, piece.content))
            inside.append(f'<xop:Include href="cid:{part}"></xop:Include>'.encode())
        else:
            inside.append(Base64Text(piece.content))
        inside.append(f"</xta:{name}>".encode())
    inside.append(b"</xta:ContentContainer></xta:GenericContentContainer>")
    return inside, parts


def _said_of(piece: Piece) -> str:
    return said(
        contentDescription=piece.description,
        contentType=piece.content_type,
        encoding=piece.encoding,
        filename=piece.filename,
        id=piece.id,
        lang=piece.lang,
        size="" if piece.size is None else str(piece.size),
    )


def _part(content_type: str, name: str) -> str:
    return (
        f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{attribute(name)}>\r\n\r\n"
    )


class Base64Text:
    """Content as its Base64 text, without line ends, made while it is read."""

    __slots__ = ("_content",)

    def __init__(self, content: Content) -> None:
        self._content = content

    @property
    def length(self) -> int:
        return (self._content.length + 2) // 3 * 4

    @property
    def sha256(self) -> str:
        return JoinedContent([self]).sha256

    def open(self) -> BinaryIO:
        return io.BufferedReader(_Encoding(self._content.open()), _CHUNK_BYTES)

    def read(self) -> bytes:
        with self.open() as stream:
            return stream.read()

    def __repr__(self) -> str:
        return f"<content of {self.length} bytes>"


_CHUNK_BYTES = 3 * 64 * 1024


class _Encoding(io.RawIOBase):
    """A stream of octets as a stream of Base64 text."""

    def __init__(self, octets: BinaryIO) -> None:
        super().__init__()
        self._octets = octets
        self._text = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        target = memoryview(buffer).cast("B")
        if not self._text:
            self._text = memoryview(pybase64.b64encode(self._whole_groups()))
        count = min(len(target), len(self._text))
        target[:count] = self._text[:count]
        self._text = self._text[count:]
        return count

    def close(self) -> None:
        self._octets.close()
        super().close()

    def _whole_groups(self) -> bytes:
        """A multiple of three octets, fewer only at the end."""
        found = b""
        while len(found) < _CHUNK_BYTES and (more := self._octets.read(_CHUNK_BYTES - len(found))):
            found += more
        return found


def request_addressing(*, action: str, to: str, message_id: str) -> Addressing:
    """Of a request: the answer comes on the same connection (anonymous). `message_id` is that of the SOAP message."""
    return Addressing(action, to, message_id, "", ANONYMOUS)


def answer_addressing(request: Addressing | None, *, action: str, message_id: str) -> Addressing:
    """Of the answer to a request."""
    relates_to = "" if request is None else request.message_id
    return Addressing(action, ANONYMOUS, message_id, relates_to)
