"""The routing table: which Nachricht goes through which mapping to which targets.

`parse_routes` reads the text of the routes file into frozen values, `select` answers for one Nachricht, `lint_routes`
finds what a single line cannot show. Everything here is pure; whoever reads the file decides when it is read anew.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Literal, Self

from intermediary.core.attachments import AttachmentRules
from intermediary.core.faults import Misconfigured
from intermediary.core.ids import LeikaId, Name
from intermediary.core.json_schema import ROUTE_SCHEMA
from intermediary.core.roots import JSON_ROOT
from intermediary.core.tables import build, did_you_mean
from intermediary.core.values import EMPTY, Befund

_MAPPING = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}@[1-9][0-9]{0,5}")
_LINE = re.compile(r"at line ([0-9]+)")
_LONGEST_WHERE = 500

Requirement = Literal["transport-signature", "content-signature", "trusted"]
Stage = Literal["production", "test"]
Order = Literal["none", "vorgang"]


class MappingName(str):
    """Name and version of a mapping, `bewohnerparken@1`."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _MAPPING.fullmatch(text):
            raise ValueError('expected name@version, for example "bewohnerparken@1"')
        return super().__new__(cls, text)


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a route: every one given must hold, one left out always holds."""

    root: str | None = field(
        default=None,
        metadata={"help": "QName of the payload's root element, {namespace}name; for JSON json or json:<$schema>"},
    )
    service: str | None = field(default=None, metadata={"help": "the service as the envelope names it"})
    leika: LeikaId | None = field(default=None, metadata={"help": "key of the Leistung, 14 digits"})
    message_type: str | None = field(
        default=None, metadata={"help": "message type of the envelope: OSCI's, or the code of XTA's MessageType"}
    )
    reader: str | None = field(default=None, metadata={"help": "the reader as the envelope names it, as a DVDV key"})

    def __post_init__(self) -> None:
        if "" in self.conditions().values():
            raise ValueError("an empty condition never holds: leave it out")

    def conditions(self) -> dict[str, str]:
        """The conditions given, by name."""
        all_of_them = {
            "root": self.root,
            "service": self.service,
            "leika": self.leika,
            "message_type": self.message_type,
            "reader": self.reader,
        }
        return {name: value for name, value in all_of_them.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Target:
    """One target of a route: a connector with its settings. `deadline_hours` None means the installation's deadline."""

    name: Name = field(metadata={"help": "name of the target, unique in its route"})
    connector: str = field(metadata={"help": "name of an installed connector"})
    required: bool = field(default=True, metadata={"help": "whether the answer to the sender depends on this target"})
    settings: Mapping[str, object] = field(
        default_factory=lambda: EMPTY, metadata={"help": "the connector's own settings"}
    )
    deadline_hours: int | None = field(default=None, metadata={"help": "hours from receipt until a person is asked"})
    max_per_minute: int | None = field(
        default=None, metadata={"help": "at most so many deliveries in any minute, over all hosts", "minimum": 1}
    )
    max_parallel: int | None = field(
        default=None, metadata={"help": "at most so many deliveries at the same time, over all hosts", "minimum": 1}
    )


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table. `stage` says whether real applications arrive here or only tests (DESIGN §2.15)."""

    name: Name = field(metadata={"help": "name of the route, unique for its Mandant"})
    mandant: Name = field(metadata={"help": "the Mandant whose Nachrichten it takes"})
    mapping: MappingName = field(metadata={"help": "mapping and version"})
    targets: tuple[Target, ...] = field(metadata={"help": "where the output goes", "key": "target"})
    stage: Stage = field(default="production", metadata={"help": "production, or test: takes test messages"})
    order: Order = field(
        default="none",
        metadata={"help": "vorgang: each target gets the Nachrichten of one Vorgang in the order of acceptance"},
    )
    require: tuple[Requirement, ...] = field(default=(), metadata={"help": "what the sender's signatures must show"})
    when: When = field(default_factory=When, metadata={"help": "conditions; the most specific route wins"})
    settings: Mapping[str, str] = field(default_factory=lambda: EMPTY, metadata={"help": "settings of the mapping"})
    files: Mapping[str, str] = field(
        default_factory=lambda: EMPTY, metadata={"help": "files or folders the mapping reads, relative to this file"}
    )

    attachments: AttachmentRules | None = field(
        default=None, metadata={"help": "what attachments may be; without it all are taken as they are"}
    )

    def __post_init__(self) -> None:
        if not any(target.required for target in self.targets):
            raise ValueError("at least one target must be required, otherwise the sender never gets an answer")

    @property
    def specificity(self) -> int:
        """How many conditions it has; the higher wins."""
        return len(self.when.conditions())

    def makes_test(self, is_marked: bool) -> bool:
        """Whether what it makes is a test: everything that goes through a test route is, marked by its sender or not."""
        return is_marked or self.stage == "test"

    def applies(self, facts: Mapping[str, str]) -> bool:
        """Whether every condition holds for these facts."""
        return all(facts[name] == value for name, value in self.when.conditions().items())


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """All routes in the order of the file; the order means nothing."""

    routes: tuple[Route, ...] = field(default=(), metadata={"help": "the routes", "key": "route"})

    def by_name(self, mandant: str, name: str) -> Route | None:
        """The route of a Mandant with this name."""
        return next((route for route in self.routes if (route.mandant, route.name) == (mandant, name)), None)

    def knows_root(self, root: str) -> bool:
        """Whether any route asks for this root; JSON (`json`, `json:…`) is known where a route without root describes it."""
        is_json = root.partition(":")[0] == JSON_ROOT
        return any(
            route.when.root == root or (is_json and route.when.root is None and ROUTE_SCHEMA in route.files)
            for route in self.routes
        )


def parse_routes(text: str, *, where: str = "routes.toml") -> RoutingTable:
    """The table described by the text of a routes file.

    Raises `Misconfigured("route.table.invalid")` with every finding: broken TOML with its line, unknown keys with the
    nearest name, wrong types, missing values, names used twice. Paths in targets' settings stay as written; they are
    relative to the file and resolved when the connector is built.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _LINE.search(str(error))
        finding = Befund(code="config.syntax", line=int(line.group(1)) if line else None, hint=str(error))
        raise Misconfigured("route.table.invalid", where=where, findings=(finding,)) from error
    table, findings = build(RoutingTable, raw, base=Path())
    if table is not None:
        findings = list(_used_twice(table))
    if table is None or findings:
        raise Misconfigured("route.table.invalid", where=where, findings=tuple(findings))
    return table


def select(
    table: RoutingTable,
    *,
    mandant: str,
    root: str,
    service: str,
    leika: str,
    message_type: str,
    is_test: bool,
    reader: str = "",
) -> Route:
    """The one route for a Nachricht with these facts: all conditions hold, and it has the most of them.

    A test message meets only routes of stage `test`. Any other meets production routes first; only where none applies
    does a test route take it, and then everything it makes is a test (a channel like OSCI cannot mark a test itself).
    Raises `Misconfigured` with `route.missing`, `route.ambiguous` (equally specific routes), or `test.message` (only
    production routes apply to a test message).
    """
    facts = {"root": root, "service": service, "leika": leika, "message_type": message_type, "reader": reader}
    applying = [route for route in table.routes if route.mandant == mandant and route.applies(facts)]
    if not applying:
        raise Misconfigured("route.missing", where=_printable(_described(mandant, facts)))
    tests = [route for route in applying if route.stage == "test"]
    production = [route for route in applying if route.stage == "production"]
    if is_test and not tests:
        raise Misconfigured("test.message", where=_named(production))
    candidates = tests if is_test else production or tests
    highest = max(route.specificity for route in candidates)
    best = [route for route in candidates if route.specificity == highest]
    if len(best) > 1:
        raise Misconfigured("route.ambiguous", where=_named(best))
    return best[0]


def lint_routes(table: RoutingTable, *, mandanten: Collection[str] | None = None) -> tuple[Befund, ...]:
    """What is wrong between routes: unknown Mandanten, ambiguous pairs, a test that reaches a production target.

    `mandanten` are the configured ones; None leaves that check out.
    """
    return (*_unknown_mandanten(table, mandanten), *_ambiguous(table), *_shared_targets(table))


def _used_twice(table: RoutingTable) -> Iterator[Befund]:
    for (_, name), count in Counter((route.mandant, route.name) for route in table.routes).items():
        if count > 1:
            yield Befund(code="config.name.twice", path=f"route[{name}].name", hint="one Mandant, one name, one route")
    for route in table.routes:
        for name, count in Counter(target.name for target in route.targets).items():
            if count > 1:
                path = f"route[{route.name}].target[{name}].name"
                yield Befund(code="config.name.twice", path=path, hint="every target of a route has its own name")


def _unknown_mandanten(table: RoutingTable, mandanten: Collection[str] | None) -> Iterator[Befund]:
    for route in table.routes:
        if mandanten is not None and route.mandant not in mandanten:
            hint = did_you_mean(route.mandant, mandanten)
            yield Befund(code="route.mandant.unknown", path=f"route[{route.name}].mandant", hint=hint)


def _ambiguous(table: RoutingTable) -> Iterator[Befund]:
    for one, other in combinations(table.routes, 2):
        if _can_tie(one, other) and not _is_settled(table, one, other):
            yield Befund(code="route.ambiguous", path=f"route[{one.name}].when", hint=f'same as route "{other.name}"')


def _can_tie(one: Route, other: Route) -> bool:
    if (one.mandant, one.stage, one.specificity) != (other.mandant, other.stage, other.specificity):
        return False
    conditions = other.when.conditions()
    return all(conditions.get(name, value) == value for name, value in one.when.conditions().items())


def _is_settled(table: RoutingTable, one: Route, other: Route) -> bool:
    """Whether a more specific route takes everything that both of them match."""
    both = {**one.when.conditions(), **other.when.conditions()}.items()
    return any(
        route.specificity > one.specificity and route.when.conditions().items() <= both
        for route in table.routes
        if (route.mandant, route.stage) == (one.mandant, one.stage)
    )


def _shared_targets(table: RoutingTable) -> Iterator[Befund]:
    real = [(route, target) for route in table.routes if route.stage == "production" for target in route.targets]
    for route in table.routes:
        for target in route.targets if route.stage == "test" else ():
            for owner, taken in real:
                if (target.connector, target.settings) == (taken.connector, taken.settings):
                    path = f"route[{route.name}].target[{target.name}]"
                    yield Befund(code="test.message", path=path, hint=f'production target of route "{owner.name}"')


def _named(routes: Iterable[Route]) -> str:
    return "routes " + ", ".join(sorted(route.name for route in routes))


def _described(mandant: str, facts: Mapping[str, str]) -> str:
    """The facts a new route could ask for, as they would be written into `[route.when]`."""
    given = ", ".join(f'{name} = "{value}"' for name, value in facts.items() if value)
    return f"mandant {mandant}: {given}"


def _printable(text: str) -> str:
    """A text with a sender's part in it, fit for a log line."""
    return "".join(character if character.isprintable() else "?" for character in text)[:_LONGEST_WHERE]
