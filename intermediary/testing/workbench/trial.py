"""Runs one golden case and says what is not as it should be: which element, expected, found, line of the mapping."""

from __future__ import annotations

import difflib
import linecache
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from intermediary.mapping.builder import BuildError
from intermediary.mapping.lines import Notes, noted
from intermediary.operations.mapping_places import Place
from intermediary.testing.golden import Case, GoldenError, Outcome, run, update
from intermediary.testing.workbench.compare import differences_of
from intermediary.testing.workbench.skeleton.unassigned import OPEN
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse

MESSAGE = "nachricht.xml"
NOT_INSTALLED = "für diese Nachricht ist kein amtliches Paket installiert"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a case. `place` is an element or a file, `line` the line of the mapping behind it.

    `told` are the lines for people; they may hold values, because golden cases are synthetic.
    """

    place: str
    told: tuple[str, ...]
    line: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """A case that was run. `outcome` is None when the mapping broke; `notes` are of what it did until then."""

    case: Case
    outcome: Outcome | None = field(repr=False)
    problems: tuple[Problem, ...] = field(repr=False)
    notes: Notes = field(default_factory=Notes, repr=False)


def trial(
    place: Place, case: Case, inputs: Catalogue | None, official: Catalogue | None, *, is_update: bool = False
) -> Trial:
    """Run a case; with `is_update` what comes out becomes the expectation (unless the verdict is another one).

    `inputs` guards the mapping as in production, `official` judges what comes out; None leaves either out.
    """
    with noted() as notes:
        try:
            outcome = run(place.mapping, case, inputs)
            if is_update:
                update(case, outcome)
        except GoldenError as broken:
            return Trial(case, None, (Problem("input.xml", (str(broken),)),))
        except BuildError as defect:
            told = (f"der Zielstandard lässt das nicht zu: {defect.rule}", _source_of(place, defect.line))
            return Trial(case, None, (Problem(defect.path, told, defect.line),))
        except Exception as failure:  # a mapping may break in any way; its developer needs the line
            return Trial(case, None, (_crash(place, failure),))
    return Trial(case, outcome, tuple(_problems(case, outcome, official, _Lines(notes.lines))), notes)


class _Lines:
    """The line behind a place; positions that are one are spelled or not."""

    def __init__(self, lines: Mapping[str, str]) -> None:
        self._lines = {_without_ones(path): line for path, line in lines.items()}

    def of(self, path: str) -> str:
        place = _without_ones(path.partition("/@")[0].partition(" ")[0])
        while place:
            if self._lines.get(place):
                return self._lines[place]
            place = place.rpartition("/")[0]
        return ""


def _problems(case: Case, outcome: Outcome, official: Catalogue | None, lines: _Lines) -> Iterator[Problem]:
    if outcome.verdict != case.expect:
        found = {"accepted": "angenommen", "refused": "abgelehnt", "waits": "wartet"}
        told = (f"erwartet: {found[case.expect]}", f"gefunden: {found[outcome.verdict]}")
        yield Problem("case.toml expect", (*told, *_befunde(outcome)))
    expected = {path.name: path.read_bytes() for path in (case.folder / "expected").glob("*") if path.is_file()}
    for name in sorted(expected.keys() | outcome.files.keys()):
        yield from _file(name, expected.get(name), outcome.files.get(name), lines)
    if official is not None and outcome.ausgabe is not None:
        verdict = official.validate(parse(outcome.ausgabe.nachricht))
        for one in verdict.findings:
            yield Problem(one.path, (f"amtliches Schema: {one.rule} {one.hint}".rstrip(),), lines.of(one.path))
        if not verdict.ran:
            yield Problem(MESSAGE, (NOT_INSTALLED,))


def _file(name: str, before: bytes | None, after: bytes | None, lines: _Lines) -> Iterator[Problem]:
    if before == after:
        return
    if before is None or after is None:
        missing = (
            "wird jetzt erzeugt, ist aber nicht erwartet" if before is None else "ist erwartet, entsteht aber nicht"
        )
        yield Problem(f"expected/{name}", (missing,))
        return
    found = differences_of(parse(before), parse(after)) if name == MESSAGE else []
    for one in found:
        told = (f"erwartet: {_shown(one.expected)}", f"gefunden: {_shown(one.found)}")
        yield Problem(one.path, told, lines.of(one.path))
    if not found:
        old, new = (data.decode("utf-8", "replace").splitlines() for data in (before, after))
        changed = difflib.unified_diff(old, new, n=0, lineterm="")
        yield Problem(f"expected/{name}", tuple(line for line in changed if not line.startswith(("---", "+++"))))


def _shown(text: str | None) -> str:
    return "–" if text is None else f"„{text}“"


def _befunde(outcome: Outcome) -> list[str]:
    return [outcome.files[name].decode() for name in ("befunde.json",) if name in outcome.files]


def _crash(place: Place, failure: Exception) -> Problem:
    """The last line of the mapping's own code before it broke."""
    frames = [
        one
        for one in traceback.extract_tb(failure.__traceback__)
        if Path(one.filename).is_relative_to(place.folder) and one.name != OPEN
    ]
    told = f"{type(failure).__name__}: {failure}" if str(failure) else type(failure).__name__
    if not frames:
        return Problem("Mapping", (told,))
    last = frames[-1]
    line = f"{Path(last.filename).relative_to(place.folder)}:{last.lineno}"
    return Problem("Mapping", (told, f"    {last.line}" if last.line else ""), line)


def _source_of(place: Place, line: str) -> str:
    """The text of a line that a builder named."""
    name, _, number = line.partition(":")
    found = sorted(place.folder.rglob(name)) if name else []
    return (
        f"    {linecache.getline(str(found[0]), int(number)).strip()}" if len(found) == 1 and number.isdigit() else ""
    )


def _without_ones(path: str) -> str:
    return path.replace("[1]", "")
