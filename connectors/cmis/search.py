"""Finds what is filed under a key, wherever it has been moved to meanwhile: by query, then each object by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from connectors.cmis.answer import Absent, Found
from connectors.cmis.label import Label
from connectors.cmis.session import Session
from intermediary.connect.api import Misconfigured


def filed_documents(session: Session, type_id: str, property_id: str, key: str, now: datetime) -> dict[int, Found]:
    """The documents under a key by number, as far as the server's index knows them.

    Working copies are no documents; of two the older one counts. Their properties are read from the objects, because an
    index may be late.
    """
    by_number: dict[int, list[Found]] = {}
    for hit in _hits(session, type_id, property_id, f"LIKE '{key}/%'", now, where="key_property"):
        label = Label.of(hit, property_id)
        if label is not None and label.key == key and not hit.flag("cmis:isPrivateWorkingCopy"):
            by_number.setdefault(label.number, []).append(hit)
    return {number: oldest(hits) for number, hits in by_number.items()}


def filed_folder(session: Session, type_id: str, property_id: str, key: str, now: datetime) -> Found | None:
    """The folder that was made for a key."""
    hits = list(_hits(session, type_id, property_id, f"= '{key}'", now, where="case.key_property"))
    return oldest(hits) if hits else None


def oldest(hits: Iterable[Found]) -> Found:
    """The object that was made first."""
    return min(hits, key=lambda one: (one.moment("cmis:creationDate"), one.id))


def _hits(
    session: Session, type_id: str, property_id: str, condition: str, now: datetime, *, where: str
) -> Iterator[Found]:
    table, column = _names(session, type_id, property_id, now, where)
    statement = f"SELECT cmis:objectId FROM {table} WHERE {column} {condition}"  # noqa: S608 - the key is a UUID
    for identity in session.query(statement, now, where=where):
        try:
            yield session.by_id(identity, now, where=where)
        except Absent:
            continue


def _names(session: Session, type_id: str, property_id: str, now: datetime, where: str) -> tuple[str, str]:
    """The names of type and property in a query (CMIS 1.1, 2.1.2.1.3)."""
    definition = session.type(type_id, now, where=where)
    known = definition.get("propertyDefinitions")
    wanted = known.get(property_id) if isinstance(known, dict) else None
    if not isinstance(wanted, dict):
        raise Misconfigured("target.misconfigured", where=f"{where}: the type has no such property")
    return str(definition.get("queryName") or type_id), str(wanted.get("queryName") or property_id)
