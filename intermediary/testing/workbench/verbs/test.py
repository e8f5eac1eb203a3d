"""`mapping test`: do the golden cases still come out as reviewed, and how much of form and target do they show."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from intermediary.cli.complain import FINDINGS, error
from intermediary.cli.options import json_option, say, say_json, wrapped
from intermediary.testing.golden import GoldenError
from intermediary.testing.workbench.bench import Bench, bench
from intermediary.testing.workbench.coverage import Coverage
from intermediary.testing.workbench.skeleton.unassigned import unassigned
from intermediary.testing.workbench.trial import NOT_INSTALLED, Problem
from intermediary.testing.workbench.verbs.options import chosen, schemas_option

_MOST_SHOWN = 12
_MOST_TOLD = 40


@click.command("test")
@click.argument("names", nargs=-1)
@click.option("--update", is_flag=True, help="Make what comes out the expectation; read the difference like code.")
@click.option("--all", "show_all", is_flag=True, help="Show every element that differs and every field nobody reads.")
@schemas_option
@json_option
def test(names: tuple[str, ...], update: bool, show_all: bool, schemas: Path | None, as_json: bool) -> None:
    """Run the golden cases of NAMES (`bewohnerparken`, `bewohnerparken@1`, a folder `./hund`), or of all mappings.

    Says element by element what was expected and what was found, and the line of the mapping. Exit code 0: all as
    expected, every leaf has its origin, everything the target demands is filled; 1: not so; 2: usage.
    """
    worst = 0
    for place in chosen(names):
        try:
            shown = bench(place, schemas, is_update=update)
        except GoldenError as broken:
            error(f"{place.name}: {broken}")
            worst = FINDINGS
            continue
        is_fine = not shown.failed and not shown.coverage.without and not shown.coverage.not_filled and shown.trials
        worst = max(worst, 0 if is_fine else FINDINGS)
        if as_json:
            say_json(_facts(shown, is_official=schemas is not None and not _is_missing(shown)))
        else:
            for line in _told(shown, schemas, most=sys.maxsize if show_all else _MOST_SHOWN):
                say(line)
    sys.exit(worst)


def _is_missing(shown: Bench) -> bool:
    return any(NOT_INSTALLED in problem.told for one in shown.trials for problem in one.problems)


def _told(shown: Bench, schemas: Path | None, *, most: int) -> Iterator[str]:
    for one in shown.trials:
        if one.problems:
            yield from wrapped(f"{one.case.name}: {one.case.why}")
            for problem in one.problems[:most]:
                yield from _problem(problem)
            yield from _more(len(one.problems), most, "Abweichungen")
    name = shown.place.name
    missing = "--schemas" if schemas is None else "Paket fehlt" if _is_missing(shown) else ""
    checked = f"Ausgaben nicht amtlich geprüft: {missing}" if missing else "Ausgaben amtlich geprüft"
    if not shown.trials:
        yield f"{name}: kein Testfall in {shown.place.folder / 'golden'}"
    else:
        yield f"{name}: {len(shown.trials) - shown.failed} von {len(shown.trials)} Fällen wie erwartet ({checked})"
    if missing and schemas is not None:
        yield f"    einspielen: intermediary schemas install PAKET --folder {schemas}"
    yield from _coverage(shown.coverage, most)
    left = unassigned(shown.place.root, shown.place.module)
    if left:
        yield f"    noch nicht zugeordnet: {len(left)}"
        yield from (f"        {one.file}:{one.line}  {one.target}" for one in left[:most])
        yield from _more(len(left), most, "Stellen", indent=8)


def _problem(problem: Problem) -> Iterator[str]:
    yield f"    {problem.place}{f'  ({problem.line})' if problem.line else ''}"
    for line in problem.told[:_MOST_TOLD]:
        yield from (f"        {piece}" for piece in line.splitlines())
    yield from _more(len(problem.told), _MOST_TOLD, "Zeilen", indent=8)


def _coverage(found: Coverage, most: int) -> Iterator[str]:
    if not found.accepted:  # all would be missing, and say nothing of the mapping
        yield f"    noch keine Ausgabe: {found.required} Pflichtangaben des Ziels, {found.asked} Felder des Formulars"
        return
    having = found.leaves - len(found.without)
    if found.leaves:
        share = 100 * having / found.leaves
        yield f"    Herkunft: {having} von {found.leaves} Blattelementen ({share:.4g} %)"
        yield from _listed(found.without, most)
    if found.required:
        filled = found.required - len(found.not_filled)
        yield f"    Pflichtangaben des Ziels: {filled} von {found.required} gefüllt"
        yield from _listed(found.not_filled, most)
    if found.asked:
        read = found.asked - len(found.ignored) - len(found.unseen)
        yield f"    Felder des Formulars: {read} von {found.asked} gelesen"
        for fields, what in ((found.ignored, "gesendet, aber nie gelesen"), (found.unseen, "in keinem Testfall")):
            if fields:
                yield f"      {what}: {len(fields)}"
                yield from _listed([f"{_end(one.path)}  {one.label}" for one in fields], most)


def _end(path: str) -> str:
    """A field with the group it stands in: names repeat."""
    return "/".join(path.split("/")[2:][-2:])


def _listed(texts: tuple[str, ...] | list[str], most: int) -> Iterator[str]:
    yield from (f"        {one}" for one in texts[:most])
    yield from _more(len(texts), most, "", indent=8)


def _more(count: int, most: int, what: str, *, indent: int = 4) -> Iterator[str]:
    if count > most:
        yield f"{' ' * indent}… und {count - most} weitere {what}".rstrip() + " (--all)"


def _facts(shown: Bench, *, is_official: bool) -> dict[str, object]:
    found = shown.coverage
    return {
        "name": shown.place.name,
        "sha256": shown.place.sha256,
        "cases": len(shown.trials),
        "failed": [
            {
                "case": one.case.name,
                "problems": [{"place": p.place, "line": p.line, "told": list(p.told)} for p in one.problems],
            }
            for one in shown.trials
            if one.problems
        ],
        "official": is_official,
        "leaves": found.leaves,
        "without_origin": list(found.without),
        "required": found.required,
        "not_filled": list(found.not_filled),
        "asked": found.asked,
        "ignored": [one.path for one in found.ignored],
        "unseen": [one.path for one in found.unseen],
        "unassigned": [f"{one.file}:{one.line}" for one in unassigned(shown.place.root, shown.place.module)],
    }
