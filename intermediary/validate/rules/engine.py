"""Holding a document against the rules of the packages in use, through one cage per process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lxml import etree

from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from intermediary.validate.findings import CODE
from intermediary.validate.locations import Place
from intermediary.validate.manifest import Rules
from intermediary.validate.package import Package, Packages
from intermediary.validate.rules import choosing
from intermediary.validate.rules.model import Level
from intermediary.validate.rules.program import EMPTY, Program, compile_program, read_outcome
from intermediary.validate.rules.scenarios import Scenario, read_scenarios
from intermediary.validate.verdict import RuleSet, Verdict
from intermediary.xml.cage.cage import Cage, Caged, Sheet
from intermediary.xml.parser import Element

SchemaCheck = Callable[[Element], tuple[RuleSet, tuple[Befund, ...]]]
SchemaAt = Callable[[Package, str], SchemaCheck]
NO_SCENARIO = "Kein Szenario des Regelwerks passt auf das Dokument."
NOT_ACCEPTED = "Die Annahmebedingung des Szenarios „{name}“ ist nicht erfüllt."


@dataclass(slots=True)
class Checked:
    """What the rules of one document came to so far; `schemas` are those that ran before."""

    schemas: set[tuple[str, str]]
    rule_sets: dict[RuleSet, None] = field(default_factory=dict)
    findings: dict[Befund, None] = field(default_factory=dict)
    warnings: dict[Befund, None] = field(default_factory=dict)
    not_run: dict[Befund, None] = field(default_factory=dict)


class RulesEngine:
    """All rules of one installation; built by the catalogue, shared by the threads of a process.

    Programs are translated once per process and compiled once per child of the cage.
    """

    def __init__(self, packages: Packages, schema_at: SchemaAt, cage: Cage | None = None) -> None:
        self._packages = packages
        self._schema_at = schema_at
        self._cage = cage or Cage()
        self._lock = threading.Lock()
        self._programs: dict[tuple[str, str, str, tuple[str, ...]], Program] = {}
        self._scenarios: dict[tuple[str, str], tuple[Scenario, ...]] = {}
        self._with_rules = [
            (package, packages.within_reach(package)) for package in packages.values() if package.manifest.rules
        ]

    def extend(self, verdict: Verdict, tree: Element, places: Sequence[Place], names: Collection[str]) -> Verdict:
        """The verdict on a document that the schemas at `places` find valid, with what the rules for it say.

        `names` are what paths of findings may repeat. Raises `Misconfigured`: `validate.rules.broken` for rules that
        break off, `validate.rules.limit` for those that were stopped. Neither leaves a verdict.
        """
        chosen = self._rules_for(str(tree.tag), places)
        if not chosen:
            return verdict
        to = Checked({(package.id, path) for package, path in places})
        self._check(tree, chosen, names, to)
        return replace(
            verdict,
            rule_sets=tuple(dict.fromkeys((*verdict.rule_sets, *to.rule_sets))),
            findings=tuple(dict.fromkeys((*verdict.findings, *to.findings))),
            not_run=(*verdict.not_run, *to.not_run),
            warnings=tuple(to.warnings),
        )

    def _rules_for(self, root: str, places: Sequence[Place]) -> tuple[tuple[Package, Rules], ...]:
        """The rules for a document with this root that is checked against the schemas at `places`."""
        if not self._with_rules:
            return ()
        checked = {package.id for package, _ in places}
        return tuple(
            (package, rules)
            for package, reach in self._with_rules
            if checked & {one.id for one in reach}
            for rules in package.manifest.rules
            if _applies(rules, reach, root)
        )

    def _check(
        self, tree: Element, chosen: Sequence[tuple[Package, Rules]], names: Collection[str], to: Checked
    ) -> None:
        document = etree.tostring(tree, encoding="unicode", with_tail=False).encode()
        plain = [(package, rules) for package, rules in chosen if not rules.is_scenarios]
        programs = [self._program(package, rules.file, rules.phase, rules.warnings) for package, rules in plain]
        self._run(tree, document, programs, names, EMPTY, to)
        for package, rules in chosen:
            if rules.is_scenarios:
                self._run_scenarios(tree, document, (package, rules.file), names, to)

    def _run(
        self,
        tree: Element,
        document: bytes,
        programs: Sequence[Program],
        names: Collection[str],
        levels: Mapping[str, Level],
        to: Checked,
    ) -> None:
        outputs = self._outputs(document, [(one.rule_set.name, one.sheet) for one in programs], to)
        for program, output in zip(programs, outputs, strict=False):
            if output is None:
                continue
            outcome = read_outcome(program, output, tree, names, levels)
            to.rule_sets[program.rule_set] = None
            to.findings.update(dict.fromkeys(outcome.findings))
            to.warnings.update(dict.fromkeys(outcome.warnings))

    def _run_scenarios(self, tree: Element, document: bytes, place: Place, names: Collection[str], to: Checked) -> None:
        package, path = place
        name = f"{package.id} {path}"
        scenarios = self._read_scenarios(package, path)
        output = self._outputs(document, [(name, choosing.choice(scenarios))], to)[0]
        if output is None:
            return
        matched = choosing.answers(output, name)
        if len(matched) > 1:
            raise Misconfigured("validate.rules.broken", where=f"{name}: several scenarios match")
        manifest = package.manifest
        label = f"{name}: {scenarios[matched[0]].name}" if matched else name
        to.rule_sets[RuleSet(label, manifest.name, manifest.version, package.sha256)] = None
        if not matched:
            to.findings[Befund(CODE, path="/", rule="scenario.none", hint=NO_SCENARIO)] = None
            return
        self._run_scenario(tree, document, scenarios[matched[0]], label, names, to)

    def _run_scenario(
        self, tree: Element, document: bytes, scenario: Scenario, label: str, names: Collection[str], to: Checked
    ) -> None:
        own = Checked(to.schemas, to.rule_sets, {}, to.warnings, to.not_run)
        for place in scenario.schemas:
            if (place[0].id, place[1]) not in to.schemas:
                rule_set, findings = self._schema_at(*place)(tree)
                to.rule_sets[rule_set] = None
                own.findings.update(dict.fromkeys(findings))
        if not own.findings:
            programs = [self._program(*place) for place in scenario.rules]
            self._run(tree, document, programs, names, scenario.levels, own)
        to.findings.update(own.findings)
        if scenario.accept and not own.not_run:
            steps = ("xsd", *(f"sch.{number}" for number in range(1, len(scenario.rules) + 1)))
            report = choosing.report(tree, tuple(own.findings), steps)
            output = self._outputs(report, [(label, choosing.acceptance(scenario))], to)[0]
            if output is not None and not choosing.answers(output, label):
                hint = NOT_ACCEPTED.format(name=scenario.name)
                to.findings[Befund(CODE, path="/", rule="scenario.accept", hint=hint)] = None

    def _outputs(self, document: bytes, named: Sequence[tuple[str, Sheet]], to: Checked) -> list[bytes | None]:
        """The output of every stylesheet; None where its processor is missing, which is then said in `not_run`."""
        try:
            return list(self._cage.run(document, [sheet for _, sheet in named]))
        except Caged as caged:
            if caged.reason != "missing":
                raise _fault(caged, named[caged.position][0]) from caged
        runnable = [one for one in named if one[1].kind == "xslt1"]
        missing = (Befund("validate.rules.engine", hint=name) for name, sheet in named if sheet.kind != "xslt1")
        to.not_run.update(dict.fromkeys(missing))
        outputs = iter(self._outputs(document, runnable, to) if runnable else [])
        return [next(outputs) if sheet.kind == "xslt1" else None for _, sheet in named]

    def _program(self, package: Package, path: str, phase: str = "", warnings: tuple[str, ...] = ()) -> Program:
        key = (package.id, path, phase, warnings)
        with self._lock:
            known = self._programs.get(key)
            if known is None:
                known = self._programs[key] = compile_program(package, path, phase, warnings)
            return known

    def _read_scenarios(self, package: Package, path: str) -> tuple[Scenario, ...]:
        key = (package.id, path)
        with self._lock:
            known = self._scenarios.get(key)
            if known is None:
                known = self._scenarios[key] = read_scenarios(package, path, self._packages)
            return known


def _applies(rules: Rules, reach: Sequence[Package], root: str) -> bool:
    """Whether rules of `reach[0]`, which requires the others, are meant for documents with this root."""
    if rules.roots or rules.entries:
        declared = (roots for one in reach for entry, roots in one.index.items() if entry in rules.entries)
        return root in rules.roots or any(root in roots for roots in declared)
    answering = reach[:1] if reach[0].manifest.entries else reach
    return any(root in roots for one in answering for roots in one.index.values())


def _fault(caged: Caged, name: str) -> Misconfigured:
    if caged.reason == "limit":
        return Misconfigured("validate.rules.limit", where=name)
    text = " ".join(caged.text.split())[:200]
    return Misconfigured("validate.rules.broken", where=f"{name}: {text}" if text else f"{name}: broke off")
