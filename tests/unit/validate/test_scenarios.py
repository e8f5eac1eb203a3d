"""Scenario files of the KoSIT validator over our catalogue: match, schema, Schematron, levels, acceptance."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.validate.verdict import Verdict
from intermediary.xml.cage import cage as cage_module
from intermediary.xml.parser import parse
from tests.unit.validate.rule_samples import schematron
from tests.unit.validate.samples import ANTRAG, GOOD, MANIFEST, NS, TYPEN, PackageMaker

VARL = "http://www.xoev.de/de/validator/varl/1"
TWO = GOOD.replace("<art>neu</art>", "<art>neu</art><art>alt</art>")
ALT = GOOD.replace("<art>neu</art>", "<art>alt</art>")
RULES = schematron(
    f'<sch:ns prefix="a" uri="{NS}"/><sch:pattern><sch:rule context="a:antrag">'
    '<sch:assert id="ART-1" test="count(a:art) = 1">Nur eine Art.</sch:assert>'
    '<sch:assert id="ART-2" role="warning" test="a:zusatz">Ein Zusatz hilft.</sch:assert></sch:rule></sch:pattern>'
)
STRICT = ANTRAG.replace('value="[0-9]{5}"', 'value="1[0-9]{4}"')


def scenario(match: str = "/a:antrag", *, schema: str = "antrag.xsd", rules: str = "art.xsl", more: str = "") -> str:
    return (
        f'<scenario><name>Antrag {len(match)}</name><namespace prefix="a">\n {NS}</namespace>'
        f'<namespace prefix="rep">{VARL}</namespace><match>{match}</match>'
        f"<validateWithXmlSchema><resource><name>s</name><location>{schema}</location></resource></validateWithXmlSchema>"
        f"<validateWithSchematron><resource><name>r</name><location>{rules}</location></resource></validateWithSchematron>"
        f"{more}</scenario>"
    )


def scenarios(*inside: str) -> str:
    return (
        '<scenarios xmlns="http://www.xoev.de/de/validator/framework/1/scenarios" frameworkVersion="1.1.2">'
        f"<name>n</name><date>2026-01-01</date><description><p>d</p></description>{''.join(inside)}"
        "<noScenarioReport><resource><name>n</name><location>report.xsl</location></resource></noScenarioReport></scenarios>"
    )


def levels(level: str, *rules: str) -> str:
    return (
        "<createReport><resource><name>r</name><location>report.xsl</location></resource>"
        f'<customLevel level="{level}">{" ".join(rules)}</customLevel></createReport>'
    )


@pytest.fixture
def judge(make_package: PackageMaker):  # type: ignore[no-untyped-def]
    """Holds a document against a package with these scenarios."""

    def run(document: str, *inside: str) -> Verdict:
        package = make_package(
            files={"antrag.xsd": ANTRAG, "typen.xsd": TYPEN, "streng/streng.xsd": STRICT.replace("typen", "../typen"),
                   "sch/art.sch": RULES, "scenarios.xml": scenarios(*inside)},
            manifest=MANIFEST + '[[rules]]\nfile = "scenarios.xml"\nincludes = ["sch/art.sch"]\n',
        )  # fmt: skip
        return Catalogue.open(None, [package]).validate(parse(document.encode()))

    return run


def test_a_scenario_runs_its_steps(judge) -> None:  # type: ignore[no-untyped-def]
    """The scenario, and each Schematron it names, stand in the verdict; a translated one is taken from its source."""
    verdict = judge(GOOD, scenario())

    assert [one.name for one in verdict.rule_sets] == [
        "antrag@1 antrag.xsd", "antrag@1 scenarios.xml: Antrag 9", "antrag@1 sch/art.sch"
    ]  # fmt: skip
    assert (verdict.is_valid, [one.rule for one in verdict.warnings]) == (True, ["ART-2"])


def test_a_broken_rule_refuses(judge) -> None:  # type: ignore[no-untyped-def]
    """An error of the Schematron is a finding."""
    assert [one.rule for one in judge(TWO, scenario()).findings] == ["ART-1"]


@pytest.mark.parametrize(
    ("level", "rule", "document", "findings", "warnings"),
    [
        ("warning", "ART-1", TWO, [], ["ART-1", "ART-2"]),
        ("information", "ART-1", TWO, [], ["ART-1", "ART-2"]),
        ("error", "ART-2", GOOD, ["ART-2"], []),
        ("warning", "ART-9 ART-8", TWO, ["ART-1"], ["ART-2"]),
    ],
)
def test_levels_of_a_scenario_count(  # type: ignore[no-untyped-def]
    judge, level: str, rule: str, document: str, findings: list[str], warnings: list[str]
) -> None:
    """customLevel excuses and tightens single rules."""
    verdict = judge(document, scenario(more=levels(level, rule)))

    assert ([one.rule for one in verdict.findings], [one.rule for one in verdict.warnings]) == (findings, warnings)


@pytest.mark.parametrize(
    ("accept", "document", "expected"),
    [
        ("count(//a:art[. = 'alt']) = 0", GOOD, []),
        ("count(//a:art[. = 'alt']) = 0", ALT, ["scenario.accept"]),
        ("/rep:report/rep:assessment[1]/rep:accept[1]", GOOD, []),
        ("/rep:report/rep:assessment[1]/rep:accept[1]", TWO, ["ART-1", "scenario.accept"]),
        ("/rep:report/rep:scenarioMatched/rep:validationStepResult/@id = 'xsd'", GOOD, []),
        ("true()", TWO, ["ART-1"]),
    ],
)
def test_acceptance_can_refuse_and_never_excuse(judge, accept: str, document: str, expected: list[str]) -> None:  # type: ignore[no-untyped-def]
    """acceptMatch is asked about a report with the document in it; a broken rule stays one whatever it says."""
    verdict = judge(document, scenario(more=f"<acceptMatch>{accept}</acceptMatch>"))

    assert [one.rule for one in verdict.findings] == expected


def test_no_scenario_is_a_finding(judge) -> None:  # type: ignore[no-untyped-def]
    """A document of the package that none of its scenarios means is refused."""
    assert [one.rule for one in judge(GOOD, scenario("/a:antrag[a:zusatz]")).findings] == ["scenario.none"]


def test_two_scenarios_are_no_verdict(judge) -> None:  # type: ignore[no-untyped-def]
    """Which of them counts, nobody can say."""
    with pytest.raises(Misconfigured) as caught:
        judge(GOOD, scenario(), scenario("/a:antrag[a:art]"))

    assert caught.value.code == "validate.rules.broken"


def test_the_scenario_that_matches_is_taken(judge) -> None:  # type: ignore[no-untyped-def]
    """Of several, by what the document says."""
    verdict = judge(ALT, scenario("/a:antrag[a:art = 'neu']"), scenario("/a:antrag[a:art='alt']"))

    assert verdict.rule_sets[1].name == "antrag@1 scenarios.xml: Antrag 22"


def test_a_schema_of_a_scenario_runs_besides(judge) -> None:  # type: ignore[no-untyped-def]
    """A schema that is no entry of the package; the rules are then not run, as in the validator."""
    verdict = judge(TWO.replace("12345", "22345"), scenario(schema="streng/streng.xsd"))

    assert [one.rule for one in verdict.findings] == ["SCHEMAV_CVC_PATTERN_VALID"]
    assert "antrag@1 streng/streng.xsd" in verdict.hashes


@pytest.mark.parametrize("match", ["error()", "/a:antrag[xs:integer(a:name) = 1]"])
def test_a_match_that_breaks_off_is_no_verdict(judge, match: str) -> None:  # type: ignore[no-untyped-def]
    """Neither matched nor not matched."""
    with pytest.raises(Misconfigured) as caught:
        judge(GOOD, scenario(match))

    assert caught.value.code == "validate.rules.broken"


def test_without_saxon_scenarios_are_not_run(judge, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """Scenarios are XPath 2: without its processor nothing is valid."""
    monkeypatch.setattr(cage_module, "has_saxon", lambda: False)
    verdict = judge(GOOD, scenario())

    assert (verdict.is_valid, [one.code for one in verdict.not_run]) == (False, ["validate.rules.engine"])


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (scenario("doc('file:///etc/passwd')"), "validate.rules.forbidden"),
        (scenario(more="<acceptMatch>unparsed-text('x')</acceptMatch>"), "validate.rules.forbidden"),
        (scenario().replace(NS, "java:java.lang.System"), "validate.rules.forbidden"),
        (scenario(rules="none.xsl"), "validate.rules.broken"),
        (scenario(rules="../../../etc/passwd"), "validate.rules.broken"),
        (scenario(rules="http://127.0.0.1/x.sch"), "validate.rules.broken"),
        (scenario(schema="scenarios.xml"), "validate.rules.broken"),
        (scenario("/a:antrag["), "validate.rules.broken"),
        (scenario(""), "validate.rules.broken"),
        (scenario(more=levels("fatal", "x")), "validate.rules.broken"),
        ("", "validate.rules.broken"),
    ],
)  # fmt: skip
def test_hostile_and_faulty_scenarios_are_not_installed(
    make_package: PackageMaker, tmp_path: Path, inside: str, code: str
) -> None:
    """Nothing is fetched, nothing is guessed: the file is refused with its reason."""
    source = make_package(
        files={"antrag.xsd": ANTRAG, "typen.xsd": TYPEN, "art.sch": RULES, "scenarios.xml": scenarios(inside)},
        manifest=MANIFEST + '[[rules]]\nfile = "scenarios.xml"\nincludes = ["art.sch"]\n',
    )
    with pytest.raises(Misconfigured) as caught:
        install(source, tmp_path / "schemas", {}, accept_new=True)

    assert caught.value.code == code
