"""Rules beyond XSD in the catalogue: which run, in whose order, and what becomes of a verdict when one cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install, list_installed
from intermediary.validate.lock import read_lock
from intermediary.validate.rules import review
from intermediary.validate.rules.review import without_processor
from intermediary.validate.verdict import Verdict
from intermediary.xml.cage import cage as cage_module
from intermediary.xml.cage.cage import Cage, Caged
from intermediary.xml.parser import parse
from tests.unit.validate.rule_samples import SCH, schematron
from tests.unit.validate.samples import ANTRAG, GOOD, MANIFEST, NS, TYPEN, PackageMaker

RULES_OF = f'<sch:ns prefix="a" uri="{NS}"/><sch:pattern><sch:rule context="a:antrag">{{}}</sch:rule></sch:pattern>'
ONE_ART = (
    '<sch:assert id="art-1" test="count(a:art) = 1">Nur eine Art, nicht <sch:value-of select="a:art[2]"/>.</sch:assert>'
)
NO_ZUSATZ = '<sch:assert id="zusatz" role="warning" test="a:zusatz">Ein Zusatz hilft.</sch:assert>'
ONE_RULE = '<sch:pattern><sch:rule context="{}"><sch:assert test="{}"/></sch:rule></sch:pattern>'
BREAKS = '<sch:assert id="breaks" test="xs:integer(a:name) = 1"/>'
TEIL = (
    f'<sch:pattern {SCH}><sch:rule context="*:antrag">'
    '<sch:assert id="art-1" test="count(*:art) = 1">Nur eine Art.</sch:assert></sch:rule></sch:pattern>'
)
TWO = GOOD.replace("<art>neu</art>", "<art>neu</art><art>alt</art>")


def rules(*assertions: str, binding: str = "xslt2") -> str:
    return schematron(RULES_OF.format("".join(assertions)), binding=binding)


def files(**sch: str) -> dict[str, str]:
    return {"antrag.xsd": ANTRAG, "typen.xsd": TYPEN} | {f"{name}.sch": text for name, text in sch.items()}


def manifest(*names: str, more: str = "") -> str:
    return MANIFEST + "".join(f'[[rules]]\nfile = "{name}"\n{more}' for name in names)


@pytest.fixture
def catalogue_of(make_package: PackageMaker):  # type: ignore[no-untyped-def]
    """A catalogue over one package of a mapping, with these Schematrons."""

    def make(*names: str, more: str = "", **sch: str) -> Catalogue:
        return Catalogue.open(
            None,
            [make_package(files=files(**sch), manifest=manifest(*(names or [f"{one}.sch" for one in sch]), more=more))],
        )

    return make


def judge(catalogue: Catalogue, document: str = GOOD) -> Verdict:
    return catalogue.validate(parse(document.encode()))


def test_a_verdict_lists_every_rule_set_that_ran(catalogue_of) -> None:  # type: ignore[no-untyped-def]
    """Schema and rules, each with a hash of its own."""
    verdict = judge(catalogue_of(eins=rules(ONE_ART), zwei=rules(NO_ZUSATZ, binding="xslt")))

    assert [one.name for one in verdict.rule_sets] == ["antrag@1 antrag.xsd", "antrag@1 eins.sch", "antrag@1 zwei.sch"]
    assert len({one.sha256 for one in verdict.rule_sets}) == 3
    assert (verdict.is_valid, [one.rule for one in verdict.warnings]) == (True, ["zusatz"])


@pytest.mark.parametrize("binding", ["xslt", "xslt2"])
def test_a_broken_rule_is_a_finding(catalogue_of, binding: str) -> None:  # type: ignore[no-untyped-def]
    """Element path, rule and the author's sentence, without the value."""
    verdict = judge(catalogue_of(eins=rules(ONE_ART, binding=binding)), TWO)
    (finding,) = verdict.findings

    assert (finding.code, finding.path, finding.rule) == ("validate.input.invalid", "/antrag", "art-1")
    assert (finding.hint, finding.line) == ("Nur eine Art, nicht ….", 1)
    assert not verdict.is_valid


def test_rules_run_on_documents_that_their_schema_finds_valid(catalogue_of) -> None:  # type: ignore[no-untyped-def]
    """Rules are written for valid documents: on others they are not run, and do not break."""
    verdict = judge(catalogue_of(eins=rules(BREAKS)), GOOD.replace("12345", "x"))

    assert (len(verdict.rule_sets), verdict.is_valid) == (1, False)


def test_rules_that_break_off_leave_no_verdict(catalogue_of) -> None:  # type: ignore[no-untyped-def]
    """A Schematron that crashes half-way, after one that passed, is a fault and never valid."""
    catalogue = catalogue_of("eins.sch", "zwei.sch", eins=rules(ONE_ART), zwei=rules(BREAKS))
    with pytest.raises(Misconfigured) as caught:
        judge(catalogue)

    assert (caught.value.code, caught.value.where) == ("validate.rules.broken", "antrag@1 zwei.sch: broke off")


@pytest.mark.parametrize("reason", ["limit", "run"])
def test_rules_that_are_stopped_leave_no_verdict(catalogue_of, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:  # type: ignore[no-untyped-def]
    """Whatever ends a run, nobody is told that the document is valid."""

    def stopped(*_: object) -> None:
        raise Caged(reason)  # type: ignore[arg-type]

    monkeypatch.setattr(Cage, "run", stopped)
    with pytest.raises(Misconfigured) as caught:
        judge(catalogue_of(eins=rules(ONE_ART)))

    assert caught.value.code == {"limit": "validate.rules.limit", "run": "validate.rules.broken"}[reason]


def test_half_an_output_leaves_no_verdict(catalogue_of, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """A processor that ends early and well-formed is noticed (planted)."""
    monkeypatch.setattr(Cage, "run", lambda *_: (b"<run/>",))
    with pytest.raises(Misconfigured) as caught:
        judge(catalogue_of(eins=rules(ONE_ART)))

    assert caught.value.code == "validate.rules.broken"


def test_without_saxon_the_verdict_is_not_run(catalogue_of, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Rules in XSLT 2 without their processor: the others run, nothing is valid, and the operator learns which."""
    monkeypatch.setattr(cage_module, "has_saxon", lambda: False)
    verdict = judge(catalogue_of("eins.sch", "zwei.sch", eins=rules(ONE_ART), zwei=rules(NO_ZUSATZ, binding="xslt")))
    with pytest.raises(Misconfigured) as caught:
        verdict.demand("antrag")

    assert [one.name for one in verdict.rule_sets] == ["antrag@1 antrag.xsd", "antrag@1 zwei.sch"]
    assert (verdict.is_valid, verdict.findings) == (False, ())
    assert (caught.value.code, caught.value.where) == ("validate.rules.engine", "antrag@1 eins.sch")


def test_an_unusable_cage_is_no_verdict(catalogue_of, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """The child cannot even be started."""
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(Misconfigured) as caught:
        judge(catalogue_of(eins=rules(ONE_ART)))

    assert caught.value.code == "validate.rules.limit"


def test_rules_are_translated_and_compiled_once(catalogue_of, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """A hundred documents, one translation."""
    from intermediary.validate.rules import engine

    made = []
    compile_program = engine.compile_program
    monkeypatch.setattr(engine, "compile_program", lambda *given: made.append(given) or compile_program(*given))
    catalogue = catalogue_of(eins=rules(ONE_ART))
    for _ in range(100):
        assert judge(catalogue).is_valid

    assert len(made) == 1


@pytest.mark.parametrize(("more", "runs"), [
    ("", True), (f'roots = ["{{{NS}}}antrag"]', True), ('roots = ["{urn:other}x"]', False),
    ('entries = ["antrag.xsd"]', True), ('entries = ["typen.xsd"]', False),
])  # fmt: skip
def test_rules_are_for_the_roots_they_name(catalogue_of, more: str, runs: bool) -> None:  # type: ignore[no-untyped-def]
    """By root, by the entry that declares it, or for the whole package."""
    assert judge(catalogue_of(more=more, eins=rules(ONE_ART)), TWO).is_valid is not runs


@pytest.mark.parametrize("phase", ["", "streng"])
def test_a_manifest_chooses_the_phase(catalogue_of, phase: str) -> None:  # type: ignore[no-untyped-def]
    """The phase is part of the rule set's name and hash."""
    text = rules(ONE_ART).replace(
        "<sch:pattern>", '<sch:phase id="streng"><sch:active pattern="p"/></sch:phase><sch:pattern id="p">'
    )
    verdict = judge(catalogue_of(more=f'phase = "{phase}"' if phase else "", eins=text))

    assert verdict.rule_sets[1].name == f"antrag@1 eins.sch {phase}".strip()


def test_a_manifest_lets_an_assertion_warn(catalogue_of) -> None:  # type: ignore[no-untyped-def]
    """What no document can fulfil does not refuse, is told, and is part of the hash; an unknown name is a fault."""
    plain, softened = catalogue_of(eins=rules(ONE_ART)), catalogue_of(more='warnings = ["art-1"]', eins=rules(ONE_ART))
    verdict = judge(softened, TWO)
    with pytest.raises(Misconfigured) as caught:
        judge(catalogue_of(more='warnings = ["art-2"]', eins=rules(ONE_ART)))

    assert verdict.is_valid
    assert [one.rule for one in verdict.warnings] == ["art-1"]
    assert verdict.rule_sets[1].sha256 != judge(plain, TWO).rule_sets[1].sha256
    assert (caught.value.code, caught.value.where) == ("validate.rules.broken", "antrag@1 eins.sch: no assertion art-2")


@pytest.fixture
def installed(make_package: PackageMaker, tmp_path: Path) -> Path:
    """A schemas folder with the standard, and its rules in a package of their own."""
    folder = tmp_path / "schemas"
    install(make_package(), folder, {}, accept_new=True)
    source = make_package(
        "regeln",
        {"sch/eins.sch": schematron('<sch:include href="teil.sch"/>'), "sch/teil.sch": TEIL, "liesmich.txt": "x"},
        'name = "regeln"\nversion = "1"\nrequires = ["antrag@1"]\n'
        f'[[rules]]\nfile = "eins.sch"\nincludes = ["teil.sch"]\nroots = ["{{{NS}}}antrag"]\n',
    )
    install(source, folder, {}, accept_new=True)
    return folder


def test_rules_of_a_package_of_their_own(installed: Path) -> None:
    """Whoever installs rules for a standard gets them with every document of it, and `schemas list` shows them."""
    catalogue = Catalogue.open(installed)

    assert [one.rule for one in judge(catalogue, TWO).findings] == ["art-1"]
    assert judge(catalogue).is_valid
    assert {one.id: one.rules for one in list_installed(installed)} == {"antrag@1": (), "regeln@1": ("eins.sch",)}


def test_a_lock_keeps_the_rules(installed: Path) -> None:
    """What is written to the lock is read from it again."""
    manifest = read_lock(installed)["regeln@1"].manifest

    assert [(one.file, one.includes, one.roots) for one in manifest.rules] == [
        ("eins.sch", ("teil.sch",), (f"{{{NS}}}antrag",))
    ]


def test_changed_rules_are_not_run(installed: Path) -> None:
    """Every read is held against the listing, that of an included file too."""
    (installed / "regeln@1" / "files" / "teil.sch").write_text(f"<sch:pattern {SCH}/>")
    with pytest.raises(Misconfigured) as caught:
        judge(Catalogue.open(installed))

    assert caught.value.code == "validate.package.changed"


@pytest.mark.parametrize(
    ("inside", "more", "code"),
    [
        ("<sch:unknown/>", "", "validate.rules.broken"),
        (ONE_RULE.format("a[", "x"), "", "validate.rules.broken"),
        (ONE_RULE.format("a", "doc('x')"), "", "validate.rules.forbidden"),
        ("", 'roots = ["{urn:other}x"]\n', "validate.package.manifest"),
        ("", 'phase = "none"\n', "validate.rules.broken"),
        ("", 'whatever = "x"\n', "validate.package.manifest"),
        ("", 'includes = ["none.sch"]\n', "validate.package.manifest"),
    ],
)  # fmt: skip
def test_rules_that_cannot_run_are_not_installed(
    make_package: PackageMaker, tmp_path: Path, inside: str, more: str, code: str
) -> None:
    """They are read, translated and compiled before anything is written."""
    source = make_package(files=files(eins=schematron(inside)), manifest=manifest("eins.sch", more=more))
    with pytest.raises(Misconfigured) as caught:
        install(source, tmp_path / "schemas", {}, accept_new=True)

    assert caught.value.code == code
    assert list_installed(tmp_path / "schemas") == ()


def test_rules_without_their_processor_are_named_beforehand(catalogue_of, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """What `lint` and `doctor` say before the first Nachricht waits; with the processor, nothing."""
    catalogue = catalogue_of("eins.sch", "zwei.sch", eins=rules(ONE_ART), zwei=rules(NO_ZUSATZ, binding="xslt"))
    before = without_processor(catalogue.packages.values())
    monkeypatch.setattr(review, "has_saxon", lambda: False)

    assert (before, without_processor(catalogue.packages.values())) == ((), ("antrag@1 eins.sch",))
