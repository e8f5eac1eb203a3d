"""What a sender says about files, made fit for a message."""

from __future__ import annotations

import pytest

from intermediary.core.values import MemoryContent, Part
from intermediary.mapping.files import media_type_of, shown_name


def _part(name: str = "", media_type: str = "") -> Part:
    return Part(name, media_type, "attachment", MemoryContent(b""))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("application/pdf", "application/pdf"),
        (" Text/Plain; charset=utf-8", "text/plain"),
        ("", "application/octet-stream"),
        ("pdf", "application/octet-stream"),
        ("a/b\n", "a/b"),
        ("a/b c", "application/octet-stream"),
    ],
)
def test_media_types_lose_what_is_none(given: str, expected: str) -> None:
    """Parameters and capitals go, and what has not the form of a media type is unknown data."""
    assert expected == media_type_of(_part(media_type=given))


@pytest.mark.parametrize(
    ("given", "expected"),
    [("Plan 1.pdf", "Plan 1.pdf"), ("..\\..\\x", "x"), ("/a/b/", ""), ("a\x00b\x1f", "ab"), ("ü" * 300, "ü" * 255)],
)
def test_names_are_only_the_last_part(given: str, expected: str) -> None:
    """Folders and control characters are left out, and the end of a long name is kept."""
    assert expected == shown_name(_part(name=given))
