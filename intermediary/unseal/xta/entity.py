"""What travels in an HTTP body: a bare SOAP envelope, or one with the octets of its contents beside it (MTOM, XOP).

What is kept of a message is the body exactly as received; before a multipart one stand the headers that make it a MIME
entity of its own (`entity_head`), so that it can be read again without its HTTP request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote

from intermediary.core.faults import Rejected
from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spool import Spool
from intermediary.unseal import mime
from intermediary.unseal.encoding import decode_base64, from_base64
from intermediary.unseal.xta.envelope import Envelope, read_envelope
from intermediary.unseal.xta.names import MAX_ENTITY_BYTES, XENC, XOP, XTA
from intermediary.unseal.xta.reading import local, text
from intermediary.xml.long import Document, LongTexts, read_document
from intermediary.xml.parser import DEFAULT, Element, parse

SOAP_TYPE = "application/soap+xml"
XOP_TYPE = "application/xop+xml"
MULTIPART = "multipart/related"

LIMITS = replace(
    DEFAULT,
    max_bytes=MAX_ENTITY_BYTES,
    base64_elements=frozenset(
        {XENC + "CipherValue", *(XTA + name for name in ("Message", "Attachment", "Resource", "Data"))}
    ),
)
"""Of one document of XTA: only what is Base64 by its schema may have a long text."""

_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def entity_head(content_type: str) -> bytes:
    """What to keep in front of an HTTP body with this Content-Type, before the first of its bytes; nothing for bare XML.

    Raises `Rejected`: `xta.content-type` for a type that holds no SOAP 1.2, `xml.encoding` for another charset than UTF-8.
    """
    if _FORBIDDEN.search(content_type):
        raise Rejected("xta.content-type")
    kind, parameters = mime.structured(content_type, "content type")
    if kind == MULTIPART:
        # Bare type or one with parameters of its own: the part itself is looked at when it is read.
        if not parameters.get("type", XOP_TYPE).lower().startswith((XOP_TYPE, SOAP_TYPE)):
            raise Rejected("xta.content-type")
        return b"MIME-Version: 1.0\r\nContent-Type: %b\r\n\r\n" % content_type.encode()
    if kind != SOAP_TYPE:
        raise Rejected("xta.content-type")
    _check_charset(parameters)
    return b""


def read_entity(entity: Content, spool: Spool | None = None) -> Envelope:
    """The envelope in a kept body. `entity` must never change; what is decoded goes to the spool, or to memory.

    Raises `Rejected`: as `mime.read`, as `parse`, as `read_envelope`, and `xta.content-type` for a root of another type.
    """
    spool = spool or Spool(None)
    if is_bare(entity):
        document = read_xta_xml(entity, spool)
        return read_envelope(document.root, document.texts)
    message = mime.read(entity, spool=spool)
    root = message.root
    if root.media_type not in (XOP_TYPE, SOAP_TYPE):
        raise Rejected("xta.content-type", where="root")
    _check_charset(root.parameters)
    document = read_xta_xml(root.content, spool)
    return read_envelope(document.root, document.texts, {part.content_id: part.content for part in message.others})


def is_bare(entity: Content) -> bool:
    """Whether the body is XML without a MIME frame around it."""
    with entity.open() as stream:
        return begins_as_xml(stream.read(_LOOK_BYTES))


def begins_as_xml(head: bytes) -> bool:
    """The same for its first bytes."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"<")


class Octets:
    """The octets that elements of one document hold: as Base64 text, or in a MIME part that an Include names.

    `parts` are the MIME parts by Content-ID. Every part may be named once, and at the end each must have been.
    """

    def __init__(self, texts: LongTexts, parts: Mapping[str, Content], spool: Spool) -> None:
        self._texts = texts
        self._parts = parts
        self._spool = spool
        self._used: set[str] = set()

    def of(self, holder: Element) -> Content:
        """What this element holds, decoded. `Rejected`: `xta.reference`, `xta.structure`."""
        if len(holder):
            return self._included(holder)
        where = local(str(holder.tag))
        long = self._texts.of(holder)
        if long is None:
            return MemoryContent(from_base64(text(holder), code="xta.structure", where=where))
        return decode_base64(long.pieces(), self._spool, code="xta.structure", where=where)

    def check_all_used(self) -> None:
        """A part that nothing names would be content that nobody sees: `Rejected("xta.reference")`."""
        if self._used != self._parts.keys():
            raise Rejected("xta.reference", where="MIME part")

    def _included(self, holder: Element) -> Content:
        include = holder[0]
        where = local(str(holder.tag))
        beside = f"{holder.text or ''}{include.tail or ''}"
        if len(holder) != 1 or include.tag != XOP + "Include" or len(include) or beside.strip(" \t\r\n"):
            raise Rejected("xta.structure", where=where)
        name = self._name(include.get("href", ""), where)
        if name in self._used:
            raise Rejected("xta.reference", where=where)
        self._used.add(name)
        return self._parts[name]

    def _name(self, href: str, where: str) -> str:
        """The part a `cid:` names: percent-decoded once (RFC 2392), or as it stands; two candidates are refused."""
        if href[:4].lower() != "cid:":
            raise Rejected("xta.reference", where=where)
        found = {name for name in (href[4:], unquote(href[4:])) if name in self._parts}
        if len(found) != 1:
            raise Rejected("xta.reference", where=where)
        return found.pop()


_LOOK_BYTES = 64


def read_xta_xml(content: Content, spool: Spool) -> Document:
    """One document of XTA; in one that is not small, long Base64 texts stay outside of its tree. Raises as `parse`."""
    if content.length > MAX_ENTITY_BYTES:
        raise Rejected("xml.limit", where="bytes")
    if spool.is_small(content.length):
        return Document(parse(content, limits=LIMITS, refuse_instructions=True))
    return read_document(content, long_text=spool.memory_bytes // 4, limits=LIMITS, refuse_instructions=True)


def _check_charset(parameters: Mapping[str, str]) -> None:
    if parameters.get("charset", "utf-8").lower() != "utf-8":
        raise Rejected("xml.encoding", where="charset")
