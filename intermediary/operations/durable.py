"""The lines of `doctor` on what must outlast everything: store, keys to it, second place of the audit; changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from intermediary.audit.sealer import Head
from intermediary.audit.second_place import read_heads
from intermediary.audit.syslog import Syslog
from intermediary.audit.verify import fingerprint
from intermediary.core.faults import Fault, Transient
from intermediary.keys.signing import SigningKey
from intermediary.operations.diagnosis import Diagnosis, bad, counted
from intermediary.operations.prove import compare_extent
from intermediary.settings.models import Settings
from intermediary.store.demands import demands_of
from intermediary.store.look import Look
from intermediary.wiring import SIGNING_KEY, look_into_installation

_DATA_HINT = "give the daemon's account a folder of its own (mode 0700) on a local disk"


def durable(settings: Settings) -> Iterator[Diagnosis]:
    """Lines on the store and on the second place; what is wrong with one does not keep from looking at the other."""
    folder, before = settings.audit.heads_folder, _heads_there(settings.audit.heads_folder)
    look: Look | None = None
    is_seen = False
    unusable = _unusable(settings.installation.data)
    if unusable:
        yield Diagnosis("store", "bad", f"installation.data: {unusable}", _DATA_HINT)
    else:
        try:
            look = look_into_installation(settings)
            is_seen = True
            yield _store(look, settings.installation.data)
            yield from _remembered(look, settings)
        except Fault as fault:
            yield bad("store", fault, str(settings.installation.data))
        except OSError as failure:
            what = f"installation.data: {failure.filename or settings.installation.data}: {failure.strerror}"
            yield Diagnosis("store", "bad", what, _DATA_HINT)
        yield from _signing_key(settings.installation.data / SIGNING_KEY)
    yield _second_place(folder, before, (look.heads if look else ()) if is_seen else None)
    yield from _same_disk(folder, settings.installation.data)
    yield from _syslog(settings)
    yield from _previous_keys(settings)


def _messages(look: Look) -> str:
    return counted(look.nachrichten, "Nachricht", "Nachrichten")


def _store(look: Look | None, data: Path) -> Diagnosis:
    if look is None:
        hint = "the daemon creates it at its first start; if it has run before, the data is lost or elsewhere"
        return Diagnosis("store", "warning", f"not created yet in {data}", hint)
    if look.is_outdated:
        hint = "the next start brings it to the present schema; back it up before"
        return Diagnosis("store", "warning", f"{_messages(look)}, in an older schema", hint)
    return Diagnosis("store", "ok", _messages(look))


def _remembered(look: Look | None, settings: Settings) -> Iterator[Diagnosis]:
    """A verb that waits for a second person although the configuration does not say so."""
    own = demands_of(settings.approvals.required, settings.approvals.same_person)
    more = look.demands - own if look else own - own
    if more:
        named = [*sorted(more.required), *(" = ".join(group) for group in sorted(more.same_person))]
        hint = "they hold until two persons loosen them: intermediary approvals loosen (docs/howto/approvals.md)"
        yield Diagnosis("approvals", "warning", f"remembered, and not configured any more: {', '.join(named)}", hint)


def _unusable(data: Path) -> str:
    """Why the data folder cannot be used; empty when it can, or can be made."""
    if data.is_dir():
        is_usable = os.access(data, os.R_OK | os.W_OK | os.X_OK)
        return "" if is_usable else f"{data} cannot be read and written by this account"
    if data.exists():
        return f"{data} is no folder"
    parent = next(one for one in data.parents if one.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        return ""
    return f"{data} cannot be made in {parent}"


def _signing_key(file: Path) -> Iterator[Diagnosis]:
    try:
        if file.exists():
            SigningKey(file)
    except Fault as fault:
        yield bad("audit key", fault, str(file))


def _heads_there(folder: Path) -> tuple[Head, ...] | None:
    try:
        return read_heads(folder)
    except Transient:
        return None


def _second_place(folder: Path, before: Sequence[Head] | None, heads: Sequence[Head] | None) -> Diagnosis:
    """`before` is what stood there before the store was looked at, `heads` the store's; None: could not be read."""
    subject = "audit heads"
    if not os.path.isdir(folder):  # noqa: PTH112 - answers False where Path raises
        hint = "mount it or create it: the daemon never does, so that a share that is not mounted is noticed"
        return Diagnosis(subject, "bad", f"there is no folder {folder}", hint)
    after = _heads_there(folder)
    if before is None or after is None or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Diagnosis(subject, "bad", f"{folder} cannot be read and written", "give it to the daemon's account")
    if heads is None:
        return Diagnosis(subject, "warning", "writable; not compared, since the store cannot be read", "heal the store")
    reached = max((head.size for head in before), default=0)
    size = heads[-1].size if heads else 0
    if reached > size:
        what = (
            f"{folder} knows {reached} events, the store {size} of them: the store has been put back, or is another one"
        )
        return Diagnosis(subject, "bad", what, "`intermediary audit verify` tells more; keep both as they are")
    if compare_extent(heads, after) is not None:
        what = (
            f"{folder} ends at {reached} of {size} events" if after else f"{folder} has none of the heads of the store"
        )
        return Diagnosis(subject, "bad", what, "a running daemon copies what is missing; if it does not, see its log")
    return Diagnosis(subject, "ok", f"writable, up to the last head ({counted(size, 'event')})")


def _syslog(settings: Settings) -> Iterator[Diagnosis]:
    """Whether heads can be sent there; a head that vanishes on its way by UDP nobody notices."""
    address = settings.audit.heads_syslog
    if address is None:
        return
    try:
        with Syslog(address, host="doctor"):
            pass
    except Transient as fault:
        yield bad("audit syslog", fault)
        return
    is_sure = not address.startswith("udp:")
    yield Diagnosis(
        "audit syslog", "ok", f"{address} {'answers' if is_sure else '(UDP: nobody says whether it arrives)'}"
    )


def _previous_keys(settings: Settings) -> Iterator[Diagnosis]:
    for file in settings.audit.previous_keys:
        try:
            fingerprint(file.read_bytes())
        except (OSError, ValueError):
            hint = "the PEM file that `audit rotate-key` left; without it the heads of that time cannot be verified"
            yield Diagnosis("audit key", "bad", f"{file} is no public key that can be read", hint)


def _same_disk(folder: Path, data: Path) -> Iterator[Diagnosis]:
    try:
        is_same = folder.stat().st_dev == next(one for one in (data, *data.parents) if one.exists()).stat().st_dev
    except OSError:
        return
    if is_same:
        hint = "in earnest it is a place that this host cannot rewrite later (audit.heads_folder)"
        yield Diagnosis("audit heads", "warning", f"{folder} is on the same file system as installation.data", hint)
