"""What concerns the installation as a whole: its identity, its KEKs, and the audit chain of what belongs to no Nachricht."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, LargeBinary, func, insert, select, update

from intermediary.audit.chain import START, follow
from intermediary.core.faults import Misconfigured
from intermediary.keys.wrap import KEK_ID_AT, KEK_ID_BYTES, MandantKeys
from intermediary.store.database import Database
from intermediary.store.tables import data_keys, meta
from intermediary.store.work import write_entries

_ID = "installation"
_CHAIN = "installation.chain"
_KEKS = "keks"
MOVED = "moved"
"""Written into a store that was copied elsewhere: where to."""

Known = dict[str, list[str]]
"""The ids (hex) of the KEKs that each Mandant has had data keys under, by Mandant."""


def remember_installation(tx: Connection, installation: uuid.UUID) -> None:
    """Write the id at first, compare it ever after: another id would give every Zustellung another key (G3)."""
    known = _read(tx, _ID)
    if known is None:
        tx.execute(insert(meta), {"name": _ID, "value": str(installation)})
        tx.execute(insert(meta), {"name": _CHAIN, "value": json.dumps({"seq": 0, "digest": START})})
    else:
        check_installation(tx, installation)


def check_installation(tx: Connection, installation: uuid.UUID) -> None:
    """`Misconfigured("store.installation.differs")` when the store knows another id, `("store.moved")` when it went away."""
    moved = _read(tx, MOVED)
    if moved is not None:
        raise Misconfigured("store.moved", where=moved)
    if _read(tx, _ID) not in (None, str(installation)):
        raise Misconfigured("store.installation.differs", where="installation id")


def remember_keks(tx: Connection, keys: MandantKeys) -> None:
    """Compare the KEKs with those of earlier starts, and note new ones; a KEK that no data key names is forgotten.

    KEKs that do not fit the data keys are refused (`check_keks`), and what was known of their Mandant stays noted.
    """
    noted = _read(tx, _KEKS)
    known: Known = json.loads(noted or "{}")
    check_keks(tx, keys)
    now_known = known | {mandant: sorted(one.hex() for one in keys.ids(mandant)) for mandant in sorted(keys.opened())}
    if noted is None:
        tx.execute(insert(meta), {"name": _KEKS, "value": json.dumps(now_known)})
    elif now_known != known:
        tx.execute(update(meta).where(meta.c.name == _KEKS).values(value=json.dumps(now_known)))


def check_keks(tx: Connection, keys: MandantKeys, *, is_known: bool = True) -> None:
    """Refuse the KEKs of a Mandant (`MandantKeys.refuse`) when data keys of it rest under a KEK that is not configured.

    The data keys are gone through only when the KEKs are others than at the last start, or nothing `is_known` of it.
    """
    known: Known = json.loads(_read(tx, _KEKS) or "{}") if is_known else {}
    for mandant in sorted(keys.opened()):
        here = keys.ids(mandant)
        if mandant in known and set(known[mandant]) <= {one.hex() for one in here}:
            continue
        kek_id = func.substr(data_keys.c.wrapped, KEK_ID_AT + 1, KEK_ID_BYTES, type_=LargeBinary)
        foreign = select(func.count()).where(data_keys.c.mandant == mandant).where(kek_id.not_in(here))
        count = tx.execute(foreign).scalar_one()
        if count:
            keys.refuse(mandant, f"kek_file {keys.file(mandant)} does not fit {count} Nachrichten of {mandant}")


def record_installation(
    db: Database, tx: Connection, event: str, fields: Mapping[str, Any], *, now: datetime, actor: str = ""
) -> None:
    """Chain an event of the installation into this transaction."""
    last = json.loads(_read_to_change(tx, _CHAIN) or "{}")
    entry = follow(
        chain=str(db.installation),
        seq=last["seq"] + 1,
        prev=last["digest"],
        at=now,
        name=event,
        mandant="",
        actor=actor,
        fields=fields,
    )
    write_entries(tx, [entry])
    value = json.dumps({"seq": entry.event.seq, "digest": entry.digest})
    tx.execute(update(meta).where(meta.c.name == _CHAIN).values(value=value))


def installation_end(tx: Connection) -> tuple[str, int, str]:
    """The installation's own chain: its name, number of events, digest of the last."""
    last = json.loads(_read(tx, _CHAIN) or "{}")
    return _read(tx, _ID) or "", last.get("seq", 0), last.get("digest", START)


def _read(tx: Connection, name: str) -> str | None:
    return tx.execute(select(meta.c.value).where(meta.c.name == name)).scalar_one_or_none()


def _read_to_change(tx: Connection, name: str) -> str | None:
    return tx.execute(select(meta.c.value).where(meta.c.name == name).with_for_update()).scalar_one_or_none()
