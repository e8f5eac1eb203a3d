"""The steps of a hand-over: prepare in the state folder, then rename into the drop.

The checksum file goes first and the package last: a consumer that sees the package finds its checksum there. A package
never replaces anything. A checksum replaces an older one of its name, which a consumer may have left lying.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from connectors.ordner.folder import PACKAGE_MODE, fault_for, read_note, remove, sync, translated, write_durably
from connectors.ordner.lock import alone
from connectors.ordner.memory import Sealed, checksum_name
from connectors.ordner.rename import exists, rename_new
from intermediary.connect.api import Content, Dokument, Fault, Misconfigured, Transient, Unclear

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """The open folders of one call, as file descriptors."""

    state: int
    drop: int


def make_ready(place: Place, key: str, sealed: Sealed, package: Dokument) -> None:
    """Write the files that will be renamed; nothing readable stays behind when that fails."""
    try:
        write_durably(place.state, f"{key}.ready", _checked(package.content), mode=PACKAGE_MODE, where="state")
        if sealed.checksum:
            _write_checksum(place, key, sealed)
    except BaseException:
        forget_unsealed(place, key)
        raise


def forget_unsealed(place: Place, key: str) -> None:
    """Remove what was prepared and never sealed: nothing readable rests. Only for a key without a seal."""
    for name in (f"{key}.ready", f"{key}.sum.ready"):
        remove(place.state, name, "state")


def _checked(content: Content) -> Iterator[bytes]:
    """The content piece by piece; raises at its end when it is not what it was said to be."""
    digest, length = hashlib.sha256(), 0
    with content.open() as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            length += len(chunk)
            yield chunk
    if (digest.hexdigest(), length) != (content.sha256, content.length):
        raise Misconfigured("payload.corrupt", where="package")


def demand_free(place: Place, sealed: Sealed) -> None:
    """Raise `Transient("target.full")` while the drop has something that this package must not replace."""
    with translated("drop"):
        is_taken = exists(sealed.name, place.drop)
        if sealed.checksum and not is_taken:
            note = checksum_name(sealed.name)
            is_taken = exists(note, place.drop) and not _is_file(note, place.drop)
    if is_taken:
        raise Transient("target.full", where="drop")


def hand_over(place: Place, key: str, sealed: Sealed) -> None:
    """Rename what is still in the state folder into the drop; returns only when that is durable."""
    sync(place.state, "state")
    with ExitStack() as stack:
        if sealed.checksum:  # two keys of one name: each package beside its own checksum
            stack.enter_context(alone(place.state, _lock_name(sealed.name)))
        if is_unsent(place, key, sealed):
            demand_free(place, sealed)
        if sealed.checksum:
            _put_checksum(place, key, sealed)
        if _is_left(place, f"{key}.ready"):
            _rename(place, f"{key}.ready", sealed.name)
    try:
        os.fsync(place.drop)
        os.fsync(place.state)
    except OSError as error:
        raise Unclear("delivery.unclear", where="drop") from error


def take_back(place: Place, key: str, sealed: Sealed) -> None:
    """Undo a seal of which nothing has left the state folder, so that nothing readable rests until the next attempt.

    The seal goes first and durably: a seal without its package would read as delivered. Where that cannot be done now
    everything stays, and the next attempt only renames. Raises nothing: the caller has a fault to tell already.
    """
    with suppress(Fault):
        if is_unsent(place, key, sealed):
            unseal(place, key)
            forget_unsealed(place, key)


def unseal(place: Place, key: str) -> None:
    """Remove a seal, durably. Only while all that it describes is still in the state folder."""
    for name in (f"{key}.sealed", f"{key}.sealed.new"):
        remove(place.state, name, "state")
    sync(place.state, "state")


def is_unsent(place: Place, key: str, sealed: Sealed) -> bool:
    """Whether nothing of what was sealed has left the state folder."""
    return len(left(place.state, key, sealed)) == len(sealed.parts(key))


def _put_checksum(place: Place, key: str, sealed: Sealed) -> None:
    """Rename our checksum into the drop; if it went before and another key's lies there now, put ours back."""
    ready, name = f"{key}.sum.ready", checksum_name(sealed.name)
    if not _is_left(place, ready):
        if not _is_left(place, f"{key}.ready"):
            return
        with translated("drop"):
            is_there = _is_file(name, place.drop)
        if not is_there or read_note(place.drop, name, where="drop") in (None, _line(sealed)):
            return
        _write_checksum(place, key, sealed)
    _rename(place, ready, name, may_replace=True)


def _write_checksum(place: Place, key: str, sealed: Sealed) -> None:
    write_durably(place.state, f"{key}.sum.ready", (_line(sealed),), mode=PACKAGE_MODE, where="state")


def _line(sealed: Sealed) -> bytes:
    return f"{sealed.sha256}  {sealed.name}\n".encode()


def _lock_name(name: str) -> str:
    return f"{hashlib.sha256(os.fsencode(name)).hexdigest()}.sum"


def _is_left(place: Place, ready: str) -> bool:
    with translated("state"):
        return exists(ready, place.state)


def _is_file(name: str, folder: int) -> bool:
    try:
        return stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _rename(place: Place, ready: str, name: str, *, may_replace: bool = False) -> None:
    try:
        try:
            rename_new(ready, name, source_folder=place.state, target_folder=place.drop)
        except FileExistsError:
            if not may_replace or not _is_file(name, place.drop):
                raise
            os.rename(ready, name, src_dir_fd=place.state, dst_dir_fd=place.drop)
    except FileExistsError as error:
        raise Transient("target.full", where="drop") from error
    except OSError as error:
        fault = fault_for(error, "drop")
        if fault.code == "target.unreachable" or isinstance(error, FileNotFoundError):
            raise Unclear("delivery.unclear", where="drop") from error  # a network share may have done it all the same
        raise fault from error


def left(state: int, key: str, sealed: Sealed) -> tuple[str, ...]:
    """What is sealed and not yet in the drop."""
    with translated("state"):
        return tuple(ready for ready, _ in sealed.parts(key) if exists(ready, state))
