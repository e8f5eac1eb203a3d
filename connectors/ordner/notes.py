"""Notes under a name in a state folder: the fields of a dataclass as JSON with a version, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from connectors.ordner.folder import read_note, write_whole
from intermediary.connect.api import Unclear

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_VERSION = 1
_WHERE = "state"
_T = TypeVar("_T")


def noted(state: int, name: str, make: Callable[..., _T]) -> _T | None:
    """What `make` makes of the fields of this note, None when there is none; raises `Unclear` when it is damaged."""
    note = read_note(state, name, where=_WHERE)
    if note is None:
        return None
    try:
        fields = json.loads(note)
        del fields["version"]
        return make(**fields)
    except (ValueError, TypeError, KeyError) as damage:
        raise Unclear("delivery.unclear", where=_WHERE) from damage


def note_down(state: int, name: str, facts: DataclassInstance) -> None:
    """Keep the fields: durable once the state folder is synced. A time is kept in its ISO form."""
    note = json.dumps({**asdict(facts), "version": _VERSION}, sort_keys=True, default=datetime.isoformat)
    write_whole(state, name, note.encode(), where=_WHERE)
