"""Finding the schema for a document."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.xml.parser import parse
from tests.unit.validate.samples import ANTRAG, GOOD, MANIFEST, NS, TYPEN, PackageMaker

ROOT = f"{{{NS}}}antrag"


def _plain(root: str, namespace: str, extra: str = "") -> str:
    return (
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{namespace}">'
        f'<xs:element name="{root}" type="xs:string"/>{extra}</xs:schema>'
    )


def test_a_document_without_schema_is_never_valid() -> None:
    """Nothing installed: nothing ran, not valid, and who demands a check learns the root."""
    verdict = Catalogue.open(None).validate(parse(GOOD.encode()))

    assert not verdict.ran
    assert not verdict.is_valid
    with pytest.raises(Misconfigured, match=r"validate\.schema\.missing"):
        verdict.demand(ROOT)


def test_a_mappings_own_schema_works_alone(make_package: PackageMaker) -> None:
    """A package beside a mapping needs no installation."""
    verdict = Catalogue.open(None, [make_package()]).validate(parse(GOOD.encode()))

    assert verdict.is_valid
    assert ["antrag@1 antrag.xsd"] == [one.name for one in verdict.rule_sets]
    assert verdict is verdict.demand(ROOT)


def test_own_and_official_schema_both_run(make_package: PackageMaker, tmp_path: Path) -> None:
    """The mapping's own schema comes first, the official one too; the findings of both count, once."""
    official = make_package(
        "amtlich", {"a.xsd": ANTRAG.replace("[0-9]{5}", "[1-9]{5}"), "typen.xsd": TYPEN}, manifest=""
    )
    install(official, tmp_path / "schemas", {}, accept_new=True, as_id="antrag-amtlich@1")
    catalogue = Catalogue.open(tmp_path / "schemas", [make_package()])

    verdict = catalogue.validate(parse(GOOD.replace("12345", "10000").encode()))

    assert ["antrag", "antrag-amtlich"] == [one.package for one in verdict.rule_sets]
    assert ["/antrag/plz"] == [one.path for one in verdict.findings]
    twice = catalogue.validate(parse(GOOD.replace("<art>neu", "<art>weg").encode()))
    assert 1 == len(twice.findings)


def test_equal_packages_of_two_mappings_are_one(make_package: PackageMaker) -> None:
    """Two mappings may ship the same package; a different one under its name is refused."""
    twice = [make_package("a"), make_package("b")]
    other = make_package("c", {"antrag.xsd": ANTRAG, "typen.xsd": TYPEN + " "})

    assert 1 == len(Catalogue.open(None, twice).packages)
    with pytest.raises(Misconfigured, match=r"validate\.package\.manifest"):
        Catalogue.open(None, [*twice, other])


def test_the_root_chooses_among_packages_of_one_namespace(make_package: PackageMaker) -> None:
    """All XFall schemas share a namespace: the root element decides."""
    manifest = 'name = "{0}"\nversion = "1"\nentries = ["{0}.xsd"]\n'
    folders = [
        make_package(name, {f"{name}.xsd": _plain(name, "urn:gemeinsam")}, manifest.format(name)) for name in ("a", "b")
    ]
    catalogue = Catalogue.open(None, folders)

    chosen = [catalogue.schema_for(f"{{urn:gemeinsam}}{name}") for name in ("a", "b", "c")]

    assert ["a@1 a.xsd", "b@1 b.xsd", None] == [one and one.rule_set.name for one in chosen]


def test_roots_limits_what_a_package_answers_for(make_package: PackageMaker) -> None:
    """Named roots are the only ones; naming one that is not there is a fault."""
    schema = _plain("a", "urn:x", '<xs:element name="b" type="xs:string"/>')
    manifest = 'name = "p"\nversion = "1"\nentries = ["p.xsd"]\nroots = ["{urn:x}%s"]\n'
    catalogue = Catalogue.open(None, [make_package("p", {"p.xsd": schema}, manifest % "a")])

    assert catalogue.schema_for("{urn:x}a") is not None
    assert catalogue.schema_for("{urn:x}b") is None
    with pytest.raises(Misconfigured, match="roots"):
        Catalogue.open(None, [make_package("q", {"p.xsd": schema}, manifest % "c")])


def test_two_packages_for_one_root_are_ambiguous(make_package: PackageMaker) -> None:
    """The catalogue does not guess."""
    folders = [make_package("a"), make_package("b", manifest=MANIFEST.replace("antrag", "anders", 1))]

    with pytest.raises(Misconfigured, match=r"anders@1, antrag@1") as caught:
        Catalogue.open(None, folders).schema_for(ROOT)
    assert "validate.schema.ambiguous" == caught.value.code


def test_the_version_attribute_chooses_among_versions(make_package: PackageMaker) -> None:
    """Versions that share namespace and root are told apart by the attribute; an unknown one waits for the operator."""
    schema = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="n"><xs:complexType>'
        '<xs:attribute name="v" type="xs:string"/></xs:complexType></xs:element></xs:schema>'
    )
    manifest = (
        'name = "n"\nversion = "{0}"\nentries = ["n.xsd"]\nversion_attribute = "v"\nversions = ["{0}", "{0}.0"]\n'
    )
    catalogue = Catalogue.open(
        None, [make_package(name, {"n.xsd": schema}, manifest.format(name)) for name in ("1", "2")]
    )

    for document, expected in ((b'<n v="1.0"/>', "n@1 n.xsd"), (b'<n v="2"/>', "n@2 n.xsd"), (b"<n/>", "n@2 n.xsd")):
        assert [expected] == [one.name for one in catalogue.validate(parse(document)).rule_sets]
    assert catalogue.schema_for("n") is not None
    with pytest.raises(Misconfigured, match=r"validate\.schema\.version"):
        catalogue.validate(parse(b'<n v="3"/>'))


def test_a_schema_that_gives_up_is_no_pass(make_package: PackageMaker) -> None:
    """When libxml2 cannot finish a pattern, the operator is asked; the document is neither valid nor invalid."""
    schema = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:simpleType>'
        '<xs:restriction base="xs:string"><xs:pattern value="(a|aa)+b"/></xs:restriction></xs:simpleType></xs:element>'
        "</xs:schema>"
    )
    catalogue = Catalogue.open(
        None, [make_package("p", {"p.xsd": schema}, 'name = "p"\nversion = "1"\nentries = ["p.xsd"]\n')]
    )

    with pytest.raises(Misconfigured) as caught:
        catalogue.validate(parse(b"<a>" + b"a" * 60 + b"</a>"))
    assert "validate.schema.broken" == caught.value.code


def test_a_schema_is_compiled_once(make_package: PackageMaker) -> None:
    """The same object serves again; only the least recently used goes when the cache is full."""
    manifest = 'name = "{0}"\nversion = "1"\nentries = ["{0}.xsd"]\n'
    names = ("a", "b", "c")
    folders = [make_package(name, {f"{name}.xsd": _plain(name, "urn:x")}, manifest.format(name)) for name in names]
    small = Catalogue(Catalogue.open(None, folders).packages, keep=2)

    first = {name: small.schema_for(f"{{urn:x}}{name}") for name in ("a", "b")}
    again = small.schema_for("{urn:x}a")
    small.schema_for("{urn:x}c")

    assert first["a"] is again
    assert first["a"] is small.schema_for("{urn:x}a")
    assert first["b"] is not small.schema_for("{urn:x}b")


def test_threads_share_a_schema_without_mixing_findings(make_package: PackageMaker) -> None:
    """Checks at the same time report each document's own findings."""
    catalogue = Catalogue.open(None, [make_package()])
    documents = [parse(GOOD.encode()), parse(GOOD.replace("12345", "1").encode())]
    together = threading.Barrier(4)

    def check(number: int) -> list[int]:
        together.wait()
        return [len(catalogue.validate(documents[number % 2]).findings) for _ in range(200)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(check, range(4)))

    assert [[0] * 200, [1] * 200] * 2 == results


def test_the_hash_of_a_rule_set_covers_what_it_draws_in(make_package: PackageMaker, tmp_path: Path) -> None:
    """Another version of a required package is another rule set."""
    hashes = set()
    for number, types in enumerate((TYPEN, TYPEN.replace('value="20"', 'value="21"'))):
        schemas = tmp_path / f"schemas-{number}"
        base = make_package(
            f"basis-{number}", {"typen.xsd": types}, 'name = "typen"\nversion = "1"\nentries = ["typen.xsd"]\n'
        )
        install(base, schemas, {}, accept_new=True)
        top = make_package(f"top-{number}", {"antrag.xsd": ANTRAG}, MANIFEST + 'requires = ["typen@1"]\n')
        install(top, schemas, {}, accept_new=True)
        schema = Catalogue.open(schemas).schema_for(ROOT)
        assert schema is not None
        hashes.add(schema.rule_set.sha256)

    assert 2 == len(hashes)
