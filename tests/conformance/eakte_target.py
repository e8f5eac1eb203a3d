"""An e-file with an import folder that answers with xdomea 0402 and 0403, for the tests of `eakte_ordner`."""

from __future__ import annotations

import hashlib
import io
import os
import time
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from connectors.eakte_xdomea.connector import EAKTE_ORDNER
from connectors.eakte_xdomea.settings import Answers, EakteOrdnerSettings
from intermediary.core.ports import Awaiting, Connector
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Zustellauftrag
from intermediary.testing.connectors import NOW, Arrival, make_auftrag

FOLDERS = ("drop", "state", "taken", "answers", "archive", "unmatched")
OBJECT = str(uuid.uuid5(uuid.NAMESPACE_URL, "urn:test:vorgang"))

_FRAME = """<?xml version="1.0" encoding="UTF-8"?>
<xdomea:{root} xmlns:xdomea="urn:xoev-de:xdomea:schema:{version}">
  <xdomea:Kopf>
    <xdomea:ProzessID>{prozess_id}</xdomea:ProzessID>
    <xdomea:Nachrichtentyp listURI="urn:xoev-de:xdomea:codeliste:nachrichtentyp" listVersionID="2.0">
      <code>{kind}</code>
    </xdomea:Nachrichtentyp>
    <xdomea:Erstellungszeitpunkt>{created}</xdomea:Erstellungszeitpunkt>
    <xdomea:Absender/>
    <xdomea:Empfaenger/>
  </xdomea:Kopf>
{body}</xdomea:{root}>
"""
_OBJECT = """  <xdomea:AbgegebenesObjekt>
    <xdomea:IDSGO>{id}</xdomea:IDSGO>
    <xdomea:Erfolgreich>{ok}</xdomea:Erfolgreich>
{messages}  </xdomea:AbgegebenesObjekt>
"""
_CODE = """    <xdomea:FehlermeldungCode listURI="urn:test:fehler" listVersionID="1.0">
      <code>{code}</code>
    </xdomea:FehlermeldungCode>
"""


@dataclass(frozen=True)
class Imported:
    """What the e-file says of one object; `text` is its free text, `codes` its codes."""

    ok: bool | str = True
    codes: Sequence[str] = ()
    text: str = ""
    id: str = OBJECT

    def xml(self) -> str:
        ok = str(self.ok).lower() if isinstance(self.ok, bool) else self.ok
        text = f"    <xdomea:Fehlermeldung>{self.text}</xdomea:Fehlermeldung>\n" if self.text else ""
        codes = "".join(_CODE.format(code=code) for code in self.codes)
        return _OBJECT.format(id=self.id, ok=ok, messages=text + codes)


def confirmation(prozess_id: str, *objects: Imported, version: str = "3.1.0", created: str = "") -> bytes:
    """A 0402."""
    return _frame("0402", prozess_id, "".join(one.xml() for one in objects), version, created)


def receipt(prozess_id: str, *, version: str = "3.1.0", created: str = "") -> bytes:
    """A 0403."""
    return _frame("0403", prozess_id, "", version, created)


def zipped(message: bytes, name: str = "nachricht.xml", **others: bytes) -> bytes:
    """An answer as a ZIP, with other files beside it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, message)
        for other, data in others.items():
            archive.writestr(other, data)
    return buffer.getvalue()


def _frame(kind: str, prozess_id: str, body: str, version: str, created: str) -> bytes:
    root = {"0402": "Abgabe.ImportBestaetigen.0402", "0403": "Abgabe.EmpfangBestaetigen.0403"}[kind]
    created = created or NOW.isoformat(timespec="milliseconds")
    return _FRAME.format(
        root=root, version=version, prozess_id=prozess_id, kind=kind, created=created, body=body
    ).encode()


@dataclass(frozen=True)
class EakteTarget:
    """The folders of one e-file, and the e-file itself, which takes packages by renaming them.

    With `answers_at_once` it confirms every package in the moment it takes it.
    """

    root: Path
    checksum: bool = False
    answers_at_once: bool = False
    deadline_hours: int = 24
    folders: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in FOLDERS:
            self.folders[name] = self.root / name
            self.folders[name].mkdir(parents=True, exist_ok=True)
            self.folders[name].chmod(0o755)

    def __getitem__(self, folder: str) -> Path:
        return self.folders[folder]

    def connect(self) -> Connector:
        answers = Answers(self["answers"], self["archive"], self["unmatched"], self.deadline_hours)
        return EAKTE_ORDNER.build(EakteOrdnerSettings(self["drop"], self["state"], answers, self.checksum), self.root)

    def consume(self) -> None:
        for file in list(self["drop"].iterdir()):
            file.rename(self["taken"] / f"{time.monotonic_ns()}-{os.getpid()}_{file.name}")
            if self.answers_at_once and file.suffix == ".zip":
                self.answer(confirmation(file.name.partition("_")[0], Imported()))

    def answer(self, data: bytes, name: str = "") -> Path:
        """The e-file puts an answer into the answer folder, under another name first."""
        name = name or f"{time.monotonic_ns()}.xml"
        draft = self["answers"] / f".{name}"
        draft.write_bytes(data)
        return draft.rename(self["answers"] / name)

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in self[folder].iterdir())

    def arrived(self) -> list[Arrival]:
        taken = [(file.name.partition("_")[2], file) for file in self["taken"].iterdir()]
        waiting = [(file.name, file) for file in self["drop"].iterdir()]
        return [Arrival(name, hashlib.sha256(file.read_bytes()).hexdigest()) for name, file in taken + waiting]

    def expects(self, auftrag: Zustellauftrag) -> list[Arrival]:
        package = auftrag.package
        arrivals = [Arrival(package.file_name, package.content.sha256)]
        if self.checksum:
            line = f"{package.content.sha256}  {package.file_name}\n".encode()
            arrivals.append(Arrival(f"{package.file_name}.sha256", hashlib.sha256(line).hexdigest()))
        return arrivals

    def snapshot(self) -> object:
        files = sorted(self.root.rglob("*"))
        return [(file, file.stat().st_mtime_ns, file.read_bytes() if file.is_file() else b"") for file in files]


def handed_over(target: EakteTarget, number: int = 1) -> tuple[Zustellauftrag, dict[str, str]]:
    """A package that the e-file has taken, and what is needed to collect its verdict."""
    auftrag = make_auftrag(number)
    verdict = target.connect().deliver(auftrag, Checkpoints(), NOW)
    assert isinstance(verdict, Awaiting)
    target.consume()
    return auftrag, dict(verdict.correlation)
