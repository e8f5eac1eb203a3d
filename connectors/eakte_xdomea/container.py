"""Finds the message in an answer file: the file itself, or the one XML document of an xdomea ZIP."""

from __future__ import annotations

import io
import zipfile
import zlib

MOST_BYTES = 4 * 1024 * 1024
_MOST_FILES = 200
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")


class Unreadable(Exception):
    """A file that is no answer we understand; its text names the reason, never the content."""


def message_of(data: bytes) -> bytes:
    """The XML document of an answer file; raises `Unreadable` when there is not exactly one of a sane size."""
    if not data.startswith(_ZIP_STARTS):
        return data
    try:
        return _unpacked(data)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as damage:
        raise Unreadable("zip") from damage


def _unpacked(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > _MOST_FILES:
            raise Unreadable("files")
        messages = [entry for entry in entries if entry.filename.lower().endswith(".xml")]
        if len(messages) != 1 or messages[0].compress_type not in _METHODS:
            raise Unreadable("messages")
        with archive.open(messages[0]) as stream:
            message = stream.read(MOST_BYTES + 1)
    if len(message) > MOST_BYTES:
        raise Unreadable("bytes")
    return message
