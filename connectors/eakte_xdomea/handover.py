"""Composes the hand-over of an e-file from another connector, and notes for the answers what that one has handed over.

`KEY.offer.sealed` in the state folder says what is about to go out, `KEY.sealed` what has: the same note as the connector
`ordner` keeps of its own, renamed when the transport has said that it is done.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

from connectors.eakte_xdomea.settings import EakteSettings
from connectors.ordner.folder import opened, sync, translated
from connectors.ordner.memory import Sealed, read_sealed, write_sealed
from intermediary.connect.api import (
    Awaiting,
    Connector,
    Delivered,
    Manifest,
    Misconfigured,
    NotDelivered,
    Refused,
    Steps,
    Transient,
    Unclear,
    Zustellauftrag,
)


class Transport(Connector, Protocol):
    """One of our connectors that hand over by a line: all of them can say what is wrong with their files."""

    def examine(self) -> None: ...


class Noted:
    """A connector whose hand-overs are noted in the state folder."""

    def __init__(self, inner: Transport, state: Path) -> None:
        self._inner = inner
        self._state = state

    @property
    def manifest(self) -> Manifest:
        return self._inner.manifest

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        self._offer(auftrag, now)
        handed = self._inner.deliver(auftrag, steps, now)
        self._hand_over(auftrag.key)
        return handed

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        found = self._inner.lookup(key, steps, now)
        if not isinstance(found, NotDelivered):
            self._hand_over(key)
        return found

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        return self._inner.collect(key, correlation, now)

    def probe(self) -> None:
        self._inner.probe()

    def examine(self) -> None:
        self._inner.examine()

    def _offer(self, auftrag: Zustellauftrag, now: datetime) -> None:
        package = auftrag.package
        with opened(self._state, "state") as state:
            sealed = read_sealed(state, auftrag.key)
            if sealed is not None and not sealed.is_for(package):
                raise Unclear("output.changed", where="state")
            if sealed is None:
                content = package.content
                offer = Sealed(package.file_name, content.sha256, content.length, checksum=False, sealed_at=now)
                write_sealed(state, f"{auftrag.key}.offer", offer)
                sync(state, "state")

    def _hand_over(self, key: str) -> None:
        """Raises only `Unclear`: from here on something has arrived."""
        try:
            with opened(self._state, "state") as state, translated("state"):
                if read_sealed(state, key) is None:
                    os.rename(f"{key}.offer.sealed", f"{key}.sealed", src_dir_fd=state, dst_dir_fd=state)
                sync(state, "state")
        except (Transient, Misconfigured) as fault:
            raise Unclear("delivery.unclear", where="state") from fault


def handover_of(settings: EakteSettings) -> Noted:
    """The connector that hands packages over, as the settings name it."""
    return Noted(_transport_of(settings), settings.state)


def _transport_of(settings: EakteSettings) -> Transport:
    """Each is imported only where it is used: its library may be an extra that is not installed."""
    if settings.sftp is not None:
        from connectors.sftp.connector import CONNECTOR as SFTP

        return SFTP.build(settings.sftp, Path())
    if settings.rest is not None:
        from connectors.rest.connector import CONNECTOR as REST

        return REST.build(settings.rest, Path())
    if settings.amqp is not None:
        from connectors.amqp.connector import CONNECTOR as AMQP

        return AMQP.build(settings.amqp, Path())
    if settings.soap is not None:
        from connectors.soap.connector import CONNECTOR as SOAP

        return SOAP.build(settings.soap, Path())
    raise Misconfigured("target.misconfigured", where="transport")
