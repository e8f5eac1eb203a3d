"""What a restore leaves in doubt: deliveries that may have happened after the backup was made (fault F22).

A store that was put back to an earlier moment does not know what it did since. Whatever was open then, and whatever is
handed in again in the days after, may be at its target already. Such a Zustellung begins `unclear` instead of `due`: a
native target gets it once more under the same key, one with a look-up is asked first, and for the others a person decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from sqlalchemy import Connection, select

from intermediary.core.states import ZustellungState
from intermediary.store.records import ZustellungRecord
from intermediary.store.tables import meta

if TYPE_CHECKING:
    from intermediary.store.draft import Draft

RESTORED = "restored"
"""The entry of `meta` that a restore leaves."""

CODE = "delivery.restored"


@dataclass(frozen=True, slots=True)
class Doubt:
    """`at` is the moment of the restore. Until `until`, what comes in new may have been there before the loss."""

    at: datetime
    until: datetime

    def covers(self, received_at: datetime, now: datetime) -> bool:
        """Whether a first attempt, for a Nachricht received then, may be a second one."""
        return received_at < self.at or now < self.until

    def text(self) -> str:
        """As it rests."""
        return json.dumps({"at": self.at.isoformat(), "until": self.until.isoformat()})

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `text` gave."""
        values = json.loads(text)
        return cls(datetime.fromisoformat(values["at"]), datetime.fromisoformat(values["until"]))


def may_have_arrived(record: ZustellungRecord) -> bool:
    """Whether its bytes stand fixed: an attempt was made, or may have been before the last restore."""
    return record.intended_at is not None or record.state is ZustellungState.UNCLEAR or record.code == CODE


def read_doubt(tx: Connection) -> Doubt | None:
    """What the last restore of this store left; None when there was none."""
    found = tx.execute(select(meta.c.value).where(meta.c.name == RESTORED)).scalar_one_or_none()
    return None if found is None else Doubt.parse(found)


def put_in_doubt(draft: Draft, keys: Iterable[str], now: datetime) -> None:
    """Due → unclear, looked at now; the intent is told as one nobody knows the end of."""
    for key in keys:
        record = draft.zustellung(key)
        fields = {"attempt": record.attempts, "code": CODE, "reason": "restore"}
        draft.move_zustellung(key, ZustellungState.UNCLEAR, "delivery.unclear", fields, code=CODE, due_at=now)
