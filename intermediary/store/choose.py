"""Which Nachrichten are meant: conditions that must all hold, as the engines are asked for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from intermediary.audit.chain import moment
from intermediary.core.states import NachrichtState, ZustellungState
from intermediary.store.database import Database
from intermediary.store.due import REFUSED_AGAIN
from intermediary.store.search_keys import hashes_of, having
from intermediary.store.tables import nachrichten, zustellungen

_N, _Z = nachrichten.c, zustellungen.c


@dataclass(frozen=True, slots=True)
class Chosen:
    """Conditions that must all hold; none means every Nachricht. `ids` are whole ids.

    `code` also finds wait reasons and refused redeliveries, `search_key` is the value of a LeikaId or business key as in
    `Store.find`.
    """

    ids: tuple[str, ...] = ()
    mandant: str | None = None
    state: NachrichtState | None = None
    code: str | None = None
    route: str | None = None
    search_key: str | None = field(default=None, repr=False)
    since: datetime | None = None
    until: datetime | None = None


def conditions(db: Database, chosen: Chosen) -> list[ColumnElement[bool]]:
    """What SQL is asked for, without the ids."""
    found: list[ColumnElement[bool]] = []
    if chosen.mandant is not None:
        found.append(_N.mandant == chosen.mandant)
    if chosen.state is not None:
        found.append(_N.state == chosen.state)
    if chosen.code is not None:
        found.append(or_(_N.code == chosen.code, _N.wait_reason == chosen.code, and_(*refused_with(chosen.code))))
    if chosen.route is not None:
        found += [_N.route == chosen.route, _N.route != ""]
    if chosen.search_key is not None:
        found.append(_N.id.in_(having(key_hashes(db, chosen.search_key, chosen.mandant))))
    if chosen.since is not None:
        found.append(_N.received_at >= chosen.since)
    if chosen.until is not None:
        found.append(_N.received_at < chosen.until)
    return found


def refused_with(code: str) -> tuple[ColumnElement[bool], ...]:
    """That a redelivery was refused with this code, and nobody has acted on it: few, found by what they bear themselves."""
    own = (_Z.nachricht_id == _N.id, _Z.code == code, _Z.state == ZustellungState.REFUSED, _Z.redelivery > 0)
    return (_N.wait_reason == REFUSED_AGAIN, _N.wait_reason != "", select(_Z.key).where(*own).exists())


def canonical(db: Database, chosen: Chosen) -> dict[str, Any]:
    """The same for a row or an event: a business key only as its keyed hashes, because nothing readable rests."""
    found: dict[str, Any] = {}
    if chosen.ids:
        found["ids"] = sorted(set(chosen.ids))
    for name in ("mandant", "code", "route"):
        if getattr(chosen, name) is not None:
            found[name] = getattr(chosen, name)
    if chosen.state is not None:
        found["state"] = chosen.state.value
    if chosen.search_key is not None:
        found["key_hashes"] = sorted(key_hashes(db, chosen.search_key, chosen.mandant))
    for name in ("since", "until"):
        if getattr(chosen, name) is not None:
            found[name] = moment(getattr(chosen, name))
    return found


def key_hashes(db: Database, search_key: str, mandant: str | None) -> list[str]:
    """What the value rests under with one Mandant, or with all that there are."""
    return hashes_of(db, search_key, mandanten=sorted(db.keys.mandanten()) if mandant is None else [mandant])
