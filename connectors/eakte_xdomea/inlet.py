"""Fetches the e-file's answers into the answer folder, each durable there before it is removed where it came from."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from connectors.amqp.settings import AmqpSettings
from connectors.eakte_xdomea.container import Unreadable
from connectors.eakte_xdomea.filing import SETTLING, UNFINISHED
from connectors.eakte_xdomea.message import read_answer
from connectors.eakte_xdomea.settings import EakteSettings
from connectors.ordner.folder import sync, write_whole
from connectors.sftp.settings import RemoteFolder, SftpSettings

if TYPE_CHECKING:
    from connectors.sftp.remote import Remote

_MOST_AT_ONCE = 500


class Inlet(Protocol):
    """`fetch` puts what waits into an open folder; `Transient` when it cannot be asked now. `probe` has no effect."""

    def fetch(self, folder: int, now: datetime) -> None: ...

    def probe(self) -> None: ...


def inlet_of(settings: EakteSettings) -> Inlet | None:
    """How answers are fetched; None where they arrive in the folder by themselves."""
    if settings.amqp is not None and settings.answers.queue:
        return QueueInlet(settings.amqp, settings.answers.queue)
    if settings.sftp is not None and settings.answers.remote:
        return RemoteInlet(settings.sftp, settings.answers.remote)
    return None


class QueueInlet:
    """Answers that are messages of a queue: the body is the xdomea message or its ZIP."""

    def __init__(self, settings: AmqpSettings, queue: str) -> None:
        self._settings = settings
        self._queue = queue

    def fetch(self, folder: int, now: datetime) -> None:
        from connectors.amqp.answers import Reply, drain

        def keep(replies: list[Reply]) -> None:
            for reply in replies:
                _put(folder, reply.body)
            sync(folder, "answers.folder")

        drain(self._settings, self._queue, keep, most=_MOST_AT_ONCE)

    def probe(self) -> None:
        from connectors.amqp.broker import probe_queue

        probe_queue(self._settings, self._queue)


class RemoteInlet:
    """Answers that are files in a folder of the SFTP server.

    One that nobody can read may still be being written: it is fetched when it has rested for ten minutes.
    """

    def __init__(self, settings: SftpSettings, remote: RemoteFolder) -> None:
        self._settings = settings
        self._folder = remote

    def fetch(self, folder: int, now: datetime) -> None:
        from connectors.sftp.remote import Remote, RemoteError
        from connectors.sftp.session import opened_session

        with opened_session(self._settings) as client:
            remote = Remote(client)
            try:
                names = [name for name in remote.names(self._folder) if _is_finished(name)][:_MOST_AT_ONCE]
                for name in names:
                    _take(remote, f"{self._folder}/{name}", folder, now)
            except RemoteError as error:
                raise error.fault("answers.remote") from error

    def probe(self) -> None:
        from connectors.sftp.remote import Remote, RemoteError
        from connectors.sftp.session import opened_session

        with opened_session(self._settings) as client:
            try:
                Remote(client).names(self._folder)
            except RemoteError as error:
                raise error.fault("answers.remote") from error


def _take(remote: Remote, path: str, folder: int, now: datetime) -> None:
    """Fetch one file and remove it there; one that changes meanwhile, or cannot be read, keeps no other back."""
    from connectors.sftp.remote import Failure, RemoteError

    try:
        facts = remote.facts(path)
        data = remote.note(path)
        if facts is None or facts.is_folder or data is None or not _is_whole(data, facts.modified, now):
            return
        if remote.facts(path) != facts:
            return
        _put(folder, data)
        sync(folder, "answers.folder")
        remote.remove(path)
    except RemoteError as error:
        if error.failure is Failure.LOST:
            raise


def _is_whole(data: bytes, modified: int, now: datetime) -> bool:
    try:
        read_answer(data)
    except Unreadable:
        return abs(now.timestamp() - modified) >= SETTLING.total_seconds()
    return True


def _put(folder: int, data: bytes) -> None:
    """Whole or not at all, under its hash: the same answer again is the same file."""
    write_whole(folder, f"{hashlib.sha256(data).hexdigest()}.xdomea", data, where="answers.folder")


def _is_finished(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(UNFINISHED)
