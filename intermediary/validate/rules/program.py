"""A compiled Schematron, and what its output means for a document."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.values import Befund
from intermediary.validate.findings import CODE, MAX_FINDINGS, overflow
from intermediary.validate.hints import CUT
from intermediary.validate.package import Package
from intermediary.validate.places import Places
from intermediary.validate.rules.model import Assertion, Level
from intermediary.validate.rules.reading import read_schematron
from intermediary.validate.rules.writing import stylesheet
from intermediary.validate.verdict import RuleSet
from intermediary.xml.cage.cage import Sheet
from intermediary.xml.parser import Element, parse

WARNING = "validate.rules.warning"
MOST_OUTPUT = 4 * 1024 * 1024  # beyond, nobody reads the single findings
EMPTY: Mapping[str, Level] = {}


@dataclass(frozen=True, slots=True)
class Program:
    """One Schematron in one phase as a stylesheet, with the sentences its output stands for.

    `sha256` of the rule set covers the package, the phase and what only warns: equal hashes mean equal rules.
    """

    rule_set: RuleSet
    sheet: Sheet
    patterns: int
    assertions: tuple[Assertion, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one rule set says of one document: findings make it invalid, warnings do not."""

    findings: tuple[Befund, ...] = ()
    warnings: tuple[Befund, ...] = ()


def compile_program(package: Package, path: str, phase: str = "", warnings: tuple[str, ...] = ()) -> Program:
    """Reads and translates a Schematron; the stylesheet itself is compiled by the cage at its first use.

    The assertions that `warnings` names do not refuse. Raises
    `Misconfigured("validate.rules.forbidden" | "validate.rules.broken")`, that too for a name which no assertion has.
    """
    schematron = read_schematron(package, path, phase)
    unknown = sorted(set(warnings) - {one.id for one in schematron.assertions})
    if unknown:
        raise Misconfigured("validate.rules.broken", where=f"{package.id} {path}: no assertion {unknown[0][:80]}")
    manifest = package.manifest
    name = f"{package.id} {path}" + (f" {phase}" if phase else "")
    softened = "\n".join(("", *warnings))
    digest = hashlib.sha256(f"{package.id} {package.sha256}\n{path}\n{phase}\n{softened}".encode()).hexdigest()
    return Program(
        RuleSet(name, manifest.name, manifest.version, digest),
        Sheet.of(schematron.binding, stylesheet(schematron)),
        len(schematron.patterns),
        tuple(replace(one, level="warning") if one.id in warnings else one for one in schematron.assertions),
    )


def read_outcome(
    program: Program,
    output: bytes,
    root: Element,
    names: Collection[str],
    levels: Mapping[str, Level] = EMPTY,
) -> Outcome:
    """The findings behind an output. `names` are what paths may repeat, `levels` override those of single rules.

    Raises `Misconfigured("validate.rules.broken")` when the output is not that of a complete run.
    """
    if len(output) > MOST_OUTPUT:
        return Outcome(overflow(MAX_FINDINGS))
    run = _complete(program, output)
    failures = [_Failure.of(one, program, levels) for one in run.iterchildren("f")]
    failures.sort(key=lambda one: (one.at, one.assertion.number))
    errors = [one for one in failures if one.level == "error"]
    warnings = [one for one in failures if one.level == "warning"]
    elements = _elements(root, {one.at for one in (*errors[:MAX_FINDINGS], *warnings[:MAX_FINDINGS])})
    places = Places(root, names)

    def shown(kept: list[_Failure], code: str) -> tuple[Befund, ...]:
        found = [_befund(one, code, elements.get(one.at), places, names) for one in kept[:MAX_FINDINGS]]
        if len(kept) > MAX_FINDINGS:
            found.append(Befund(code, rule="too-many-findings", hint=CUT.format(limit=MAX_FINDINGS)))
        return tuple(found)

    return Outcome(shown(errors, CODE), shown(warnings, WARNING))


@dataclass(frozen=True, slots=True)
class _Failure:
    assertion: Assertion
    level: Level
    at: int
    attribute: str = field(repr=False)

    @classmethod
    def of(cls, element: Element, program: Program, levels: Mapping[str, Level]) -> _Failure:
        try:
            number, at = int(element.get("a", "")), int(element.get("e", ""))
            assertion = program.assertions[number]
        except (ValueError, IndexError) as error:
            raise _not_complete(program) from error
        return cls(assertion, levels.get(assertion.id, assertion.level), at, element.get("n", ""))


def _complete(program: Program, output: bytes) -> Element:
    """The root of an output in which every pattern has said that it was done."""
    try:
        run = parse(output)
    except Rejected as fault:
        raise _not_complete(program) from fault
    done = sum(1 for _ in run.iterchildren("p"))
    if run.tag != "run" or len(run) == 0 or run[-1].tag != "end" or done != program.patterns:
        raise _not_complete(program)
    return run


def _not_complete(program: Program) -> Misconfigured:
    return Misconfigured("validate.rules.broken", where=f"{program.rule_set.name}: broke off")


def _elements(root: Element, wanted: set[int]) -> dict[int, Element]:
    """The elements at positions in document order, from 1; one walk."""
    most = max(wanted, default=0)
    walk = enumerate(islice(root.iter(), most), start=1)
    return {number: element for number, element in walk if number in wanted}


def _line(element: Element) -> int | None:
    line: Any = element.sourceline
    return int(line) if line else None


def _befund(failure: _Failure, code: str, element: Element | None, places: Places, names: Collection[str]) -> Befund:
    path, name, line = "/", "*", None
    if element is not None:
        path, name = places.of(element)
        line = _line(element)
    if failure.attribute:
        name = failure.attribute if failure.attribute in names else "*"
        path = f"{path}/@{name}"
    hint = failure.assertion.hint.replace("{name}", name)
    return Befund(code, path=path, line=line, rule=failure.assertion.id, hint=hint)
