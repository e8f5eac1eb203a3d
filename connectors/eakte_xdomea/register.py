"""Remembers which Zustellungen went out under a ProzessID, so that an answer finds its own.

A redelivery repeats the Nachricht's ProzessID under a new key. `PROZESSID.prozess` in the state folder lists the keys in
the order they went out, and is durable before a package can appear in the drop: an answer never comes too early.
"""

from __future__ import annotations

import json
import re

from connectors.ordner.folder import read_note, sync, write_whole
from connectors.ordner.handover import left
from connectors.ordner.memory import read_sealed
from intermediary.connect.api import Misconfigured, Unclear

_VERSION = 1
_NAME = re.compile(r"([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})_.+")
_KEY = re.compile(r"[A-Za-z0-9-]{1,64}")


def prozess_id_of(file_name: str) -> str:
    """The ProzessID of a package by its name (`<ProzessID>_<Nachricht>.zip`, xdomea "Transport von Nachrichten").

    Raises `Misconfigured`: a mapping that names its output otherwise makes no xdomea package.
    """
    name = _NAME.fullmatch(file_name)
    if name is None:
        raise Misconfigured("mapping.output.invalid", where="package.file_name")
    return name[1].lower()


def demand_key(key: str) -> None:
    """Refuse what is no idempotency key before it becomes part of a file's name: a defect of the caller."""
    if not _KEY.fullmatch(key):
        raise ValueError("an idempotency key is a UUID")


def keys_of(state: int, prozess_id: str) -> tuple[str, ...]:
    """The keys under this ProzessID, oldest first; none when nothing ever went out. `Unclear` when it is damaged."""
    note = read_note(state, f"{prozess_id}.prozess", where="state")
    if note is None:
        return ()
    try:
        keys = tuple(str(key) for key in json.loads(note)["keys"])
    except (ValueError, TypeError, KeyError) as damage:
        raise Unclear("delivery.unclear", where="state") from damage
    if not all(_KEY.fullmatch(key) for key in keys):
        raise Unclear("delivery.unclear", where="state")
    return keys


def enrol(state: int, prozess_id: str, key: str) -> None:
    """Add a key as the youngest of its ProzessID; durable on return. Once is enough; the caller keeps others out."""
    keys = keys_of(state, prozess_id)
    if key not in keys:
        note = json.dumps({"keys": [*keys, key], "version": _VERSION}).encode()
        write_whole(state, f"{prozess_id}.prozess", note, where="state")
    sync(state, "state")


def has_left(state: int, key: str) -> bool:
    """Whether the package of this key has been handed over; an attempt may be taken back meanwhile, its seal first."""
    sealed = read_sealed(state, key)
    return sealed is not None and not left(state, key, sealed) and read_sealed(state, key) == sealed


def addressee(state: int, keys: tuple[str, ...]) -> str:
    """Whom an answer that lies there now is meant for: the youngest that has left."""
    return next((key for key in reversed(keys) if has_left(state, key)), keys[-1])
