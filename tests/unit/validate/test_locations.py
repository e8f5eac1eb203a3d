"""Where schemaLocations lead: into installed packages or nowhere."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.doctype import without_doctype
from intermediary.validate.install import install
from intermediary.validate.locations import location_key
from tests.unit.validate.samples import PackageMaker

TYPES = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t">'
    '<xs:simpleType name="T"><xs:restriction base="xs:string"/></xs:simpleType></xs:schema>'
)


def _user(location: str) -> str:
    return (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:u">'
        f'<xs:import namespace="urn:t" schemaLocation="{location}"/><xs:element name="a" type="t:T"/></xs:schema>'
    )


def _manifest(name: str, more: str = "") -> str:
    return f'name = "{name}"\nversion = "1"\nentries = ["{name}.xsd"]\n{more}'


@pytest.fixture
def basis(make_package: PackageMaker, tmp_path: Path) -> Path:
    """A schemas folder with a package that declares a URL."""
    manifest = _manifest("t", '[locations]\n"https://www.beispiel.invalid/1_0/t.xsd" = "t.xsd"\n')
    install(make_package("t", {"t.xsd": TYPES}, manifest), tmp_path / "schemas", {}, accept_new=True)
    return tmp_path / "schemas"


@pytest.mark.parametrize(
    "location",
    [
        "https://www.beispiel.invalid/1_0/t.xsd",
        "http://beispiel.invalid/1_0/t.xsd",
        "t.xsd",
        "../../anderswo/t.xsd",
        "http://anders.invalid/t.xsd",
    ],
)
def test_urls_flat_names_and_moved_paths_resolve_to_required_packages(
    make_package: PackageMaker, basis: Path, location: str
) -> None:
    """A declared URL in any spelling, or a file of that name and namespace in a required package."""
    user = make_package("u", {"u.xsd": _user(location)}, _manifest("u", 'requires = ["t@1"]\n'))

    install(user, basis, {}, accept_new=True)

    assert Catalogue.open(basis).schema_for("{urn:u}a") is not None


@pytest.mark.parametrize("location", ["https://www.beispiel.invalid/1_0/t.xsd", "t.xsd"])
def test_a_package_that_is_not_required_is_not_used(make_package: PackageMaker, basis: Path, location: str) -> None:
    """Only declared requirements are in reach, whatever else is installed."""
    user = make_package("u", {"u.xsd": _user(location)}, _manifest("u"))

    with pytest.raises(Misconfigured, match=r"validate\.schema\.import"):
        install(user, basis, {}, accept_new=True)


@pytest.mark.parametrize("location", ["other.xsd", "http://beispiel.invalid/2_0/other.xsd", "../../../../etc/hostname"])
def test_an_unknown_import_is_an_error(make_package: PackageMaker, basis: Path, location: str) -> None:
    """What no package in reach has is an error that names the location."""
    user = make_package("u", {"u.xsd": _user(location)}, _manifest("u", 'requires = ["t@1"]\n'))

    with pytest.raises(Misconfigured) as caught:
        install(user, basis, {}, accept_new=True)
    assert "validate.schema.import" == caught.value.code
    assert location in caught.value.where


@pytest.mark.parametrize("location", ["file:///etc/hostname", "/etc/hostname", "ftp://x.invalid/t.xsd", "a\\t.xsd", ""])
def test_locations_outside_are_forbidden(make_package: PackageMaker, basis: Path, location: str) -> None:
    """Absolute paths and other protocols are refused before anything is looked up."""
    user = make_package("u", {"u.xsd": _user(location)}, _manifest("u", 'requires = ["t@1"]\n'))

    with pytest.raises(Misconfigured) as caught:
        install(user, basis, {}, accept_new=True)
    assert "validate.schema.forbidden" == caught.value.code


def test_an_import_never_leaves_the_machine(
    make_package: PackageMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listener at the imported address sees no connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        user = make_package("u", {"u.xsd": _user(f"http://127.0.0.1:{port}/t.xsd")}, _manifest("u"))

        with pytest.raises(Misconfigured):
            install(user, tmp_path / "schemas", {}, accept_new=True)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_the_same_name_in_another_namespace_is_not_taken(make_package: PackageMaker, basis: Path) -> None:
    """The namespace counts, not the file name."""
    schema = _user("http://x.invalid/t.xsd").replace("urn:t", "urn:other")
    user = make_package("u", {"u.xsd": schema}, _manifest("u", 'requires = ["t@1"]\n'))

    with pytest.raises(Misconfigured, match=r"validate\.schema\.import"):
        install(user, basis, {}, accept_new=True)


def test_schemas_that_include_each_other_compile(make_package: PackageMaker) -> None:
    """A circle of includes ends; every document is read once."""
    include = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:include schemaLocation="{}"/>{}</xs:schema>'
    files = {
        "a.xsd": include.format("b.xsd", '<xs:element name="a" type="B"/>'),
        "b.xsd": include.format("a.xsd", '<xs:simpleType name="B"><xs:restriction base="xs:int"/></xs:simpleType>'),
    }
    catalogue = Catalogue.open(None, [make_package("a", files, _manifest("a"))])

    assert catalogue.schema_for("a") is not None


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("http://www.xoev.de/a.xsd", "https://xoev.de/a.xsd", True),
        ("http://xoev.de/a.xsd", "http://xoev.de/b.xsd", False),
        ("http://xoev.de/a.xsd#x", "http://xoev.de/a.xsd", True),
        ("a.xsd", "http://a.xsd", True),
    ],
)
def test_spellings_of_a_url(left: str, right: str, same: bool) -> None:
    """Scheme, www and fragment do not tell locations apart."""
    assert same is (location_key(left) == location_key(right))


@pytest.mark.parametrize(
    "declaration",
    [
        b"<!DOCTYPE s>",
        b'<!DOCTYPE s PUBLIC "-//W3C//DTD X > 1//EN" "http://x.invalid/x.dtd">',
        b"<!DOCTYPE s [\n<!ATTLIST s a CDATA #FIXED ']>'>\n<!ENTITY % p ''>\n<!-- ]> -->\n]>",
    ],
)
def test_a_reviewed_doctype_is_cut_off_and_nothing_else(declaration: bytes) -> None:
    """The declaration goes as a whole, lines stay, and text that looks like one stays too."""
    before, after = b'<?xml version="1.0"?><!-- <!DOCTYPE no> -->\n', b"\n<s><!-- <!DOCTYPE x> --></s>"

    cut = without_doctype(before + declaration + after)

    assert before + b"\n" * declaration.count(b"\n") + after == cut
    assert after == without_doctype(after)
