"""One Nachricht being changed, before anything of it is written: what moves, and the events that tell of it.

`Work` writes it. What need not be written at once (a judgement, right before the first intent) stays a draft in the claim of
its holder, and goes into the transaction of whatever is done next under it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from intermediary.core.states import (
    IllegalTransition,
    NachrichtState,
    ZustellungState,
    check_nachricht,
    check_zustellung,
)
from intermediary.core.values import EMPTY
from intermediary.store import due
from intermediary.store.records import Claim, ZustellungRecord
from intermediary.store.vorgang import open_number, waiting_number


@dataclass(frozen=True, slots=True)
class Told:
    """An event that is not chained yet."""

    name: str
    fields: Mapping[str, Any]
    actor: str
    at: datetime


class Draft:
    """What becomes of one Nachricht; begins as a claim knows it, with the draft that is in it."""

    def __init__(self, claim: Claim, now: datetime) -> None:
        begun = claim.draft
        self._begun_from = claim
        self._now = now
        self._claim: Claim = begun._claim if begun is not None else claim
        self._before = self._claim.nachricht
        self._known = {record.key: record for record in self._claim.zustellungen}
        self.nachricht = claim.nachricht
        self._zustellungen = {record.key: record for record in claim.zustellungen}
        self._events: list[Told] = list(begun._events) if begun is not None else []
        self._search_rows: list[dict[str, Any]] = list(begun._search_rows) if begun is not None else []
        self._ends_lease = False

    @property
    def zustellungen(self) -> tuple[ZustellungRecord, ...]:
        return tuple(self._zustellungen.values())

    def zustellung(self, key: str) -> ZustellungRecord:
        """The Zustellung with this key; LookupError when the Nachricht has none."""
        try:
            return self._zustellungen[key]
        except KeyError:
            raise LookupError("the Nachricht has no such Zustellung") from None

    def event(self, name: str, fields: Mapping[str, Any] = EMPTY, *, actor: str = "") -> None:
        """Chain an event that goes into the same transaction."""
        self._events.append(Told(name, fields, actor, self._now))

    def change(self, **values: Any) -> None:
        """Change what is no state."""
        if "state" in values:
            raise TypeError("a state is moved, together with its event")
        self.nachricht = replace(self.nachricht, **values)

    def move(
        self,
        state: NachrichtState,
        event: str,
        fields: Mapping[str, Any] = EMPTY,
        *,
        actor: str = "",
        **values: Any,
    ) -> None:
        """Move the Nachricht; its attempts start anew and its own waiting ends unless `values` say otherwise."""
        if state is self.nachricht.state:
            raise IllegalTransition(f"the Nachricht is {state} already")
        check_nachricht(self.nachricht.state, state)
        self.event(event, fields, actor=actor)
        fresh = {"attempts": 0, "own_due_at": None, "wait_reason": "", "code": "", "state_since": self._now}
        self.nachricht = replace(self.nachricht, state=state, **{**fresh, **values})

    def change_zustellung(self, key: str, **values: Any) -> None:
        """Change what is no state of a Zustellung."""
        if "state" in values:
            raise TypeError("a state is moved, together with its event")
        self._zustellungen[key] = replace(self._zustellungen[key], **values)

    def move_zustellung(
        self,
        key: str,
        state: ZustellungState,
        event: str,
        fields: Mapping[str, Any] = EMPTY,
        *,
        actor: str = "",
        **values: Any,
    ) -> None:
        """Move a Zustellung; `fields` are completed with its target and key."""
        record = self._zustellungen[key]
        check_zustellung(record.state, state)
        self.event(event, {"target": record.target, "key": key, **fields}, actor=actor)
        self._zustellungen[key] = replace(record, state=state, **values)

    def add_zustellung(self, record: ZustellungRecord) -> None:
        """A new Zustellung; the caller writes the event that tells of it."""
        if record.key in self._zustellungen:
            raise AssertionError("two Zustellungen would share a key")
        self._zustellungen[record.key] = record

    def drop_zustellungen(self) -> None:
        """Forget Zustellungen that were never tried; the caller deletes their rows in this transaction."""
        self._zustellungen.clear()

    def end_lease(self) -> None:
        """The claim ends with this transaction."""
        self._ends_lease = True

    def index(self, search_rows: Sequence[dict[str, Any]]) -> None:
        """Rows by which it can be found from now on (`search_keys.py`)."""
        self._search_rows += search_rows

    def claim(self) -> Claim:
        """The claim as its holder goes on with it, with all of this in it and nothing written."""
        self._look_ahead()
        return replace(self._claim, nachricht=self.nachricht, zustellungen=self.zustellungen, draft=self)

    def _leave_out_begun(self) -> None:
        """The draft that this began with is written already, only the answer was lost: what was added to it is left."""
        begun = self._begun_from.draft
        if begun is None:
            return
        self._before = self._begun_from.nachricht
        self._known = {record.key: record for record in self._begun_from.zustellungen}
        self._events = self._events[len(begun._events) :]
        self._search_rows = self._search_rows[len(begun._search_rows) :]

    def _look_ahead(self) -> None:
        """What follows from all that was changed: when to look at it next, what it waits for, its place in its Vorgang."""
        records = self.zustellungen
        self.nachricht = replace(
            self.nachricht,
            due_at=due.due_at(self.nachricht, records),
            wait_reason=due.wait_reason(self.nachricht, records),
            vorgang_open=open_number(self.nachricht, records),
            vorgang_waits=waiting_number(self.nachricht, records),
        )
