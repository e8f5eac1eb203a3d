"""Files each Zustellung in a DMS over CMIS: a folder for its case, its documents in it, and never a second time.

The key of the Zustellung stands in a property of each document, so that what a crash left behind is found by asking the
server: by name in its folder (which knows at once) and by query (which finds what was moved since). `filing.py` is the
story, `content.py` the contents, `session.py` the browser binding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from connectors.cmis.answer import Absent
from connectors.cmis.facts import document_facts, proof
from connectors.cmis.filing import Filing
from connectors.cmis.label import Label
from connectors.cmis.probe import probe
from connectors.cmis.search import filed_documents
from connectors.cmis.session import Session
from connectors.cmis.settings import CmisSettings
from intermediary.connect.api import (
    Delivered,
    HttpClient,
    Idempotency,
    Manifest,
    NotDelivered,
    Refused,
    Steps,
    Unclear,
    Zustellauftrag,
)

_KEY = re.compile(r"[A-Za-z0-9-]{1,64}")

MANIFEST = Manifest(
    name="cmis",
    idempotency=Idempotency.LOOKUP,
    summary="files documents in a DMS or e-file over the CMIS 1.1 browser binding",
    steps=("case", "document"),
    concurrency=8,
)


class Cmis:
    """The connector of one repository; several processes may file in it."""

    manifest: ClassVar[Manifest] = MANIFEST

    def __init__(self, settings: CmisSettings, session: Session) -> None:
        self._settings = settings
        self._session = session

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered:
        _demand_key(auftrag.key)
        try:
            return Delivered(proof(Filing(self._session, self._settings, auftrag, steps, now).file()))
        except Absent as failure:  # what was there a moment ago
            raise Unclear("delivery.unclear", where="document: is gone") from failure

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | NotDelivered:
        _demand_key(key)
        settings = self._settings
        filed = {number: facts for number in _numbers(steps) if (facts := steps.get(f"document/{number}"))}
        case = steps.get("case")
        if case is None or len(filed) < int(case["documents"]):
            there = filed_documents(self._session, settings.document.type, settings.key_property, key, now)
            labels = {number: Label.of(found, settings.key_property) for number, found in there.items()}
            for number, label in labels.items():
                if label is not None and number not in filed and label.is_met(there[number]):
                    filed[number] = document_facts(label, there[number])
                    steps.done(f"document/{number}", filed[number])
            total = max((label.total for label in labels.values() if label is not None), default=0)
            if not filed or len(filed) < (int(case["documents"]) if case else total):
                return NotDelivered()
        return Delivered(proof(filed))

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        return Delivered(dict(correlation))

    def probe(self) -> None:
        probe(self._session, self._settings)

    def examine(self) -> None:
        """The files of certificates can be used; offline."""
        HttpClient(self._settings.url, self._settings.http, where="url").examine()


class _Factory:
    """Builds one connector per target."""

    manifest: Manifest = MANIFEST
    settings_type: type = CmisSettings

    def build(self, settings: CmisSettings, base: Path) -> Cmis:
        client = HttpClient(settings.url, settings.http, where="url")
        session = Session(
            client,
            dms_id=settings.repository,
            csrf_header=settings.csrf_header,
            authorize=settings.auth.headers,
        )
        return Cmis(settings, session)


CONNECTOR = _Factory()


def _demand_key(key: str) -> None:
    """Refuse what is no idempotency key before it becomes part of a query: a defect of the caller."""
    if not _KEY.fullmatch(key):
        raise ValueError("an idempotency key is a UUID")


def _numbers(steps: Steps) -> Iterator[int]:
    return (int(number) for name, _, number in (step.partition("/") for step in steps) if name == "document")
