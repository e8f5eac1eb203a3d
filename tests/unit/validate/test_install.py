"""Installing, listing and verifying schema packages."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install, list_installed, verify
from intermediary.validate.listing import Listing, normalised
from intermediary.validate.lock import Locked, lock_entry, parse_lock, read_lock
from intermediary.validate.manifest import Manifest
from intermediary.validate.source import read_source
from tests.unit.validate.samples import ANTRAG, MANIFEST, NS, TYPEN, PackageMaker, zipped

TODAY = date(2026, 11, 21)


def _pin(folder: Path, **more: object) -> dict[str, Locked]:
    files = normalised(read_source(folder))
    manifest = Manifest(name="antrag", version="1", entries=("antrag.xsd",), **more)  # type: ignore[arg-type]
    return {"antrag@1": Locked(manifest, Listing.of(files).sha256, len(files))}


def test_a_pinned_package_installs_from_folder_and_zip(make_package: PackageMaker, tmp_path: Path) -> None:
    """Folder, ZIP and ZIP with a top folder are the same pinned package."""
    folder = make_package(manifest="")
    pins = _pin(folder)
    archive = zipped(folder, below="antrag-1.0/xsd/")

    first = install(folder, tmp_path / "a", pins)
    second = install(archive, tmp_path / "b", pins)

    assert "product" == first.review
    assert first == second
    assert (first,) == list_installed(tmp_path / "a")


def test_installing_twice_changes_nothing(make_package: PackageMaker, tmp_path: Path) -> None:
    """A second install of the same package leaves one package and no rubbish."""
    folder = make_package(manifest="")
    install(folder, tmp_path / "schemas", _pin(folder))
    install(folder, tmp_path / "schemas", _pin(folder))

    assert ["antrag@1", "lock.toml"] == sorted(path.name for path in (tmp_path / "schemas").iterdir())


def test_a_package_that_differs_from_its_pin_is_refused(make_package: PackageMaker, tmp_path: Path) -> None:
    """One changed byte in a known package is a mismatch that names both hashes; nothing is written."""
    pins = _pin(make_package("richtig", manifest=""))
    changed = make_package("falsch", {"antrag.xsd": ANTRAG, "typen.xsd": TYPEN + " "}, manifest="")

    with pytest.raises(Misconfigured) as caught:
        install(changed, tmp_path / "schemas", pins)
    assert "validate.package.mismatch" == caught.value.code
    assert pins["antrag@1"].sha256 in caught.value.where
    assert not (tmp_path / "schemas").exists()


def test_an_unknown_package_needs_a_review(make_package: PackageMaker, tmp_path: Path) -> None:
    """A package without a pin is refused, until the operator accepts it; then the lock records its hash."""
    folder = make_package()
    with pytest.raises(Misconfigured) as caught:
        install(folder, tmp_path / "schemas", {})

    taken = install(folder, tmp_path / "schemas", {}, accept_new=True)

    assert "validate.package.unknown" == caught.value.code
    assert "accepted" == taken.review
    assert taken.sha256 == read_lock(tmp_path / "schemas")["antrag@1"].sha256


def test_a_package_without_description_is_named_by_the_operator(make_package: PackageMaker, tmp_path: Path) -> None:
    """With --as the entries are the files that no other file draws in."""
    folder = make_package(manifest="")

    install(folder, tmp_path / "schemas", {}, accept_new=True, as_id="antrag@7")

    assert ("antrag.xsd",) == read_lock(tmp_path / "schemas")["antrag@7"].manifest.entries


def test_an_accepted_package_that_differs_from_a_pin_is_reported_by_verify(
    make_package: PackageMaker, tmp_path: Path
) -> None:
    """Accepting another package under a pinned name works, and stays visible."""
    pins = _pin(make_package("richtig", manifest=""))
    changed = make_package("falsch", {"antrag.xsd": ANTRAG, "typen.xsd": TYPEN + " "}, manifest="")

    install(changed, tmp_path / "schemas", pins, accept_new=True, as_id="antrag@1")

    assert [("validate.package.mismatch", "pin")] == [
        (one.code, one.rule) for one in verify(tmp_path / "schemas", pins, today=TODAY)
    ]


def test_a_package_that_does_not_compile_is_not_installed(make_package: PackageMaker, tmp_path: Path) -> None:
    """Everything is compiled before anything is written."""
    folder = make_package(files={"antrag.xsd": ANTRAG})

    with pytest.raises(Misconfigured, match=r"validate\.schema\.import"):
        install(folder, tmp_path / "schemas", {}, accept_new=True)
    assert {} == read_lock(tmp_path / "schemas")


def test_what_a_package_requires_must_be_there(make_package: PackageMaker, tmp_path: Path) -> None:
    """A missing required package is named."""
    folder = make_package(files={"antrag.xsd": ANTRAG}, manifest=MANIFEST + 'requires = ["typen@1"]\n')

    with pytest.raises(Misconfigured, match=r"typen@1") as caught:
        install(folder, tmp_path / "schemas", {}, accept_new=True)
    assert "validate.package.missing" == caught.value.code


@pytest.mark.parametrize("change", ["file", "listing", "extra", "gone"])
def test_a_changed_installation_is_seen_and_not_used(make_package: PackageMaker, tmp_path: Path, change: str) -> None:
    """A changed, added or lost file is a finding of verify; a changed one is never validated against."""
    folder = make_package(manifest="")
    pins = _pin(folder)
    schemas = tmp_path / "schemas"
    install(folder, schemas, pins)
    files = schemas / "antrag@1" / "files"
    if change == "file":
        (files / "typen.xsd").write_text(TYPEN.replace("20", "99"), encoding="utf-8")
    elif change == "listing":
        (schemas / "antrag@1" / "files.sha256").write_text("", encoding="utf-8")
    elif change == "extra":
        (files / "neu.xsd").write_text(TYPEN, encoding="utf-8")
    else:
        (files / "typen.xsd").unlink()

    findings = verify(schemas, pins, today=TODAY)

    assert {"validate.package.changed"} == {one.code for one in findings}
    if change != "extra":
        with pytest.raises(Misconfigured, match=r"validate\.package\.changed"):
            Catalogue.open(schemas).schema_for(f"{{{NS}}}antrag")


def test_a_fresh_installation_verifies(make_package: PackageMaker, tmp_path: Path) -> None:
    """What was just installed has no findings, inside its validity."""
    folder = make_package(manifest="")
    pins = _pin(folder, valid_from=date(2026, 5, 1), valid_until=date(2027, 4, 30))
    install(folder, tmp_path / "schemas", pins)

    assert () == verify(tmp_path / "schemas", pins, today=TODAY)
    assert ["validity"] == [one.rule for one in verify(tmp_path / "schemas", pins, today=date(2027, 5, 1))]


def test_a_lock_survives_writing_and_reading() -> None:
    """Every field of a lock entry comes back, also with quotes and umlauts."""
    manifest = Manifest(
        name="a",
        version="1",
        entries=("ä b.xsd", 'q".xsd'),
        urn="urn:x",
        valid_from=date(2026, 1, 1),
        requires=("b@2",),
        roots=("{urn:x}a",),
        doctype=("c.xsd",),
        absent=("http://x.invalid/y.xsd",),
        version_attribute="v",
        versions=("1.0", "1.1"),
        locations={"https://x.invalid/a.xsd": "ä b.xsd"},
    )
    locked = Locked(manifest, "0" * 64, 3, "accepted", {"ä b.xsd": ("{urn:x}a",)})

    assert {"a@1": locked} == parse_lock(lock_entry(locked), where="test")


@pytest.mark.parametrize(
    "text",
    [
        "package = 1",
        "[[package]]\nname='a'\nversion='1'\nentries=['a.xsd']\nfiles=1\nsha256='00'",
        f"[[package]]\nname='a'\nversion='1'\nentries=['a.xsd']\nfiles=1\nsha256='{'0' * 64}'\nentrys=[]",
        f"[[package]]\nname='../a'\nversion='1'\nentries=['a.xsd']\nfiles=1\nsha256='{'0' * 64}'",
        "x = 1",
        "[",
    ],
)
def test_a_faulty_lock_is_refused(text: str) -> None:
    """Unknown keys, wrong types and unsafe names in a lock are faults, not guesses."""
    with pytest.raises(Misconfigured, match=r"validate\.package\.manifest"):
        parse_lock(text, where="test")


def test_the_hash_does_not_depend_on_shared_folders() -> None:
    """The canonical listing drops the folders all files share, and nothing else."""
    flat = {"a.xsd": b"1", "x/b.xsd": b"2"}
    deep = {f"top/xsd/{path}": data for path, data in flat.items()} | {"top/xsd/readme.txt": b"3"}

    assert flat == normalised(deep)
    assert Listing.of(flat).sha256 == Listing.of(normalised(deep)).sha256
    assert Listing.of(flat).sha256 != Listing.of({"a.xsd": b"1", "y/b.xsd": b"2"}).sha256
    assert Listing.of(flat) == Listing.parse(Listing.of(flat).text)
