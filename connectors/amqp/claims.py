"""The claim check: puts what is too large for a message into a shared folder, whole before anybody hears of it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import PurePath

from connectors.amqp.settings import ClaimStore
from connectors.ordner.folder import PACKAGE_MODE, opened, remove, sync, translated, write_durably
from intermediary.connect.api import Content, Dokument, Fault, Misconfigured

_CHUNK_BYTES = 1024 * 1024
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")


class ClaimFolder:
    """The store during one delivery. What was put is taken back when the delivery certainly sent nothing."""

    def __init__(self, store: ClaimStore) -> None:
        self._store = store
        self._put: list[str] = []

    def put(self, key: str, number: int, dokument: Dokument) -> dict[str, object]:
        """Write a file and say how to find it: the value of `x-claim`. The same key and number give the same file."""
        name = f"{key}.{number}{_suffix(dokument.file_name)}"
        draft = f".{name}.part"
        with opened(self._store.folder, "claims.folder") as folder:
            self._put.append(name)
            try:
                write_durably(folder, draft, _pieces(dokument.content), mode=PACKAGE_MODE, where="claims.folder")
            except BaseException:
                with suppress(Fault):
                    remove(folder, draft, "claims.folder")
                raise
            with translated("claims.folder"):
                os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        content = dokument.content
        return {"store": self._store.name, "key": name, "size": content.length, "sha256": content.sha256}

    def sync(self) -> None:
        """Make the names durable, before the message that refers to them can be seen."""
        if self._put:
            with opened(self._store.folder, "claims.folder") as folder:
                sync(folder, "claims.folder")

    def take_back(self) -> None:
        """Remove what was put: nothing readable rests while nobody knows of it. Raises nothing."""
        with suppress(Fault), opened(self._store.folder, "claims.folder") as folder:
            for name in self._put:
                remove(folder, name, "claims.folder")


def _suffix(file_name: str) -> str:
    suffix = PurePath(file_name).suffix
    return suffix if _SUFFIX.fullmatch(suffix) else ""


def _pieces(content: Content) -> Iterator[bytes]:
    """The content piece by piece; raises at its end when it is not what it was said to be."""
    digest, length = hashlib.sha256(), 0
    with closing(content.open()) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            length += len(chunk)
            yield chunk
    if (digest.hexdigest(), length) != (content.sha256, content.length):
        raise Misconfigured("payload.corrupt", where="package")
