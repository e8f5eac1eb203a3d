"""What a report says, as values: the fields of the form with where they go, the target with where it comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field

from intermediary.core.codes import CATALOGUE
from intermediary.core.ports import ANY_ROOT
from intermediary.core.tables import fields_of
from intermediary.core.values import Ausgabe
from intermediary.mapping.structure import elements_of
from intermediary.testing.workbench.asked import Asked
from intermediary.testing.workbench.bench import Bench
from intermediary.testing.workbench.coverage import plain
from intermediary.testing.workbench.report.origins import Origin, origin_of
from intermediary.testing.workbench.report.rules import explained
from intermediary.testing.workbench.trial import Trial
from intermediary.xml.parser import Element, parse


@dataclass(frozen=True, slots=True)
class Goal:
    """A leaf of the target: its path, how it is made, the values seen in cases, and whether it has to be."""

    path: str
    origins: tuple[Origin, ...]
    values: tuple[str, ...] = field(repr=False)
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A field of the form and the leaves it goes into. `standing`: carried, looked (at only), shown
    (in the document of a mapping that reads any form), ignored, unseen.
    """

    asked: Asked
    goals: tuple[tuple[str, Origin], ...]
    standing: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of the route; `default` is None where one has to be given."""

    name: str
    help: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule by which the mapping refuses an application or waits, as its cases show it."""

    rule: str
    hint: str
    where: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a page shows of one mapping. `whole`: in how many accepted cases the form data are handed on unchanged.

    `targets`: standard and message of what comes out; a mapping may write more than one.
    """

    bench: Bench
    targets: tuple[tuple[str, str], ...]
    goals: tuple[Goal, ...]
    sources: tuple[Source, ...]
    settings: tuple[Setting, ...]
    refusals: tuple[Refusal, ...]
    rules: Mapping[str, str]
    used_rules: tuple[str, ...]
    whole: int
    readable: int


def facts_of(bench: Bench) -> Facts:
    """The facts of a mapping whose cases were run."""
    outputs = [(one, one.outcome.ausgabe) for one in bench.trials if one.outcome is not None and one.outcome.ausgabe]
    goals = tuple(_goals(bench, outputs))
    refusals = tuple(_refusals(bench.trials))
    used = tuple(dict.fromkeys(o.rule for goal in goals for o in goal.origins if o.rule))
    readme = bench.place.folder / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else _readme_above(bench)
    every = (*used, *(one.rule for one in refusals))
    return Facts(
        bench=bench,
        targets=tuple(dict.fromkeys((one.standard, one.message) for _, one in outputs)) or _planned(bench),
        goals=goals,
        sources=tuple(_sources(bench, goals)),
        settings=tuple(_settings(getattr(bench.place.mapping, "settings_type", None))),
        refusals=refusals,
        rules=explained(text, every),
        used_rules=used,
        whole=sum(_holds_payload(trial, ausgabe) for trial, ausgabe in outputs),
        readable=sum(any(d.media_type == "text/html" for d in ausgabe.dokumente) for _, ausgabe in outputs),
    )


def _planned(bench: Bench) -> tuple[tuple[str, str], ...]:
    """What it means to write, while nothing comes out."""
    return ((bench.place.mapping.standard, bench.shape.root.name if bench.shape is not None else "?"),)


def _root(trial: Trial) -> str:
    """The path of the payload's root element."""
    return f"/{str(trial.case.antrag.tree.tag).rpartition('}')[2]}"


def _readme_above(bench: Bench) -> str:
    above = bench.place.root / "README.md"
    return above.read_text(encoding="utf-8") if above.is_file() and bench.place.address != bench.place.name else ""


def _goals(bench: Bench, outputs: list[tuple[Trial, Ausgabe]]) -> Iterator[Goal]:
    origins: dict[str, dict[Origin, None]] = defaultdict(dict)
    values: dict[str, dict[str, None]] = defaultdict(dict)
    for trial, ausgabe in outputs:
        for one in ausgabe.herkunft:
            origins[plain(one.target)][origin_of(one, _root(trial))] = None
        for path, text in _leaves(parse(ausgabe.nachricht), ""):
            values[path][text] = None
    known = list(elements_of(bench.shape)) if bench.shape is not None else []
    least = {path: child.least > 0 and not child.choice for path, child in known}
    order = list(dict.fromkeys([path for path, _ in known if path in origins] + list(origins)))
    for path in order:
        yield Goal(path, tuple(origins[path]), tuple(values[path]), least.get(path, False))


def _leaves(element: Element, above: str) -> Iterator[tuple[str, str]]:
    path = f"{above}/{str(element.tag).rpartition('}')[2]}"
    if not len(element):
        yield path, "".join(str(piece) for piece in element.itertext())
    for child in element:
        yield from _leaves(child, path)


def _sources(bench: Bench, goals: tuple[Goal, ...]) -> Iterator[Source]:
    going: dict[str, list[tuple[str, Origin]]] = defaultdict(list)
    for goal in goals:
        for origin in goal.origins:
            for path in origin.inputs:
                going[path].append((goal.path, origin))
    ignored = {one.path for one in bench.coverage.ignored}
    unseen = {one.path for one in bench.coverage.unseen}
    seen = "shown" if bench.place.mapping.input_root == ANY_ROOT else "looked"
    for asked in bench.form.fields:
        goes = tuple(going.get(asked.path, ()))
        if asked.path in unseen:
            standing = "unseen"
        elif goes:
            standing = "carried"
        else:
            standing = "ignored" if asked.path in ignored else seen
        yield Source(asked, goes, standing)


def _settings(kind: type | None) -> Iterator[Setting]:
    for name, (one, _) in fields_of(kind).items() if kind is not None else ():
        default = None if one.default is MISSING else str(one.default)
        yield Setting(name, str(one.metadata.get("help", "")), default)


def _refusals(trials: tuple[Trial, ...]) -> Iterator[Refusal]:
    found: dict[tuple[str, str, str], dict[str, None]] = defaultdict(dict)
    for one in trials:
        if one.outcome is None:
            continue
        for befund in one.outcome.befunde:
            where = plain(befund.path)
            found[befund.rule or _meaning(befund.code), befund.hint, where][one.case.name] = None
    for (rule, hint, where), cases in sorted(found.items()):
        yield Refusal(rule, hint, where, tuple(cases))


def _holds_payload(trial: Trial, ausgabe: Ausgabe) -> bool:
    payload = trial.case.antrag.payload.content.sha256
    return any(one.content.sha256 == payload for one in ausgabe.dokumente)


def _meaning(code: str) -> str:
    return CATALOGUE[code].meaning if code in CATALOGUE else code
