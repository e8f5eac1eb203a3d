"""Hands a package over on an SFTP server: uploaded into a private folder, sealed, then renamed into the drop at once.

What is known of a key is always readable from its folder on the server (`desk.py`); nothing is remembered here.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from connectors.sftp.settings import SftpSettings
from intermediary.connect.api import (
    Awaiting,
    Delivered,
    Idempotency,
    Manifest,
    Misconfigured,
    NotDelivered,
    Refused,
    Steps,
    Transient,
    Unclear,
    Zustellauftrag,
)

if TYPE_CHECKING:
    from connectors.sftp.desk import Desk, Seal
    from connectors.sftp.plan import Unit
    from connectors.sftp.remote import Remote

_KEY = re.compile(r"[A-Za-z0-9-]{1,64}")

MANIFEST = Manifest(
    name="sftp",
    idempotency=Idempotency.LOOKUP,
    summary="uploads to an SFTP server and renames into the drop, from where the Fachverfahren takes it",
    steps=("document",),
    concurrency=4,
)


class Sftp:
    """The connector of one SFTP target; several processes may use the same folders. Each call is one session."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, settings: SftpSettings) -> None:
        self._settings = settings

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        from connectors.sftp.plan import units_of

        units = units_of(auftrag, self._settings)
        with self._remote() as remote, self._desk(remote, auftrag.key) as desk:
            seal = desk.seal()
            if seal is not None and not seal.is_for(units):
                desk.withdraw(seal)
                seal = None
            if seal is None:
                seal = self._sealed(remote, desk, auftrag, units, steps, now)
            self._hand_over(remote, desk, seal)
        return self._answer(seal)

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        with self._remote() as remote, self._desk(remote, key) as desk:
            seal = desk.seal()
            if seal is None or desk.left(seal):
                return NotDelivered()
        return self._answer(seal)

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        asked = self._settings.acknowledgement
        if asked is None:
            return Delivered(dict(correlation))
        from connectors.sftp.answers import read_answer

        with self._remote() as remote, self._desk(remote, key) as desk:
            return read_answer(remote, asked.folder, desk.folder, dict(correlation))

    def probe(self) -> None:
        from connectors.sftp.probe import probe_folders

        with self._remote() as remote:
            probe_folders(remote, self._settings)

    def examine(self) -> None:
        """The files of keys can be used; offline."""
        from connectors.sftp.session import examine

        examine(self._settings)

    def _sealed(
        self, remote: Remote, desk: Desk, auftrag: Zustellauftrag, units: Sequence[Unit], steps: Steps, now: datetime
    ) -> Seal:
        from connectors.sftp.desk import Seal

        for unit in units:
            self._demand_free(remote, unit.final, is_note=unit.is_note)
        part, package = desk.upload(units, steps, attempt=auftrag.attempt, verify=self._settings.verify == "content")
        content = auftrag.package.content
        seal = Seal(
            finals=tuple(unit.final for unit in units),
            fingerprints=tuple(unit.fingerprint() for unit in units),
            notes=tuple(unit.final for unit in units if unit.is_note),
            proof={
                "file_name": units[-1].final,
                "sha256": content.sha256,
                "length": str(content.length),
                "stored_at": datetime.fromtimestamp(package.modified, UTC).isoformat(),
            },
            sealed_at=now,
        )
        desk.close(part, seal)
        return seal

    def _hand_over(self, remote: Remote, desk: Desk, seal: Seal) -> None:
        """Rename what is left, in order. Until the first rename is asked for, nothing has arrived."""
        if self._settings.create_folders:
            remote.make_folder(seal.finals[-1].rpartition("/")[0])
        left = desk.left(seal)
        is_begun = len(left) < len(seal.finals)
        for position in left:
            final = seal.finals[position]
            try:
                self._demand_free(remote, final, is_note=final in seal.notes)
                self._rename(remote, desk.place(position), final)
            except (Transient, Misconfigured) as fault:
                if is_begun:
                    raise Unclear("delivery.unclear", where=fault.where) from fault
                raise
            is_begun = True

    def _rename(self, remote: Remote, place: str, final: str) -> None:
        from connectors.sftp.remote import Failure, RemoteError

        try:
            remote.rename(place, final)
        except RemoteError as error:
            if error.failure is Failure.LOST:
                raise Unclear("target.no-answer", where="drop") from error
            try:
                is_here = remote.facts(place) is not None
            except RemoteError as lost:
                raise Unclear("target.no-answer", where="drop") from lost
            if is_here:
                raise Misconfigured("target.misconfigured", where="drop: cannot be renamed into") from error
            # otherwise a process that was overtaken has just done the same

    def _demand_free(self, remote: Remote, final: str, *, is_note: bool) -> None:
        """A name that is taken is waited for; this also asks for an old answer to the same name."""
        from connectors.sftp.answers import is_waiting
        from connectors.sftp.remote import RemoteError

        try:
            if not is_note and remote.facts(final) is not None:
                raise Transient("target.full", where="drop")
            asked = self._settings.acknowledgement
            if asked is not None and not is_note and is_waiting(remote, asked.folder, final):
                raise Transient("target.full", where="acknowledgement.folder")
        except RemoteError as error:
            raise error.fault("drop") from error

    def _answer(self, seal: Seal) -> Delivered | Awaiting:
        asked = self._settings.acknowledgement
        if asked is None:
            return Delivered(seal.proof)
        return Awaiting(seal.sealed_at + timedelta(hours=asked.deadline_hours), seal.proof)

    @contextmanager
    def _remote(self) -> Iterator[Remote]:
        from connectors.sftp.remote import Remote
        from connectors.sftp.session import opened_session

        with opened_session(self._settings) as client:
            yield Remote(client)

    @contextmanager
    def _desk(self, remote: Remote, key: str) -> Iterator[Desk]:
        """What fails at the desk fails before anything has arrived."""
        from connectors.sftp.desk import Desk
        from connectors.sftp.remote import RemoteError

        if not _KEY.fullmatch(key):
            raise ValueError("an idempotency key is a UUID")
        try:
            yield Desk(remote, self._settings.staging, key)
        except RemoteError as error:
            raise error.fault("staging", is_writing=True) from error


class _Factory:
    """Builds one connector per target; `Misconfigured` where the library of the extra `sftp` is not installed."""

    manifest: Manifest = MANIFEST
    settings_type: type = SftpSettings

    def build(self, settings: SftpSettings, base: Path) -> Sftp:
        if importlib.util.find_spec("paramiko") is None:
            raise Misconfigured("target.library.missing", where="pip install 'xta-osci-intermediary[sftp]'")
        return Sftp(settings)


CONNECTOR = _Factory()
