"""The XML documents of a message: the SOAP part, and each decrypted container as one of its own."""

from __future__ import annotations

from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spool import Spool
from intermediary.keys.spooled import SpooledContent
from intermediary.xml.long import Document, read_document
from intermediary.xml.parser import parse


def unchanging(raw: Content, spool: Spool) -> Content:
    """The same, held so that it cannot change between two readings (threat T27)."""
    if isinstance(raw, MemoryContent | SpooledContent):
        return raw
    if spool.is_small(raw.length):
        return MemoryContent(raw.read())
    with raw.open() as stream:
        return spool.copy(stream, max_bytes=raw.length)


def read_xml(content: Content, spool: Spool) -> Document:
    """Parses a document of SOAP; in one that is not small, Base64 texts of more than a quarter of that stay outside.

    `content` must never change. Raises `Rejected` as `parse`; instructions are refused.
    """
    if spool.is_small(content.length):
        return Document(parse(content, refuse_instructions=True))
    return read_document(content, long_text=spool.memory_bytes // 4, refuse_instructions=True)
