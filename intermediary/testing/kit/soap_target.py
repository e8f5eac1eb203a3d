"""A SOAP interface for the connector `soap`: the operations of the simulated Fachverfahren, at three levels."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from lxml import etree

from intermediary.core.ports import Idempotency
from intermediary.testing.kit.http_target import HttpTarget, Route
from intermediary.testing.rest_target import Body, Effect, RestTarget
from intermediary.testing.simulate.fachverfahren.soap import OWN, SOAP, WSDL

_KEY = "X-Schluessel"
_BOUNDARY = re.compile(r'multipart/related;.*boundary="?([^";]+)"?', re.IGNORECASE)
_SETTINGS: Mapping[str, object] = {
    "url": "{url}/soap",
    "wsdl": "{folder}/fachverfahren.wsdl",
    "operation": "einreichen",
    "arguments": {
        "schluessel": "key",
        "mandant": "mandant",
        "datei.name": "package.name",
        "datei.inhalt": "package.mtom",
    },
    "http_headers": {_KEY: "key"},
    "reply": {"reference": "vorgang", "state": "status", "delivered": ["ANGENOMMEN"]},
    "faults": {"refused": ["Client.Inhalt"]},
    "http": {"idle_seconds": 2, "total_seconds": 10, "max_answer_bytes": 100_000},
}
_ASKED: Mapping[str, object] = {
    "operation": "abfragen",
    "arguments": {"schluessel": "key"},
    "reply": {"reference": "vorgang", "state": "status", "delivered": ["ANGENOMMEN"], "unknown": ["UNBEKANNT"]},
}


class _Office(RestTarget):
    """`RestTarget` that speaks SOAP 1.1: `einreichen` has an effect, `abfragen` only asks."""

    def read(self, headers: Mapping[str, str], data: bytes, sha256: str) -> Body:
        operation = headers.get("soapaction", "").strip('"').removeprefix(f"{OWN}:")
        if operation == "abfragen":
            return Body(fields={"operation": operation, "key": _text(etree.fromstring(data), "schluessel")})
        return Body("", _package(headers, data), {"operation": operation, "key": headers.get(_KEY.lower(), "")})

    def has_effect(self, body: Body) -> bool:
        return bool(body.fields["operation"] == "einreichen")

    def take(self, path: str, headers: Mapping[str, str], body: Body) -> tuple[int, dict[str, object]]:
        key = str(body.fields["key"])
        with self._lock:
            if not self.has_effect(body):
                return 200, {**self._answers.get(key, {"status": "UNBEKANNT"}), "operation": "abfragen"}
            if self.removes_doubles and key in self._answers:
                return 200, self._answers[key]
            number = self._note(Effect("einreichen", key, "", body.sha256))
            answer: dict[str, object] = {"operation": "einreichen", "status": "ANGENOMMEN", "id": f"FV-{number}"}
            self._answers[key] = answer
            return 200, answer

    def written(self, status: int, answer: Mapping[str, object]) -> tuple[int, bytes, str]:
        if status in (401, 404, 503):
            return status, b"", "text/plain"
        root = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
        body = etree.SubElement(root, f"{{{SOAP}}}Body")
        if status >= 400:
            fault = etree.SubElement(body, f"{{{SOAP}}}Fault")
            etree.SubElement(fault, "faultcode").text = f"soap:{'Client.Inhalt' if status == 422 else 'Server'}"
            etree.SubElement(fault, "faultstring").text = "about a person"
            return 500, etree.tostring(root), "text/xml"
        told = etree.SubElement(body, f"{{{OWN}}}{answer.get('operation', 'einreichen')}Antwort")
        etree.SubElement(told, f"{{{OWN}}}status").text = str(answer.get("status", "FEHLER"))
        if "id" in answer:
            etree.SubElement(told, f"{{{OWN}}}vorgang").text = str(answer["id"])
        return status, etree.tostring(root), "text/xml"


class Soap(HttpTarget):
    """The kit's target for `soap`: what it promises is `level`, and the settings say the same."""

    level: ClassVar[Idempotency] = Idempotency.LOOKUP

    def __init__(self) -> None:
        offers: dict[str, object] = {"target_deduplicates": self.level is Idempotency.NATIVE}
        if self.level is Idempotency.LOOKUP:
            offers["lookup"] = _ASKED
        super().__init__({**_SETTINGS, **offers}, routes=(), removes_doubles=self.level is Idempotency.NATIVE)

    def server(self, routes: Sequence[Route], *, removes_doubles: bool) -> RestTarget:
        return _Office(removes_doubles=removes_doubles, mood=self._next)

    def start(self, folder: Path) -> Mapping[str, object]:
        (folder / "fachverfahren.wsdl").write_text(WSDL.replace("LOCATION", self._server.url), encoding="utf-8")
        return super().start(folder)


class Native(Soap):
    """It takes a key only once."""

    level = Idempotency.NATIVE


class Silent(Soap):
    """It removes no doubles and cannot be asked."""

    level = Idempotency.NONE


KIT = Soap


def _package(headers: Mapping[str, str], data: bytes) -> str:
    """The hash of the part of MTOM that the package is; empty for a body that is too large to be held."""
    boundary = _BOUNDARY.search(headers.get("content-type", ""))
    if not data or boundary is None:
        return ""
    found = data.split(b"--" + boundary[1].encode())  # before the first part, its envelope, the package, and the end
    return hashlib.sha256(found[2].partition(b"\r\n\r\n")[2][: -len(b"\r\n")]).hexdigest() if len(found) > 3 else ""


def _text(root: Any, name: str) -> str:
    return str(root.findtext(f".//{{{OWN}}}{name}") or "")
