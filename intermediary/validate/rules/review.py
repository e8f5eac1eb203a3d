"""Looking at a package's rules before it is taken in: read, translated and, where the processor is there, compiled."""

from __future__ import annotations

from collections.abc import Iterable

from intermediary.core.faults import Misconfigured
from intermediary.validate.manifest import Rules
from intermediary.validate.package import Package, Packages
from intermediary.validate.rules.choosing import acceptance, choice
from intermediary.validate.rules.program import compile_program
from intermediary.validate.rules.scenarios import read_scenarios
from intermediary.xml.cage.cage import Cage, Caged, Sheet, has_saxon


def review_rules(package: Package, packages: Packages) -> None:
    """Raises `Misconfigured("validate.rules.broken" | "validate.rules.forbidden")` for rules that cannot run.

    A root of `rules` that no package in reach declares, or a file that is not there, is `validate.package.manifest`.
    """
    reach = [package, *packages.within_reach(package)[1:]]
    entries = {entry for one in reach for entry in one.index}
    known = {root for one in reach for roots in one.index.values() for root in roots}
    named: list[tuple[str, Sheet]] = []
    for rules in package.manifest.rules:
        unknown = [root for root in rules.roots if root not in known]
        unknown += [entry for entry in rules.entries if entry not in entries]
        unknown += [path for path in (rules.file, *rules.includes) if path not in package.files]
        if unknown:
            raise Misconfigured("validate.package.manifest", where=f"{package.id}: rules: {unknown[0]}")
        name = f"{package.id} {rules.file}"
        if not rules.is_scenarios:
            named.append((name, compile_program(package, rules.file, rules.phase, rules.warnings).sheet))
            continue
        scenarios = read_scenarios(package, rules.file, packages)
        named.append((name, choice(scenarios)))
        for one in scenarios:
            named += [(f"{place.id} {path}", compile_program(place, path).sheet) for place, path in one.rules]
            named += [(f"{name}: {one.name}", acceptance(one))] if one.accept else []
    _compile([(name, sheet) for name, sheet in named if sheet.kind == "xslt1" or has_saxon()])


def without_processor(packages: Iterable[Package]) -> tuple[str, ...]:
    """The rules that cannot run here, `package file`: they need Saxon, and it is not installed.

    For `lint` and `doctor`: documents with such rules would wait. Rules that cannot be read are somebody else's finding.
    """
    if has_saxon():
        return ()
    names = ((package, rules) for package in packages for rules in package.manifest.rules)
    return tuple(f"{package.id} {rules.file}" for package, rules in names if _needs_saxon(package, rules))


def _needs_saxon(package: Package, rules: Rules) -> bool:
    if rules.is_scenarios:
        return True
    try:
        return compile_program(package, rules.file, rules.phase).sheet.kind == "xslt3"
    except Misconfigured:
        return False


def _compile(named: list[tuple[str, Sheet]]) -> None:
    if not named:
        return
    cage = Cage()
    try:
        cage.compile([sheet for _, sheet in named])
    except Caged as caged:
        code = "validate.rules.limit" if caged.reason == "limit" else "validate.rules.broken"
        text = " ".join(caged.text.split())[:200]
        raise Misconfigured(code, where=f"{named[caged.position][0]}: {text}") from caged
    finally:
        cage.close()
