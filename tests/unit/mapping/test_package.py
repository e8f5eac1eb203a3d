"""The xdomea ZIP: its names, and which are refused."""

from __future__ import annotations

import io
import zipfile

import pytest

from intermediary.core.values import Dokument, MemoryContent
from intermediary.mapping.package import package

KEY = "550e8400-e29b-41d4-a716-446655440000"


def test_names_follow_xdomea() -> None:
    """The ZIP and its message are named by ProzessID and Nachricht; the message comes first."""
    made = package(KEY, "Abgabe.Abgabe.0401", b"<x/>", [Dokument("a_ä.txt", "text/plain", MemoryContent(b"abc"))])
    archive = zipfile.ZipFile(io.BytesIO(made.content.read()))

    assert f"{KEY}_Abgabe.Abgabe.0401.zip" == made.file_name
    assert [f"{KEY}_Abgabe.Abgabe.0401.xml", "a_ä.txt"] == archive.namelist()
    assert archive.testzip() is None
    assert b"abc" == archive.read("a_ä.txt")
    assert {(1980, 1, 1, 0, 0, 0)} == {entry.date_time for entry in archive.infolist()}
    assert {0o100644} == {entry.external_attr >> 16 for entry in archive.infolist()}


@pytest.mark.parametrize("names", [("a", "A"), ("a/b",), ("a\\b",)])
def test_file_names_are_flat_and_different(names: tuple[str, ...]) -> None:
    """Names that leave the folder or collide on some file system are refused."""
    files = [Dokument(name, "text/plain", MemoryContent(b"")) for name in names]
    with pytest.raises(ValueError, match="flat and different"):
        package(KEY, "Abgabe.Abgabe.0401", b"<x/>", files)
