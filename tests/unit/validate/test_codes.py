"""Codes of documents against lists: four kinds of use, what is missing, and what a verdict says of it."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install, list_installed, verify
from intermediary.validate.lock import read_lock
from intermediary.validate.verdict import Verdict
from intermediary.xml.parser import parse
from tests.unit.validate import code_samples as samples

FILES = {
    "package.toml": samples.WITH_LISTS,
    "xsd/codes.xsd": samples.SCHEMA,
    "listen/form.xml": samples.FORM,
    "listen/land.xml": samples.LAND,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A schemas folder with the standard and two of its lists in one package, and a free list in another."""
    place = tmp_path / "schemas"
    install(samples.write_package(tmp_path / "codes", FILES), place, {}, accept_new=True)
    free = samples.write_package(tmp_path / "frei", {"frei.xml": samples.FREI})
    install(free / "frei.xml", place, {}, accept_new=True, as_id="frei@a")
    return place


def _verdict(folder: Path, inner: str, demanded: frozenset[str] = frozenset()) -> Verdict:
    document = f'<b:bestellung xmlns:b="{samples.NS}">{inner}</b:bestellung>'
    return Catalogue.open(folder, demanded_lists=demanded).validate(parse(document.encode()))


def _drei(code: str, version: str = "2026") -> str:
    return f'<drei listVersionID="{version}"><code>{code}</code></drei>'


def _vier(code: str, uri: str = "urn:beispiel:frei", version: str = "a") -> str:
    return f'<vier listURI="{uri}" listVersionID="{version}"><code>{code}</code></vier>'


def test_codes_of_all_four_kinds_stand(folder: Path) -> None:
    """Values in the schema, list fixed, version free, list free: each is held against its list, and the lists are told."""
    inner = "<eins><code>rot</code></eins><zwei><code> rund </code></zwei>" + _drei("DE") + _vier("x")
    verdict = _verdict(folder, inner, frozenset({"*"}))

    assert verdict.is_valid
    assert ["codelist urn:beispiel:form_2", "codelist urn:beispiel:land_2026", "codelist urn:beispiel:frei_a"] == [
        rules.name for rules in verdict.rule_sets[1:]
    ]
    assert hashlib.sha256(samples.FORM.encode()).hexdigest() == verdict.hashes["codelist urn:beispiel:form_2"]


@pytest.mark.parametrize(
    ("inner", "path"),
    [
        ("<zwei><code>oval</code></zwei>", "/bestellung/zwei/code"),
        (_drei("1"), "/bestellung/drei/code"),
        (_vier("x") + _vier("geheim-4711"), "/bestellung/vier[2]/code"),
    ],
)
def test_a_code_of_no_list_is_a_finding_without_its_value(folder: Path, inner: str, path: str) -> None:
    """The finding names place, rule and list; the value stays where it is. A key of another column is no code either."""
    (finding,) = _verdict(folder, inner).findings

    assert ("validate.input.invalid", path, "codelist") == (finding.code, finding.path, finding.rule)
    assert "geheim" not in finding.hint
    assert "urn:beispiel:" in finding.hint


def test_values_in_the_schema_need_no_list(folder: Path) -> None:
    """For Code-Typ 1 the schema itself is the list: XSD has checked it, even where every list is demanded."""
    assert _verdict(folder, "<eins><code>blau</code></eins>", frozenset({"*"})).is_valid


@pytest.mark.parametrize(
    ("inner", "code", "hint"),
    [
        (_vier("x", uri="urn:beispiel:fremd"), "validate.codelist.missing", "urn:beispiel:fremd_a"),
        (_drei("DE", version="1999"), "validate.codelist.version", "urn:beispiel:land_1999"),
        (_vier("x", uri="Erika Mustermann"), "validate.codelist.missing", "?_a"),
    ],
)
def test_a_demanded_list_that_is_missing_is_not_run(folder: Path, inner: str, code: str, hint: str) -> None:
    """Unknown list and unknown version are told apart; neither is valid, and nothing of the sender's own text is told."""
    verdict = _verdict(folder, inner, frozenset({"*"}))
    with pytest.raises(Misconfigured) as caught:
        verdict.demand("bestellung")

    assert not verdict.is_valid
    assert (code, hint) == (caught.value.code, caught.value.where)
    assert verdict.not_run == caught.value.findings


def test_only_the_lists_that_are_named_are_demanded(folder: Path) -> None:
    """Without a demand for it a list that is not installed does not keep a document from being valid."""
    unknown = _vier("x", uri="urn:beispiel:fremd")

    assert _verdict(folder, unknown).is_valid
    assert _verdict(folder, unknown, frozenset({"urn:beispiel:land"})).is_valid
    assert not _verdict(folder, unknown, frozenset({"urn:beispiel:fremd"})).is_valid


def test_a_document_is_not_changed_by_the_check(folder: Path) -> None:
    """What the schema fixes is written into a copy, not into the document that goes on to the mapping."""
    tree = parse(f'<b:bestellung xmlns:b="{samples.NS}"><zwei><code>rund</code></zwei></b:bestellung>'.encode())
    Catalogue.open(folder).validate(tree)

    assert {} == dict(tree[0].attrib)


def test_lists_are_part_of_the_package_and_its_hash(tmp_path: Path, folder: Path) -> None:
    """Another list is another package; a list changed after its installation is found, and nothing is checked by it."""
    locked = read_lock(folder)["codes@1"]
    changed = FILES | {"listen/form.xml": samples.FORM.replace("eckig", "oval")}
    other = install(samples.write_package(tmp_path / "neu", changed), tmp_path / "b", {}, accept_new=True)
    file = folder / "codes@1" / "files" / "listen" / "form.xml"
    file.write_text(changed["listen/form.xml"])

    assert {"listen/form.xml": ("urn:beispiel:form", "2"), "listen/land.xml": ("urn:beispiel:land", "2026")} == dict(
        locked.listed
    )
    assert 3 == locked.files
    assert other.sha256 != locked.sha256
    assert ["codes@1/listen/form.xml"] == [one.path for one in verify(folder, {}, today=date(2026, 1, 1))]
    with pytest.raises(Misconfigured, match=r"validate\.package\.changed"):
        _verdict(folder, "<zwei><code>oval</code></zwei>")


def test_a_pin_covers_the_lists_it_names(tmp_path: Path, folder: Path) -> None:
    """A source with more files beside is that package all the same; with another list it is not."""
    pins = {"codes@1": read_lock(folder)["codes@1"]}
    source = samples.write_package(tmp_path / "quelle", {"oben/" + path: text for path, text in FILES.items()})
    samples.write_package(source, {"oben/listen/andere.xml": samples.FREI})
    taken = install(source, tmp_path / "b", pins)
    (source / "oben/listen/form.xml").write_text(samples.FORM.replace("eckig", "oval"))

    assert ("product", 3) == (taken.review, taken.files)
    with pytest.raises(Misconfigured, match=r"validate\.package\.mismatch"):
        install(source, tmp_path / "c", pins)


def test_lists_of_a_folder_are_taken_without_a_description(tmp_path: Path) -> None:
    """`--as` takes every list of a folder, and leaves XML that is no list where it is."""
    folder = samples.write_package(
        tmp_path / "listen", {"a/form.xml": samples.FORM, "a/land.gc": samples.LAND, "a/beispiel.xml": "<x/>"}
    )
    taken = install(folder, tmp_path / "schemas", {}, accept_new=True, as_id="listen@1")

    assert (2, 0) == (taken.files, taken.roots)
    assert {"form.xml", "land.gc"} == set(read_lock(tmp_path / "schemas")["listen@1"].listed)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"package.toml": 'name = "l"\nversion = "1"\ncode_lists = ["fehlt.xml"]\n', "a.xml": samples.FORM}, "refused"),
        (
            {
                "package.toml": 'name = "l"\nversion = "1"\ncode_lists = ["fehlt.xml", "a.xml"]\n',
                "a.xml": samples.FORM,
            },
            "manifest",
        ),
        (
            {
                "package.toml": 'name = "l"\nversion = "1"\ncode_lists = ["a.xml", "b.xml"]\n',
                "a.xml": samples.FORM,
                "b.xml": samples.FORM,
            },
            "manifest",
        ),
        ({"package.toml": 'name = "l"\nversion = "1"\n', "a.xml": samples.FORM}, "manifest"),
    ],
)
def test_a_package_whose_lists_are_not_as_described_is_refused(
    tmp_path: Path, files: dict[str, str], code: str
) -> None:
    """A list that is not there, twice the same list, neither schema nor list: nothing is installed."""
    with pytest.raises(Misconfigured) as caught:
        install(samples.write_package(tmp_path / "quelle", files), tmp_path / "schemas", {}, accept_new=True)

    assert f"validate.package.{code}" == caught.value.code
    assert () == list_installed(tmp_path / "schemas")


def test_two_packages_may_not_differ_over_a_list(tmp_path: Path, folder: Path) -> None:
    """The same list from two packages is one list; with other codes nobody knows which holds."""
    same = samples.write_package(tmp_path / "gleich", {"form.xml": samples.FORM.replace(">x<", ">y<")})
    install(same, folder, {}, accept_new=True, as_id="gleich@1")
    once = _verdict(folder, "<zwei><code>rund</code></zwei>")
    shutil.rmtree(same)
    other = samples.write_package(tmp_path / "anders", {"form.xml": samples.FORM.replace("eckig", "oval")})
    install(other, folder, {}, accept_new=True, as_id="anders@1")

    assert once.is_valid
    with pytest.raises(Misconfigured) as caught:
        _verdict(folder, "<zwei><code>rund</code></zwei>")
    assert "validate.codelist.ambiguous" == caught.value.code
