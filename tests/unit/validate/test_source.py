"""Reading packages that somebody handed in."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate import source
from intermediary.validate.source import read_source
from tests.unit.validate.samples import ANTRAG, PackageMaker, zipped


def _zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_folder_and_zip_give_the_same_files(make_package: PackageMaker) -> None:
    """A package is the same whether it comes as folder or as ZIP."""
    folder = make_package()

    assert read_source(folder) == read_source(zipped(folder))


def test_only_schema_files_are_read(make_package: PackageMaker) -> None:
    """Samples and specifications beside the schemas are left where they are."""
    folder = make_package(files={"xsd/antrag.xsd": ANTRAG, "beispiele/a.xml": "<a/>"})

    assert {"xsd/antrag.xsd", "package.toml"} == set(read_source(folder))


@pytest.mark.parametrize(
    "name",
    ["../a.xsd", "/tmp/a.xsd", "a/../../a.xsd", "C:/a.xsd", "a\\b.xsd", "a//b.xsd", "a\nb.xsd", "-a.xsd", "a/./b.xsd"],
)
def test_names_that_leave_the_package_are_refused(tmp_path: Path, name: str) -> None:
    """No entry name may lead anywhere but into the package."""
    archive = _zip(tmp_path / "p.zip", {name: b"<a/>"})

    with pytest.raises(Misconfigured, match="unsafe name") as caught:
        read_source(archive)
    assert "validate.package.refused" == caught.value.code


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    """An entry with the mode of a symbolic link is refused."""
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("a.xsd")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, b"/etc/hostname")

    with pytest.raises(Misconfigured, match="link"):
        read_source(path)


def test_links_in_a_folder_are_refused(make_package: PackageMaker) -> None:
    """A folder is not followed out of itself."""
    folder = make_package()
    (folder / "fremd.xsd").symlink_to("/etc/hostname")

    with pytest.raises(Misconfigured, match="link"):
        read_source(folder)


@pytest.mark.parametrize("other", ["A.XSD", "a.xsd"])
def test_two_entries_with_one_name_are_refused(tmp_path: Path, other: str) -> None:
    """Duplicates, also by case, would let two readers see different packages."""
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xsd", b"<a/>")
        if other == "a.xsd":
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr(other, b"<b/>")
        else:
            archive.writestr(other, b"<b/>")

    with pytest.raises(Misconfigured, match="one name"):
        read_source(path)


def test_a_bomb_is_refused_before_it_fills_memory(tmp_path: Path) -> None:
    """A file that unpacks beyond the limit is not unpacked."""
    archive = _zip(tmp_path / "p.zip", {"a.xsd": b"\0" * (source.MAX_FILE + 1)})

    with pytest.raises(Misconfigured, match="too large"):
        read_source(archive)


def test_the_total_is_limited(make_package: PackageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many files below the limit of one do not add up to more than the limit of all."""
    monkeypatch.setattr(source, "MAX_TOTAL", 100)
    folder = make_package()

    with pytest.raises(Misconfigured, match="too large"):
        read_source(folder)
    with pytest.raises(Misconfigured, match="too large"):
        read_source(zipped(folder))


def test_something_else_is_refused(tmp_path: Path) -> None:
    """What is neither folder nor ZIP is refused by name, not by traceback."""
    (tmp_path / "p.zip").write_bytes(b"PK\x03\x04 nothing")

    with pytest.raises(Misconfigured, match="not a readable"):
        read_source(tmp_path / "p.zip")
