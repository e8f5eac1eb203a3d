"""The steps of a hand-over: prepare in the state folder, then rename into the drop.

The checksum file goes first and the package last: a consumer that sees the package finds its checksum there.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.ordner.folder import PACKAGE_MODE, fault_for, remove, sync, translated, write_durably
from connectors.ordner.memory import Sealed
from connectors.ordner.rename import exists, rename_new
from intermediary.connect.api import Content, Dokument, Misconfigured, Transient, Unclear

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
            line = f"{sealed.sha256}  {sealed.name}\n".encode()
            write_durably(place.state, f"{key}.sum.ready", (line,), mode=PACKAGE_MODE, where="state")
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


def hand_over(place: Place, key: str, sealed: Sealed) -> None:
    """Rename what is still in the state folder into the drop; returns only when that is durable."""
    sync(place.state, "state")
    for ready, name in sealed.parts(key):
        with translated("state"):
            is_left = exists(ready, place.state)
        if is_left:
            _rename(place, ready, name)
    try:
        os.fsync(place.drop)
        os.fsync(place.state)
    except OSError as error:
        raise Unclear("delivery.unclear", where="drop") from error


def _rename(place: Place, ready: str, name: str) -> None:
    try:
        rename_new(ready, name, source_folder=place.state, target_folder=place.drop)
    except FileExistsError as error:
        raise Transient("target.full", where="drop") from error
    except OSError as error:
        fault = fault_for(error, "drop")
        if fault.code == "target.unreachable" or isinstance(error, FileNotFoundError):
            raise Unclear("delivery.unclear", where="drop") from error  # a network share may have done it all the same
        raise fault from error


def left(place: Place, key: str, sealed: Sealed) -> tuple[str, ...]:
    """What is sealed and not yet in the drop."""
    with translated("state"):
        return tuple(ready for ready, _ in sealed.parts(key) if exists(ready, place.state))
