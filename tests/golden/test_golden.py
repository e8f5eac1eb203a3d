"""Every golden case of every mapping: what comes out, twice, with its origins, and what the official schema says."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest

from intermediary.core.ports import ANY_ROOT
from intermediary.testing.golden import cases_in, differences, load_case, run, without_origin
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse
from tests.golden.conftest import MAPPINGS, mapping_of

CASES = [
    pytest.param(folder, case.folder, id=f"{folder.name}/{case.name}")
    for folder in MAPPINGS
    for case in cases_in(folder / "golden")
]
every_case = pytest.mark.parametrize(("mapping", "folder"), CASES)


@pytest.mark.parametrize("mapping", MAPPINGS, ids=lambda folder: folder.name)
def test_there_are_cases_of_both_kinds(mapping: Path) -> None:
    """A mapping has at least six cases, among them refusals; one that reads by configuration waits instead."""
    expectations = [case.expect for case in cases_in(mapping / "golden")]

    assert len(expectations) >= 6
    assert {"accepted", "waits" if mapping_of(mapping).input_root == ANY_ROOT else "refused"} <= set(expectations)


@every_case
def test_comes_out_as_expected(mapping: Path, folder: Path, inputs: Catalogue) -> None:
    """The outcome is byte for byte the reviewed one."""
    case = load_case(folder)

    assert [] == differences(case, run(mapping_of(mapping), case, inputs))


@every_case
def test_two_runs_give_equal_bytes(mapping: Path, folder: Path) -> None:
    """A retry makes the same message and the same package, whole, as the first attempt."""
    first, second = (run(mapping_of(mapping), load_case(folder)) for _ in range(2))

    assert first.files == second.files
    assert _package(first.ausgabe) == _package(second.ausgabe)


@every_case
def test_every_leaf_has_an_origin(mapping: Path, folder: Path) -> None:
    """Each leaf of the message has exactly one Herkunft, in document order."""
    ausgabe = run(mapping_of(mapping), load_case(folder)).ausgabe

    assert ausgabe is None or [] == without_origin(ausgabe)


@every_case
def test_the_official_schema_accepts(mapping: Path, folder: Path, shared: Path, official: Catalogue) -> None:
    """The message is valid against the publisher's schema."""
    ausgabe = run(mapping_of(mapping), load_case(folder)).ausgabe
    if ausgabe is None:
        return
    verdict = official.validate(parse(ausgabe.nachricht))

    assert verdict.ran
    assert () == verdict.findings


@every_case
def test_the_package_is_whole(mapping: Path, folder: Path) -> None:
    """The package is the message alone, or a ZIP of the message and the documents, flat and stored."""
    ausgabe = run(mapping_of(mapping), load_case(folder)).ausgabe
    if ausgabe is None:
        return
    package = ausgabe.package.content.read()
    if ausgabe.package.media_type != "application/zip":
        assert ausgabe.nachricht == package
        return
    archive = zipfile.ZipFile(io.BytesIO(package))
    stem = ausgabe.package.file_name.removesuffix(".zip")

    assert archive.testzip() is None
    assert [f"{stem}.xml", *(one.file_name for one in ausgabe.dokumente)] == archive.namelist()
    assert {zipfile.ZIP_STORED} == {entry.compress_type for entry in archive.infolist()}
    assert ausgabe.nachricht == archive.read(f"{stem}.xml")


@every_case
def test_no_attachment_is_lost(mapping: Path, folder: Path) -> None:
    """Every attachment leaves as it was received: among the documents, or inside the message."""
    case = load_case(folder)
    ausgabe = run(mapping_of(mapping), case).ausgabe
    if ausgabe is None:
        return
    delivered = {one.content.read() for one in ausgabe.dokumente}
    for part in case.antrag.attachments:
        data = part.content.read()
        assert data in delivered or (data and base64.b64encode(data) in ausgabe.nachricht)


def _package(ausgabe: object) -> bytes | None:
    return None if ausgabe is None else ausgabe.package.content.read()  # type: ignore[attr-defined]
