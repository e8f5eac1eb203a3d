"""Which waiting Nachrichten can no longer be opened if a key goes today, or with its certificate by a date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from intermediary.core.faults import Fault
from intermediary.core.states import NachrichtState
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.operations.keys import OwnKey, usable_keyring
from intermediary.operations.look import row
from intermediary.store.records import NachrichtRecord
from intermediary.store.store import Store
from intermediary.unseal.formats import OSCI_TYPE
from intermediary.unseal.osci.readers import Readers, readers

_WAITING = (NachrichtState.RECEIVED, NachrichtState.PLANNED, NachrichtState.ANSWERING, NachrichtState.PARKED)
_FINGERPRINT_DIGITS = 8
"""As many hex digits as a fingerprint must be given with at least."""


class UnknownKey(Exception):
    """No key of the installation is meant by what was said; the text names those there are."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A Nachricht that is not final and whose payload is there, and whom it is for; `line` is that of `list`.

    `readers` is None where that could not be found out; `code` says why: its payload, or what it claims to be.
    """

    id: str
    mandant: str
    line: Mapping[str, Any] = field(repr=False)
    readers: Readers | None = field(repr=False)
    code: str = ""


@dataclass(frozen=True, slots=True)
class Loss:
    """A Nachricht that cannot be opened wholly: `is_lost_today` without any change, otherwise for want of `keys`."""

    waiting: Waiting
    keys: tuple[OwnKey, ...]
    is_lost_today: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a Mandant's operator asks: who waits, which keys go, and what that costs."""

    waiting: tuple[Waiting, ...]
    gone: tuple[OwnKey, ...]
    losses: tuple[Loss, ...]

    @property
    def unknown(self) -> tuple[Waiting, ...]:
        """Those whose readers could not be found out: no key would change that."""
        return tuple(one for one in self.waiting if one.readers is None)


def find_waiting(store: Store, keys: Sequence[OwnKey], spool: Spool) -> Iterator[Waiting]:
    """All that wait, opened as far as it takes to see whom they are for; a few milliseconds each."""
    rings = {mandant: usable_keyring(keys, mandant) for mandant in {key.mandant for key in keys}}
    seen: dict[Readers | None, Readers | None] = {}  # most are for the same: kept once
    for state in _WAITING:
        for nachricht in store.find(state=state):
            if nachricht.payload == "present" and nachricht.direction == "in":
                found, code = _readers(nachricht, store, rings.get(nachricht.mandant, Keyring()), spool)
                yield Waiting(nachricht.id, nachricht.mandant, row(nachricht), seen.setdefault(found, found), code)


def count_waiting(store: Store) -> int:
    """How many `find_waiting` gives at most."""
    return sum(count for (state, _), count in store.counts().items() if state in _WAITING)


def needed_by(key: OwnKey, keys: Sequence[OwnKey], found: Sequence[Waiting]) -> list[str]:
    """The ids of those that could not be opened wholly without this key, all others being there."""
    return [loss.waiting.id for loss in _losses(found, keys, (key,)) if not loss.is_lost_today]


def forecast(
    found: Sequence[Waiting], keys: Sequence[OwnKey], *, without: Sequence[str] = (), at: datetime | None = None
) -> Forecast:
    """What cannot be opened any more without the keys of these files or fingerprints, and those that end before `at`.

    A file is named as in its keyring or by a path to it; a fingerprint by its first eight or more digits. Pure.
    Raises `UnknownKey` for a name that is none of ours.
    """
    readers_keys = [key for key in keys if key.use == "decrypt"]
    gone = {id(key): key for name in without for key in _meant(name, readers_keys)}
    if at is not None:
        gone |= {id(key): key for key in readers_keys if key.not_after is not None and key.not_after < at}
    return Forecast(tuple(found), tuple(gone.values()), tuple(_losses(found, keys, tuple(gone.values()))))


def loss_as_json(loss: Loss) -> dict[str, Any]:
    """One line of `keys forecast --json` where keys go: a Nachricht as in `list`, and for want of what it stays shut."""
    keys = [{"name": key.name, "fingerprint": key.fingerprint} for key in loss.keys]
    return {**loss.waiting.line, "lostToday": loss.is_lost_today, "keys": keys}


def _losses(found: Iterable[Waiting], keys: Sequence[OwnKey], gone: tuple[OwnKey, ...]) -> Iterator[Loss]:
    usable: dict[str, list[OwnKey]] = {}
    for key in keys:
        if key.reader is not None and key.trouble is None:
            usable.setdefault(key.mandant, []).append(key)
    for one in found:
        if one.readers is None:
            continue
        mine = usable.get(one.mandant, [])
        before = {key.der for key in mine}
        if not one.readers.opens(before):
            yield Loss(one, (), is_lost_today=True)
            continue
        after = {key.der for key in mine if key not in gone}
        if one.readers.loses(before, after):
            missed = tuple(key for key in gone if one.readers.names(key.der) and key.der not in after)
            yield Loss(one, missed)


def _readers(nachricht: NachrichtRecord, store: Store, ring: Keyring, spool: Spool) -> tuple[Readers | None, str]:
    """Whom it is for, or the code of what keeps from seeing it."""
    if nachricht.content_type.partition(";")[0].strip().lower() != OSCI_TYPE:
        return None, "intake.type.unknown"
    try:
        body = store.body(nachricht.id)
        with body.open() as stream:
            raw = spool.copy(stream, max_bytes=body.length)
        return readers(raw, keyring=ring, spool=spool), ""
    except Fault as fault:
        return None, fault.code


def _meant(name: str, keys: Sequence[OwnKey]) -> list[OwnKey]:
    digits = name.replace(":", "").lower()
    is_fingerprint = len(digits) >= _FINGERPRINT_DIGITS and not set(digits) - set("0123456789abcdef")
    found = [
        key
        for key in keys
        if name == key.name
        or (not key.is_on_token and Path(name).absolute() == (key.file.parent / key.name).absolute())
        or (is_fingerprint and key.fingerprint.startswith(digits))
    ]
    if not found:
        known = ", ".join(sorted({key.name for key in keys}))
        raise UnknownKey(f"no key to open messages with is {name}; known are {known}")
    return found
