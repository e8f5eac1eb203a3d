"""Under which keyed hashes the sender's id of a Nachricht is kept: unique for who sent it, found by whoever looks for it.

A door that knows the account of its sender says so (`Eingang.account`): an id is then unique within that account, so that
nobody can use up another one's ids beforehand (decision 15). All others share one space of ids per Mandant.
"""

from __future__ import annotations

from intermediary.core.values import Eingang
from intermediary.store.database import Database

_ACCOUNT = "account\n"
_ANY = "any account\n"
"""No id of a sender begins like these: it has no control characters (`ingress.doors`)."""


def unique_hashes(db: Database, eingang: Eingang) -> tuple[str, ...]:
    """What another Nachricht with the same id of the same sender is known by; under the current key first."""
    return db.keys.index_hashes(eingang.mandant, _unique(eingang.message_id, eingang.account))


def further_hashes(db: Database, eingang: Eingang) -> tuple[str, ...]:
    """What it is found by besides, where its id is unique within an account only; under the current key."""
    return (db.keys.index_hash(eingang.mandant, _ANY + eingang.message_id),) if eingang.account else ()


def wanted_hashes(db: Database, mandant: str, message_id: str, account: str | None) -> tuple[str, ...]:
    """What to look for: the id as this account sent it, or (None) as anybody did."""
    if account is not None:
        return db.keys.index_hashes(mandant, _unique(message_id, account))
    return tuple(one for text in (message_id, _ANY + message_id) for one in db.keys.index_hashes(mandant, text))


def _unique(message_id: str, account: str) -> str:
    return f"{_ACCOUNT}{account}\n{message_id}" if account else message_id
