"""The XPath of scenario files as stylesheets: which scenario fits a document, and whether a report is accepted."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.values import Befund
from intermediary.validate.rules.forbidden import XSL
from intermediary.validate.rules.scenarios import Scenario
from intermediary.xml.cage.cage import Sheet
from intermediary.xml.parser import Element, parse

VARL = "http://www.xoev.de/de/validator/varl/1"
_KEPT = frozenset({"xml", "xsl"})


def choice(scenarios: Sequence[Scenario]) -> Sheet:
    """Says which of the scenarios match a document."""
    return _questions([(one, one.match) for one in scenarios])


def acceptance(scenario: Scenario) -> Sheet:
    """Says whether the scenario's `acceptMatch` holds for a report."""
    return _questions([(scenario, scenario.accept)])


def answers(output: bytes, where: str) -> tuple[int, ...]:
    """The questions that were answered with yes; raises `Misconfigured` unless all of them were asked."""
    try:
        run = parse(output)
        yes = tuple(int(one.get("n", "")) for one in run.iterchildren("yes"))
    except (Rejected, ValueError) as error:
        raise Misconfigured("validate.rules.broken", where=f"{where}: broke off") from error
    if run.tag != "run" or len(run) == 0 or run[-1].tag != "end":
        raise Misconfigured("validate.rules.broken", where=f"{where}: broke off")
    return yes


def report(tree: Element, findings: Sequence[Befund], steps: Sequence[str]) -> bytes:
    """What `acceptMatch` is asked about: our verdict in the validator's report format, with the document in it.

    Of that format (varl) it has `report/scenarioMatched/validationStepResult` and `report/assessment/accept|reject`.
    """
    root = etree.Element(f"{{{VARL}}}report", nsmap={"rep": VARL}, valid=str(not findings).lower())
    matched = etree.SubElement(root, f"{{{VARL}}}scenarioMatched")
    for step in steps:
        etree.SubElement(matched, f"{{{VARL}}}validationStepResult", id=step, valid=str(not findings).lower())
    assessment = etree.SubElement(root, f"{{{VARL}}}assessment")
    etree.SubElement(assessment, f"{{{VARL}}}{'reject' if findings else 'accept'}")
    whole = etree.tostring(root)
    document = etree.tostring(tree, encoding="unicode", with_tail=False).encode()
    end = whole.rindex(b"</")
    return whole[:end] + document + whole[end:]


def _questions(questions: Sequence[tuple[Scenario, str]]) -> Sheet:
    root = etree.Element(f"{{{XSL}}}stylesheet", nsmap={"xsl": XSL}, version="3.0")
    root.set("exclude-result-prefixes", "#all")
    template = etree.SubElement(root, f"{{{XSL}}}template", match="/")
    run = etree.SubElement(template, "run")
    for number, (scenario, expression) in enumerate(questions):
        space = {prefix: uri for prefix, uri in scenario.namespaces.items() if prefix not in _KEPT and prefix and uri}
        condition = etree.SubElement(run, f"{{{XSL}}}if", nsmap=space, test=f"boolean({expression})")
        etree.SubElement(condition, "yes", n=str(number))
    etree.SubElement(run, "end")
    return Sheet.of("xslt3", etree.tostring(root, encoding="utf-8"))
