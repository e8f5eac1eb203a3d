"""Writes Quittungen as files into a folder, complete or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from intermediary.core.faults import Misconfigured, Transient
from intermediary.ingress.regular import is_plain_name

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class FolderAnswers:
    """The way back of a channel through a folder; usable from all threads of a worker.

    Where the sender named a `reply_to`, it is the name of a folder inside this one. The folders belong to whoever reads
    them: they are not created here.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def answer(
        self, quittung: bytes, *, quittung_id: str, message_id: str, correlation_id: str, reply_to: str
    ) -> Mapping[str, str]:
        """Write `quittung-<quittung_id>.json` by one atomic rename, durably, and return what proves it.

        Writing it once more replaces it by the same. The sender's ids are inside the Quittung and not in the name.
        Raises `Misconfigured("receipt.undeliverable")` when the folder does not exist or may not be written, and
        `Transient("receipt.unreachable")` when it cannot be written now.
        """
        del message_id, correlation_id
        if not _ID.fullmatch(quittung_id):
            raise ValueError("a quittung_id is a UUID in lower case")
        if reply_to and not is_plain_name(reply_to):
            raise Misconfigured("receipt.undeliverable")
        name = f"quittung-{quittung_id}.json"
        try:
            _write_durably(self._folder / reply_to if reply_to else self._folder, name, quittung)
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            raise Misconfigured("receipt.undeliverable") from error
        except OSError as error:
            raise Transient("receipt.unreachable") from error
        return {"file": name, "sha256": hashlib.sha256(quittung).hexdigest()}

    def probe(self) -> None:
        """Raise the fault that an answer would meet now, without writing one."""
        if not self._folder.is_dir() or not os.access(self._folder, os.W_OK | os.X_OK):
            raise Misconfigured("receipt.undeliverable", where="answer.folder")

    def close(self) -> None:
        """Nothing is held open."""


def _write_durably(folder: Path, name: str, data: bytes) -> None:
    fd, temporary = tempfile.mkstemp(prefix=".quittung-", suffix=".tmp", dir=folder)
    try:
        with os.fdopen(fd, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(folder / name)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
