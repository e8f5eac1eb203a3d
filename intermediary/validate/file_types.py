"""Telling what a file is by its first bytes; small on purpose, and without a library that reads hostile files in C."""

from __future__ import annotations

import re
from types import MappingProxyType

from intermediary.core.section import View
from intermediary.core.values import Content

UNKNOWN = "application/octet-stream"
ZIP = "application/zip"
XML = "application/xml"
TEXT = "text/plain"
HTML = "text/html"
OLE = "application/x-ole-storage"
PROGRAM = "application/x-executable"
ARCHIVES = frozenset(
    {ZIP, "application/gzip", "application/x-7z-compressed", "application/vnd.rar", "application/x-bzip2",
     "application/x-xz", "application/x-tar", "application/zstd", "application/vnd.ms-cab-compressed"}
)  # fmt: skip
_HEAD = 4096
_TAIL = 66_000
_STARTS = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),
    (b"MM\x00+", "image/tiff"),
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"MSCF\x00\x00\x00\x00", "application/vnd.ms-cab-compressed"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"{\\rtf", "application/rtf"),
    (b"\x7fELF", PROGRAM),
    (b"MZ", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"#!", PROGRAM),
)
_OFFICE = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|script)[\s>]", re.IGNORECASE | re.DOTALL)
_XML = re.compile(rb"\s*(?:<\?xml\s|<!--|<[A-Za-z_][^<>]{0,4000}>)")
_ISO_MEDIA = MappingProxyType(
    {
        b"heic": "image/heic",
        b"heix": "image/heic",
        b"mif1": "image/heic",
        b"avif": "image/avif",
        b"qt  ": "video/quicktime",
    }
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_SAME = MappingProxyType(
    {
        "image/jpg": "image/jpeg",
        "image/pjpeg": "image/jpeg",
        "image/heif": "image/heic",
        "image/tif": "image/tiff",
        "text/xml": XML,
        "text/rtf": "application/rtf",
        "application/x-pdf": "application/pdf",
        "application/x-zip-compressed": ZIP,
        "application/x-gzip": "application/gzip",
        "application/x-rar-compressed": "application/vnd.rar",
    }
)
_OLE_TYPES = frozenset(
    {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.ms-outlook"}
)
_TEXTUAL = frozenset({"application/json", "application/javascript", "application/x-ndjson", "application/sql"})


def declared_type(media_type: str) -> str:
    """What a sender declared, without parameters, in small letters, under its usual name."""
    name = media_type.partition(";")[0].strip().lower()
    return _SAME.get(name, name)


def told_type(content: Content) -> str:
    """The media type that the bytes speak of; `UNKNOWN` where they do not say."""
    view = View(content)
    head = view.slice(0, _HEAD)
    for start, media_type in _STARTS:
        if head.startswith(start):
            return _in_zip(view, head) if media_type == ZIP else media_type
    if b"%PDF-" in head[:1024]:
        return "application/pdf"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _ISO_MEDIA.get(head[8:12], "video/mp4")
    if head[:2] == b"BM" and int.from_bytes(head[2:6], "little") == content.length:
        return "image/bmp"
    if head[257:262] == b"ustar":
        return "application/x-tar"
    return _textual(head)


def agrees(declared: str, told: str) -> bool:
    """Whether what was declared and what the bytes say can be one thing.

    A declaration that says nothing (`application/octet-stream`, none) agrees with everything but a program. A type nobody
    here knows agrees with whatever is no program, archive, script or page.
    """
    if declared == told:
        return True
    if told == PROGRAM:
        return declared in (PROGRAM, "application/x-msdownload", "text/x-shellscript", "application/x-sh")
    if declared in ("", UNKNOWN):
        return True
    if declared == XML or declared.endswith("+xml"):
        return told == XML or (told == HTML and declared == "application/xhtml+xml")
    if declared == HTML:
        return told in (XML, TEXT)
    if declared.startswith("text/") or declared in _TEXTUAL or declared.endswith("+json"):
        return told == TEXT or (told == XML and declared not in (TEXT, "text/csv"))
    if declared == ZIP or declared.endswith("+zip"):
        return told in (ZIP, *(media_type for _, media_type in _OFFICE)) or told.startswith("application/vnd.oasis.")
    if declared in _OLE_TYPES:
        return told == OLE
    is_known = declared in {media_type for _, media_type in (*_STARTS, *_OFFICE)} or declared in _ISO_MEDIA.values()
    return not is_known and told not in ARCHIVES and told != HTML


def _in_zip(view: View, head: bytes) -> str:
    """Office documents are ZIP files: told by the names inside, which stand in the clear at both ends."""
    if head[30:38] == b"mimetype":
        found = re.match(rb"application/[a-z0-9.+-]+", head[38:138])
        return found[0].decode() if found else ZIP
    names = head + view.slice(max(0, view.length - _TAIL), view.length)
    if b"[Content_Types].xml" in names:
        for folder, media_type in _OFFICE:
            if folder in names:
                return media_type
    return ZIP


def _textual(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = text.decode("utf-16", "replace").encode()
    if _HTML.match(text):
        return HTML
    if _XML.match(text):
        return XML
    return TEXT if not _CONTROL.search(text) else UNKNOWN
