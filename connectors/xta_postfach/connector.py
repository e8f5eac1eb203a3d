"""Lays a package into the post box of a reader at our own XTA server; the reader's close is the verdict.

Nothing is sent and nothing is stored here. That it lies there is the state `awaiting` of the Zustellung itself; what the
reader is handed is made anew from the sealed Nachricht (channel `xta_passive`, docs/reference/xta-passive.md). Laying it
there once more changes nothing, so the target removes doubles itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal

from intermediary.connect.api import (
    Awaiting,
    Delivered,
    Idempotency,
    Manifest,
    Misconfigured,
    NotDelivered,
    Refused,
    Rejected,
    Steps,
    Zustellauftrag,
)

MOST_BYTES = 40 * 1024 * 1024
"""The rule of 40 MB for one container, decoded (schema text of XTA 2.1.1)."""

_KENNUNG = re.compile(r"[a-z][a-z0-9]{1,9}:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?")
_FILE_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")

MANIFEST = Manifest(
    name="xta_postfach",
    idempotency=Idempotency.NATIVE,
    summary="lays each message into a post box of our own XTA server; delivered when the reader has closed it",
    max_document_bytes=MOST_BYTES,
    concurrency=4,
)


@dataclass(frozen=True, slots=True)
class XtaPostfachSettings:
    """The settings of one post box; its reader is a partner with an account."""

    account: str = field(
        metadata={"help": "Behoerdenkennung of the reader, of the partner directory; it has an account"}
    )
    author: str = field(metadata={"help": "Kennung of the Mandant, as author of what lies there"})
    service: str = field(metadata={"help": "service (URI) of the messages, as the reader expects it"})
    list_uri: str = field(metadata={"help": "code list (URI) of the message types"})
    payload_schema: str = field(metadata={"help": "schema (URI) that the messages follow"})
    list_version: str = field(default="1.0", metadata={"help": "version of that code list"})
    message_type: str = field(default="", metadata={"help": "code of the message type; without it the mapping's own"})
    reader: str = field(default="", metadata={"help": "Kennung of the reader in the message; without it the account"})
    scenario: str = field(default="EfA", metadata={"help": "business scenario, as text"})
    form: Literal["nachricht", "package"] = field(
        default="nachricht",
        metadata={"help": "nachricht: the XML with its documents as attachments; package: the package as one file"},
    )
    file_name: str = field(default="", metadata={"help": "file name of the XML; without it nachricht.xml"})
    deadline_hours: int = field(
        default=72, metadata={"help": "hours until a message that nobody closed is looked into"}
    )


class XtaPostfach:
    """The connector of one post box."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, settings: XtaPostfachSettings) -> None:
        self._settings = settings

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        length = self._length(auftrag)
        if length > MOST_BYTES:
            raise Rejected("xta.too-large", where=f"target {auftrag.target}")
        settings = self._settings
        said = {
            "post_box": settings.account,
            "author": settings.author,
            "reader": settings.reader or settings.account,
            "service": settings.service,
            "scenario": settings.scenario,
            "message_type": settings.message_type or auftrag.message,
            "list_uri": settings.list_uri,
            "list_version": settings.list_version,
            "payload_schema": settings.payload_schema,
            "form": self._form(auftrag),
            "file_name": settings.file_name,
            "length": str(length),
            "test": "true" if auftrag.is_test else "",
        }
        until = now + timedelta(hours=settings.deadline_hours)
        return Awaiting(until, {name: value for name, value in said.items() if value})

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        """Never called for what removes doubles itself."""
        return NotDelivered()

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        """The reader's close is the verdict, and is committed when it comes: until then there is none."""
        return None

    def probe(self) -> None:
        """Nothing has to be reached; that the reader has an account and a channel serves it is for `lint` to see."""

    def _form(self, auftrag: Zustellauftrag) -> str:
        return "package" if auftrag.nachricht is None else self._settings.form

    def _length(self, auftrag: Zustellauftrag) -> int:
        if auftrag.nachricht is None or self._settings.form == "package":
            return auftrag.package.content.length
        return auftrag.nachricht.length + sum(one.content.length for one in auftrag.dokumente)


class XtaPostfachFactory:
    """The entry point: checks what types cannot say."""

    manifest = MANIFEST
    settings_type: type = XtaPostfachSettings

    def build(self, settings: Any, base: Path) -> XtaPostfach:
        """Raises `Misconfigured("target.misconfigured")`."""
        if not isinstance(settings, XtaPostfachSettings):
            raise TypeError("the settings are not those of this connector")
        wrong = next(iter(_mistakes(settings)), "")
        if wrong:
            raise Misconfigured("target.misconfigured", where=wrong)
        return XtaPostfach(settings)


def _mistakes(settings: XtaPostfachSettings) -> list[str]:
    """The settings that cannot be, by name."""
    texts = ("author", "service", "list_uri", "payload_schema", "list_version", "scenario")
    found = [name for name in texts if not getattr(settings, name).strip()]
    if not _KENNUNG.fullmatch(settings.account):
        found.append("account")
    if settings.deadline_hours < 1:
        found.append("deadline_hours")
    if settings.file_name and not _FILE_NAME.fullmatch(settings.file_name):
        found.append("file_name")
    return found


CONNECTOR = XtaPostfachFactory()
