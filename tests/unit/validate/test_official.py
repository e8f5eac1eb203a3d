"""Official packages: they match their pins, compile offline, and judge the samples as published."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.closure import Reader
from intermediary.validate.listing import normalised
from intermediary.validate.lock import product_pins
from intermediary.validate.manifest import Manifest
from intermediary.validate.package import Package, Packages, files_in_memory
from intermediary.validate.source import read_source
from intermediary.xml.parser import parse
from intermediary.xml.schema import compile_schema
from tests.unit.validate.judging import Samples, judged_offline, namespace, said_by_readmes

ENTRIES = 160
VALID_SAMPLES = 330
LISTS_USED = 20
OUTCOMES = {
    "valid": {"valid"},
    "INVALID": {"invalid"},
    "no schema here": {"missing"},
    "not wellformed": {"xml.malformed"},
}
DIFFERENT = {
    "xjustiz/2.2.1/beispiele/xjustiz_nachricht_aaz_v2_2_1.xml": (
        "validate.schema.version",
        "XJustiz is installed, 2.2.1 is not: the operator is told so, instead of that the root is unknown",
    ),
    "xjustiz/2.4.0/beispiele/xjustiz_nachricht_keine_rolle.xml": (
        "validate.schema.version",
        "states no xjustizVersion at all: refused before any schema could be chosen",
    ),
    "xmeld/25.11a/beispiele/test-payload-1332.xml": ("missing", "its root is no message of XMeld: there is no schema"),
    "kosit-validator/1.x/beispiele/simple/assertions.xml": ("valid", "the validator's assertions have a schema here"),
    "xgewerbeanzeige/validator/scenarios.xml": ("invalid", "a template: its date is a placeholder (README)"),
    "xrechnung/3.0/validator/scenarios.xml": ("invalid", "a template: its date is a placeholder"),
}
"""Samples that end otherwise than their README says, each with its reason; none of them passes for valid by that."""
XMLDSIG_2001 = "http://www.w3.org/TR/2001/CR-xmldsig-core-20010419/xmldsig-core-schema.xsd"


def test_every_pin_is_met_by_the_shared_material(official: Path) -> None:
    """Each pinned package installed under its pin, none by an operator's word."""
    from intermediary.validate.install import list_installed

    installed = list_installed(official)

    assert set(product_pins()) == {one.id for one in installed}
    assert {"product"} == {one.review for one in installed}


def test_every_entry_of_every_official_package_compiles_offline(official: Path) -> None:
    """No entry schema needs anything but installed packages."""
    catalogue = Catalogue.open(official)
    compiled = [
        catalogue.schema(package, entry)
        for package in catalogue.packages.values()
        for entry in package.manifest.entries
    ]

    assert len(compiled) >= ENTRIES


@pytest.fixture(scope="module")
def samples(shared_or_none: Path | None, official_or_none: Path | None) -> Samples | None:
    """Every sample judged once against all packages, their code lists and rules, where nothing can be fetched."""
    if shared_or_none is None or official_or_none is None:
        return None
    return judged_offline(official_or_none, shared_or_none / "schemas")


def test_samples_are_judged_as_their_readmes_say(shared: Path, samples: Samples | None) -> None:
    """Every one that its README calls valid is valid, those it calls invalid are refused; exceptions have a reason."""
    assert samples is not None
    said = said_by_readmes(shared / "schemas")
    expected = {path: OUTCOMES[said.get(path, "valid")] for path in samples.judged}
    other = {path: one.outcome for path, one in samples.judged.items() if one.outcome not in expected[path]}
    known = {path: outcome for path, (outcome, _) in DIFFERENT.items()}
    by_codes = {path for path, one in samples.judged.items() if one.codes and not one.schema and not one.rules}

    assert len(samples.judged) >= VALID_SAMPLES
    assert known == {path: outcome for path, outcome in other.items() if path not in by_codes}
    assert dict.fromkeys(by_codes, "invalid") == {path: other[path] for path in by_codes}


def test_nothing_is_fetched(samples: Samples | None, shared: Path) -> None:
    """All of it was judged in a network namespace without a route, XSLT 3 in its cage included."""
    assert samples is not None, shared
    if not namespace():
        pytest.skip("no network namespace may be made here")
    ran = {name for one in samples.judged.values() for name in one.rule_sets}

    assert samples.is_offline
    assert any(name.endswith(".sch") for name in ran)


def test_samples_with_codes_of_no_list_are_found(samples: Samples | None, shared: Path) -> None:
    """Eleven published samples use codes that the list they name does not have; all other codes of all samples stand."""
    assert samples is not None
    wrong = Counter(path.partition("/")[0] for path, one in samples.judged.items() if one.codes)
    used = {name for one in samples.judged.values() for name in one.rule_sets if name.startswith("codelist ")}
    text = (shared / "schemas/xwasser/1.0.0/beispiele/administration_receipt.xml").read_text("utf-8")
    status = (shared / "schemas/xwasser/1.0.0/codelisten/Status technisch_1.xml").read_text("utf-8")

    assert {"xdomea": 6, "xschule": 3, "xwasser": 2} == wrong
    assert len(used) >= LISTS_USED
    assert "<code>200</code>" in text
    assert "<SimpleValue>200</SimpleValue>" not in status


def _verdict(catalogue: Catalogue, path: Path) -> str:
    try:
        verdict = catalogue.validate(parse(path.read_bytes()))
    except Rejected as fault:
        return fault.code
    except Misconfigured as fault:
        return fault.code
    if not verdict.ran:
        return "missing"
    return "valid" if verdict.is_valid else "invalid"


def test_all_code_lists_are_genericode(shared: Path, official_catalogue: Catalogue) -> None:
    """The published code lists validate against OASIS genericode."""
    lists = [path for path in (shared / "schemas").rglob("*.xml") if "codelisten" in path.parts]
    verdicts = Counter(_verdict(official_catalogue, path) for path in lists)

    assert len(lists) >= 250
    assert {"valid"} == set(verdicts)


def test_the_publishers_defect_is_found_in_the_official_schema(shared: Path, official_catalogue: Catalogue) -> None:
    """A house number with a letter fails in the Bewohnerparken schema, and the report says whose fault it is."""
    sample = next((shared / "schemas/fim-xfall/xdf3-1.01/beispiele/bewohnerparken").glob("*.xml"))
    tree = parse(sample.read_bytes())
    number = next(tree.iter("{urn:fim-de:xfall:datenschema:xdf3}F00000000016V1.2.0"))
    added = number.makeelement("{urn:fim-de:xfall:datenschema:xdf3}F00000000084V1.1.0", {}, {})
    added.text = "b"
    for old in list(number.itersiblings()):
        old.getparent().remove(old)
    number.addnext(added)

    findings = official_catalogue.validate(tree).findings

    assert ["SCHEMAV_CVC_PATTERN_VALID", "publisher-defect"] == [one.rule for one in findings]


def test_the_osci_schemas_compile_as_far_as_they_are_deterministic(shared: Path) -> None:
    """OSCI 1.2 is not pinned (unseal checks it): with its DOCTYPEs cut off, what libxml2 can compile does."""
    files = normalised(read_source(shared / "schemas/osci12"))
    common = normalised(read_source(shared / "schemas/common/www.w3.org"))
    pin = product_pins()["w3c-basis@1"].manifest
    manifest = Manifest(
        name="osci12",
        version="1.2",
        entries=tuple(sorted(path for path in files if path.startswith("soap"))),
        requires=("w3c-basis@1",),
        doctype=("extern/xenc-schema-11.xsd", "extern/xenc-schema.xsd", "extern/xmldsig-core-schema.xsd"),
        locations={
            XMLDSIG_2001: "extern/xmldsig-core-schema.xsd",
            "http://schemas.xmlsoap.org/soap/envelope/": "extern/soap-envelope.xsd",
            "http://www.w3.org/TR/xmlenc-core/xenc-schema.xsd": "extern/xenc-schema.xsd",
            "https://www.w3.org/2008/xmlsec/Drafts/xmlenc-core-11/xenc-schema-11.xsd": "extern/xenc-schema-11.xsd",
        },
    )
    osci = Package(manifest, files_in_memory("osci12@1.2", files), "accepted")
    packages = Packages({osci.id: osci, pin.id: Package(pin, files_in_memory(pin.id, common), "product")})
    outcomes = Counter(_outcome(packages, osci, entry) for entry in manifest.entries)

    assert {"compiled": 8, "The content model is not determinist": 18} == outcomes


def _outcome(packages: Packages, package: Package, entry: str) -> str:
    closure = Reader(packages).closure(package, entry)
    try:
        compile_schema(closure.documents, closure.entry, where=entry)
    except Misconfigured as fault:
        return str(fault.__cause__).partition(": ")[2].partition(".")[0]
    return "compiled"


def test_a_doctype_without_review_is_refused(shared: Path) -> None:
    """The same file without the pin's permission is forbidden."""
    files = normalised(read_source(shared / "schemas/osci12"))
    package = Package(
        Manifest(name="osci12", version="1", entries=("extern/xenc-schema.xsd",)),
        files_in_memory("o", files),
        "accepted",
    )

    with pytest.raises(Misconfigured) as caught:
        Reader(Packages({package.id: package})).closure(package, "extern/xenc-schema.xsd")
    assert "validate.schema.forbidden" == caught.value.code
