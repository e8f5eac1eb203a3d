"""XML attachments are passed on unread, but never with a document type."""

from __future__ import annotations

import pytest

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent, Part
from intermediary.validate.attachments import check_attachments

DTD = b'<?xml version="1.0"?>\n<!-- x --><!DOCTYPE n [<!ENTITY e SYSTEM "file:///etc/hostname">]>\n<n>&e;</n>'


def attachment(data: bytes, media_type: str = "application/xml") -> Part:
    return Part("anlage", media_type, "attachment", MemoryContent(data), place="contentcontainer0/content1")


@pytest.mark.parametrize("media_type", ["application/xml", "text/xml; charset=utf-8", "image/svg+xml", "Text/XML"])
@pytest.mark.parametrize("data", [DTD, DTD.decode().encode("utf-16"), b"<!-- " + b"x" * 2_000_000 + b" --><n/>"])
def test_a_document_type_is_refused(data: bytes, media_type: str) -> None:
    """In any encoding, after any comment, for every XML type; the finding names the place and nothing of the file."""
    with pytest.raises(Rejected) as refusal:
        check_attachments([attachment(b"%PDF", "application/pdf"), attachment(data, media_type)])

    assert refusal.value.code == "xml.dtd-forbidden"
    assert [finding.path for finding in refusal.value.findings] == ["contentcontainer0/content1"]


@pytest.mark.parametrize(
    "part",
    [
        attachment(b'<?xml version="1.0" encoding="ISO-8859-1"?><n>\xfc</n>'),
        attachment(b"<n><!-- <!DOCTYPE n> --></n>"),
        attachment(b"not xml at all"),
        attachment(b'<?xml version="1.0" encoding="x-unheard-of"?><!DOCTYPE n><n/>'),
        attachment(b""),
        attachment(DTD, "application/octet-stream"),
        attachment(DTD, "text/plain"),
    ],
    ids=["latin-1", "in a comment", "no XML", "unknown encoding", "empty", "opaque", "text"],
)
def test_everything_else_passes(part: Part) -> None:
    """XML without a document type, and what is no XML by its type or its bytes, is not judged here."""
    check_attachments([part])
