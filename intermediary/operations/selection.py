"""Which Nachrichten a verb is about: ids, id prefixes or conditions, in the words of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Self

from intermediary.core.codes import CATALOGUE
from intermediary.core.states import NachrichtState
from intermediary.store.choose import Chosen
from intermediary.store.due import REFUSED_AGAIN, refused_again
from intermediary.store.records import NachrichtRecord
from intermediary.store.store import Store

CONDITIONS = ("mandant", "state", "code", "route", "key", "since", "until")


class BadSelection(Exception):
    """The words do not make a selection; the text says which and what would."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Ids (or unique prefixes) and conditions; with both, an id must also meet the conditions.

    Conditions are `mandant=`, `state=`, `code=`, `route=`, `key=` (a LeikaId or business key), `since=` and `until=`
    (ISO 8601, local time where no zone is given); all of them must hold.
    """

    ids: tuple[str, ...] = ()
    mandant: str | None = None
    state: NachrichtState | None = None
    code: str | None = None
    route: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None

    @classmethod
    def parse(cls, words: Sequence[str], *, limit: int | None = None) -> Self:
        """Read words such as `3f2a state=parked code=target.unreachable`; raises `BadSelection`."""
        ids: list[str] = []
        found: dict[str, str] = {}
        for word in words:
            name, equals, value = word.partition("=")
            if not equals:
                ids.append(word)
            elif name not in CONDITIONS:
                near = get_close_matches(name, CONDITIONS, n=1)
                hint = f"; did you mean {near[0]}=" if near else f"; known are {', '.join(CONDITIONS)}"
                raise BadSelection(f"unknown condition {name}={hint}")
            elif name in found:
                raise BadSelection(f"{name}= is given twice")
            else:
                found[name] = value
        return cls(
            ids=tuple(ids),
            mandant=found.get("mandant"),
            state=_state(found.get("state")),
            code=_code(found.get("code")),
            route=found.get("route"),
            key=found.get("key"),
            since=_moment(found.get("since")),
            until=_moment(found.get("until")),
            limit=limit,
        )

    @property
    def is_empty(self) -> bool:
        """Whether it names nothing at all: verbs that change something refuse that."""
        return self == Selection(limit=self.limit)

    def of(self, store: Store) -> Iterator[NachrichtRecord]:
        """The Nachrichten it names, newest first; `NotFound` or `Ambiguous` for an id that is not exactly one."""
        if not self.ids:
            yield from store.find(
                mandant=self.mandant,
                state=self.state,
                code=self.code,
                route=self.route,
                search_key=self.key,
                since=self.since,
                until=self.until,
                limit=self.limit,
            )
            return
        with_key = None if self.key is None else {one.id for one in store.find(search_key=self.key)}
        for prefix in self.ids:
            nachricht = store.get(store.resolve(prefix))
            if self._meets(nachricht, store) and (with_key is None or nachricht.id in with_key):
                yield nachricht

    def chosen(self, store: Store) -> Chosen:
        """The same for the store to choose by; faults of `of` for an id that is not exactly one."""
        return Chosen(
            ids=tuple(dict.fromkeys(store.resolve(prefix) for prefix in self.ids)),
            mandant=self.mandant,
            state=self.state,
            code=self.code,
            route=self.route,
            search_key=self.key,
            since=self.since,
            until=self.until,
        )

    def _meets(self, nachricht: NachrichtRecord, store: Store) -> bool:
        return (
            (self.mandant is None or nachricht.mandant == self.mandant)
            and (self.state is None or nachricht.state is self.state)
            and (self.code is None or self.code in _codes(nachricht, store))
            and (self.route is None or nachricht.route == self.route)
            and (self.since is None or nachricht.received_at >= self.since)
            and (self.until is None or nachricht.received_at < self.until)
        )


def _codes(nachricht: NachrichtRecord, store: Store) -> Iterator[str]:
    """What it is found by, as in the store."""
    yield from (nachricht.code, nachricht.wait_reason)
    if nachricht.wait_reason == REFUSED_AGAIN:
        yield from (one.code for one in refused_again(store.zustellungen(nachricht.id)))


def _state(text: str | None) -> NachrichtState | None:
    if text is None:
        return None
    try:
        return NachrichtState(text)
    except ValueError:
        raise BadSelection(f"unknown state {text}; known are {', '.join(NachrichtState)}") from None


def _code(text: str | None) -> str | None:
    if text is not None and text not in CATALOGUE:
        near = get_close_matches(text, CATALOGUE, n=1)
        raise BadSelection(f"unknown code {text}" + (f"; did you mean {near[0]}" if near else ""))
    return text


def _moment(text: str | None) -> datetime | None:
    return None if text is None else moment_of(text)


def moment_of(text: str) -> datetime:
    """The moment a person writes, in local time where no zone is given; `BadSelection` when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadSelection(f"not a time: {text}; write for example 2026-11-21T08:00+01:00") from None
    return moment if moment.tzinfo else moment.astimezone()  # as people read it in the tables
