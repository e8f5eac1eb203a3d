"""A WSDL is read from its folder and from nowhere else; what is hostile in it is the operator's to see."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from connectors.soap.wsdl import Operation, load_operations
from intermediary.core.faults import Misconfigured

PAGES = Path(__file__).parents[3] / "acceptance" / "soap"
IMPORT = '<xs:import namespace="urn:test:antrag" schemaLocation="antrag.xsd"/>'
NAMES = ("einreichen", "abfragen")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the good WSDL that may be spoilt."""
    return Path(shutil.copytree(PAGES, tmp_path / "wsdl"))


def _load(folder: Path, **locations: str) -> list[Operation]:
    return load_operations(folder / "antrag.wsdl", locations, port="Soap12", names=NAMES)


def _spoil(folder: Path, old: str, new: str) -> None:
    file = folder / "antrag.wsdl"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_good_one_is_read_with_what_it_imports(folder: Path) -> None:
    """Relative imports inside the folder, also across its subfolders; the version of SOAP is that of the port."""
    assert [("einreichen", True, True), ("abfragen", True, True)] == [
        (one.name, one.is_12, one.has_answer) for one in _load(folder)
    ]


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("http://127.0.0.1:18999/x.xsd", "another place"),
        ("https://fachverfahren.example/antrag.xsd", "another place"),
        ("file:///etc/hostname", "another place"),
        ("/etc/hostname", "another place"),
        ("ftp://fachverfahren.example/antrag.xsd", "another place"),
        ("../antrag.xsd", "outside its folder"),
        ("typen/../../antrag.xsd", "outside its folder"),
        ("fehlt.xsd", "cannot be read"),
    ],
)
@pytest.mark.parametrize("kind", ["import namespace='urn:test:antrag'", "include", "redefine"])
def test_nothing_is_fetched(folder: Path, kind: str, location: str, where: str) -> None:
    """Whatever the reference is called, a place outside the folder is named and not looked at."""
    _spoil(folder, IMPORT, f'<xs:{kind} schemaLocation="{location}"/>')
    with pytest.raises(Misconfigured, match=where) as caught:
        _load(folder)

    assert "target.wsdl" == caught.value.code


def test_a_link_out_of_the_folder_is_outside(folder: Path) -> None:
    """A symbolic link does not make a file part of the folder."""
    (folder / "antrag.xsd").unlink()
    (folder / "antrag.xsd").symlink_to("/etc/hostname")
    with pytest.raises(Misconfigured, match="outside its folder"):
        _load(folder)


def test_a_foreign_address_may_stand_for_a_file(folder: Path) -> None:
    """A vendor's WSDL stays as it is: `locations` says which file of the folder an address is."""
    address = "https://fachverfahren.example/antrag.xsd"
    _spoil(folder, 'schemaLocation="antrag.xsd"', f'schemaLocation="{address}"')

    assert 2 == len(_load(folder, **{address: "antrag.xsd"}))


@pytest.mark.parametrize(
    "spoilt",
    [
        '<!DOCTYPE w:definitions [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
        "<unfinished",
        '<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="/etc/hostname"/></x>',
        "<x/>",
    ],
)
def test_what_is_no_wsdl_is_refused(folder: Path, spoilt: str) -> None:
    """Document types, XInclude, broken XML and other XML."""
    (folder / "antrag.wsdl").write_text(spoilt)
    with pytest.raises(Misconfigured, match=r"target\.wsdl"):
        _load(folder)


def test_an_address_that_only_a_cloud_has_is_refused(folder: Path) -> None:
    """The address of a WSDL is not used, but one of a metadata service is an attack."""
    _spoil(folder, "http://fachverfahren.invalid/annahme", "http://169.254.169.254/latest/")
    with pytest.raises(Misconfigured, match="link-local"):
        _load(folder)


def _cases(shared: Path) -> list[dict[str, Any]]:
    manifest = json.loads((shared / "vectors" / "hostile" / "manifest.json").read_text())
    return [case for case in manifest["cases"] if "config.wsdl" in case["entry"]]


def test_the_hostile_corpus_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every WSDL of the shared corpus meets its expectation, and no socket is opened for any."""
    monkeypatch.setattr("socket.socket.connect", _no_network)
    cases = _cases(shared)
    for case in cases:
        with pytest.raises(Misconfigured) as caught:
            load_operations(shared / "vectors" / "hostile" / case["file"], {}, port="", names=("x",))
        assert ("reject", "target.wsdl") == (case["expect"], caught.value.code)

    assert 4 <= len(cases)


def _no_network(*_: object) -> None:
    raise AssertionError("something is fetched")
