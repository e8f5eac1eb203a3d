"""What a route allows of attachments: told by declaration and by content, refused with place and rule."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import pytest

from intermediary.core.attachments import AttachmentRules
from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.values import MemoryContent, Part
from intermediary.route.table import parse_routes
from intermediary.validate.archives import fault_of_archive
from intermediary.validate.attachments import check_files
from intermediary.validate.file_types import agrees, declared_type, told_type

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
EXE = b"MZ\x90\0\x03"


def _zip(entries: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return target.getvalue()


DOCX = _zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"})
ODT = _zip({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<o/>"}, zipfile.ZIP_STORED)
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _part(data: bytes, media_type: str, number: int = 0) -> Part:
    return Part("Erika.pdf", media_type, "attachment", MemoryContent(data), place=f"contentcontainer0/content{number}")


def _rules_broken(parts: list[Part], rules: AttachmentRules) -> list[tuple[str, str]]:
    try:
        check_files(parts, rules)
    except Rejected as refusal:
        assert "validate.attachment.refused" == refusal.code
        assert "Erika" not in str(refusal.findings)
        return [(finding.path, finding.rule) for finding in refusal.findings]
    return []


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (PDF, "application/pdf"),
        (b"\n\n" + PDF, "application/pdf"),
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"II*\0\x08\0\0\0", "image/tiff"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "image/heic"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"BM\x0a\0\0\0\0\0\0\0", "image/bmp"),
        (DOCX, WORD),
        (ODT, "application/vnd.oasis.opendocument.text"),
        (_zip({"a.txt": b"a"}), "application/zip"),
        (b"\x1f\x8b\x08", "application/gzip"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "application/x-7z-compressed"),
        (b"\0" * 257 + b"ustar\x00" + b"00", "application/x-tar"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
        (EXE, "application/x-executable"),
        (b"#!/bin/sh\n", "application/x-executable"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><a/>', "application/xml"),
        (b"<a b='c'/>", "application/xml"),
        (b"<!DOCTYPE html><html>", "text/html"),
        ("<?xml version='1.0'?><ä/>".encode("utf-16"), "application/xml"),
        ("Sehr geehrte Damen; über 5 < 6".encode(), "text/plain"),
        (b"{}", "text/plain"),
        (b"", "text/plain"),
        (b"\x00\x01\x02\x03", "application/octet-stream"),
    ],
)
def test_a_type_is_told_by_the_first_bytes(data: bytes, told: str) -> None:
    """The kinds of file that reach an office, and what must never pass for one of them."""
    assert told == told_type(MemoryContent(data))


@pytest.mark.parametrize(
    ("declared", "data", "is_one"),
    [
        ("application/pdf", PDF, True),
        ("Application/PDF; name=x", PDF, True),
        ("application/pdf", EXE, False),
        ("application/pdf", PNG, False),
        ("application/pdf", b"kein pdf", False),
        ("image/jpg", b"\xff\xd8\xff\xe0", True),
        ("image/png", b"<html>", False),
        ("text/plain", b"<html>", False),
        ("text/plain", b"#!/bin/sh", False),
        ("text/csv", b"a;b", True),
        ("text/xml", b"<a/>", True),
        ("image/svg+xml", b"<svg/>", True),
        ("image/svg+xml", b"<!doctype html>", False),
        ("application/json", b"{}", True),
        ("application/zip", DOCX, True),
        (WORD, DOCX, True),
        (WORD, _zip({"a": b"b"}), False),
        ("application/msword", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", True),
        ("application/msword", EXE, False),
        ("application/octet-stream", PDF, True),
        ("application/octet-stream", EXE, False),
        ("", b"\x00\x01", True),
        ("application/x-planung", b"\x00\x01", True),
        ("application/x-planung", _zip({"a": b"b"}), False),
    ],
)
def test_declaration_and_content_must_agree(declared: str, data: bytes, is_one: bool) -> None:
    """A declaration is believed as far as the bytes do not speak against it."""
    assert is_one is agrees(declared_type(declared), told_type(MemoryContent(data)))


@pytest.mark.parametrize(
    ("rules", "parts", "broken"),
    [
        (AttachmentRules(), [_part(PDF, "application/pdf")], []),
        (AttachmentRules(), [_part(EXE, "application/pdf")], [("contentcontainer0/content0", "type-mismatch")]),
        (
            AttachmentRules(media_types=("application/pdf", "image/*")),
            [_part(PDF, "application/pdf"), _part(PNG, "image/png", 1), _part(b"a;b", "text/csv", 2)],
            [("contentcontainer0/content2", "type-not-allowed")],
        ),
        (AttachmentRules(media_types=("application/pdf",)), [_part(PDF, "application/octet-stream")], []),
        (
            AttachmentRules(media_types=("application/pdf",)),
            [_part(PNG, "")],
            [("contentcontainer0/content0", "type-not-allowed")],
        ),
        (AttachmentRules(max_bytes=3), [_part(PDF, "application/pdf")], [("contentcontainer0/content0", "too-large")]),
        (AttachmentRules(max_count=0), [_part(PDF, "application/pdf")], [("", "too-many")]),
        (
            AttachmentRules(max_total_bytes=len(PDF)),
            [_part(PDF, "application/pdf"), _part(PDF, "application/pdf", 1)],
            [("", "total-too-large")],
        ),
        (
            AttachmentRules(archives="refuse"),
            [_part(_zip({"a": b"b"}), "application/zip"), _part(DOCX, WORD, 1), _part(DOCX, "application/zip", 2)],
            [("contentcontainer0/content0", "archive"), ("contentcontainer0/content2", "archive")],
        ),
        (
            AttachmentRules(archives="flat"),
            [_part(_zip({"a": b"b"}), "application/zip"), _part(b"\x1f\x8b\x08", "application/gzip", 1)],
            [("contentcontainer0/content1", "archive-closed")],
        ),
        (AttachmentRules(), [_part(_zip({"a.zip": b"b"}), "application/zip")], []),
    ],
)
def test_what_a_route_forbids_is_refused(
    rules: AttachmentRules, parts: list[Part], broken: list[tuple[str, str]]
) -> None:
    """Every rule for itself, with all findings at once and neither file name nor content in them."""
    assert broken == _rules_broken(parts, rules)


def test_without_rules_nothing_is_looked_at() -> None:
    """A route without rules takes everything, as before."""
    check_files([_part(EXE, "application/pdf")], None)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (_zip({"a.txt": b"a", "b/c.pdf": PDF}), ""),
        (_zip({"a.txt": _zip({"b": b"c"})}), "archive-nested"),
        (_zip({"a.tar": b"a"}), "archive-nested"),
        (_zip({f"{number}": b"" for number in range(10_001)}), "archive-broken"),
        (_zip({"a": bytes(20 << 20)}), "archive-bomb"),
        (_zip({"a.txt": b"a"}, zipfile.ZIP_LZMA), "archive-broken"),
        (_zip({"a": b"b"})[:-5], "archive-broken"),
        (_zip({}), "archive-broken"),
        (b"%PDF-1.7" + _zip({"a": b"b"}), "archive-broken"),
        (_zip({"a/../../b": b""}), "archive-names"),
        (_zip({"a\\..\\..\\b": b""}), "archive-names"),
        (_zip({"Was ist das?.pdf": PDF, "Grün/Straße: Plan.pdf": PDF}), ""),
        (b"PK\x03\x04", "archive-broken"),
    ],
    ids=[
        "flat",
        "zip in zip",
        "tar in zip",
        "too many",
        "bomb",
        "lzma",
        "cut",
        "empty",
        "after a pdf",
        "up",
        "up, backslash",
        "odd names",
        "only a head",
    ],
)
def test_a_flat_archive_is_told_from_outside(data: bytes, fault: str) -> None:
    """Nothing inside an archive but files that everybody can read."""
    assert fault == fault_of_archive(MemoryContent(data))


ROUTES = """[[route]]
name = "r"
mandant = "m"
mapping = "bewohnerparken@1"
[route.when]
message_type = "Antrag"
[[route.target]]
name = "t"
connector = "ordner"
[route.attachments]
"""


def test_rules_stand_in_the_routes_file() -> None:
    """A table of the route, so that message types can differ; wrong values are found when it is read."""
    good = parse_routes(ROUTES + 'media_types = ["application/pdf"]\nmax_count = 3\narchives = "flat"\n')

    assert AttachmentRules(media_types=("application/pdf",), max_count=3, archives="flat") == good.routes[0].attachments
    for wrong in ('media_types = ["PDF"]', "max_bytes = 0", 'archives = "all"', "max_size = 3"):
        with pytest.raises(Misconfigured):
            parse_routes(ROUTES + wrong)
