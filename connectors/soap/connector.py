"""Calls an operation of the target's WSDL with the pieces of a Zustellauftrag; its answer, or a look-up, is the verdict.

What a target offers against double delivery is in the settings, and the instance's manifest follows them: an operation that
tells what became of a key (`lookup`), a promise to take a key only once (`target_deduplicates`), or nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from connectors.soap.answer import UNSPECIFIED, Said, fault_of, proof_of, read_answer
from connectors.soap.envelope import Envelope, make_request
from connectors.soap.pieces import Pieces
from connectors.soap.security import secure
from connectors.soap.settings import Asked, Reply, SoapSettings
from connectors.soap.sources import flat
from connectors.soap.wsdl import Operation, demand_no_metadata, load_operations
from intermediary.connect.api import (
    EMPTY,
    Awaiting,
    Delivered,
    Dokument,
    HttpAnswer,
    HttpClient,
    HttpRequest,
    Idempotency,
    Manifest,
    Misconfigured,
    NotDelivered,
    Refused,
    Rejected,
    Steps,
    Transient,
    Unclear,
    Zustellauftrag,
)
from intermediary.core.values import MemoryContent

MANIFEST = Manifest(
    name="soap",
    idempotency=Idempotency.NONE,
    summary="calls an operation of any WSDL; native or lookup where the settings say that the target offers it",
    steps=("offer", "answer"),
    concurrency=16,
)
_WHERE = "soap"
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Soap:
    """The connector of one SOAP target."""

    def __init__(self, settings: SoapSettings, further: tuple[str, ...] = ()) -> None:
        """`further` are operations for `fetch`."""
        self._further = further
        demand_no_metadata(urlsplit(settings.url).hostname or "")
        self._settings = settings
        self._http = HttpClient(settings.url, settings.http, where=_WHERE)
        self._operations: dict[str, Operation] = {}
        self.manifest = replace(MANIFEST, idempotency=_offers(settings))

    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting:
        settings = self._settings
        if settings.lookup is not None and steps.get("offer") is not None:
            found = self.lookup(auftrag.key, steps, now)  # whatever has been asked before: it costs one question
            if not isinstance(found, NotDelivered):
                return found
        request = self._request(settings.operation, settings.arguments, auftrag, now)
        self._note(steps, "offer", _proof(auftrag))
        answer = self._http.send(request, now=now)
        said = read_answer(answer, settings.faults)
        if said is None:
            return self._unsaid(answer, auftrag)
        if said.is_fault:
            raise fault_of(said, settings.faults, answer)
        if not answer.is_success:
            raise Unclear("target.no-answer", where=f"{_WHERE}: HTTP {answer.status}")
        proof = {**_proof(auftrag), **proof_of(said, settings.reply)}
        verdict = self._verdict(said, settings.reply, proof, now)
        if isinstance(verdict, Refused):
            raise Rejected("target.refused", where=f"reason: {verdict.reason}")
        if isinstance(verdict, NotDelivered):
            raise Unclear("target.answer.unreadable", where="reply.state")
        self._note(steps, "answer", proof_of(said, settings.reply))
        return verdict

    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered:
        sent, told = steps.get("offer") or {}, steps.get("answer") or {}
        verdict = self._look(key, {"message_id": key, **sent}, now, told=told)
        if isinstance(verdict, Refused):
            raise Rejected("target.refused", where=f"reason: {verdict.reason}")
        return verdict

    def collect(self, key: str, correlation: Mapping[str, str], now: datetime) -> Delivered | Refused | None:
        verdict = self._look(key, dict(correlation), now)
        if isinstance(verdict, NotDelivered):
            raise Unclear("target.answer.unreadable", where="lookup.reply.state")
        return None if isinstance(verdict, Awaiting) else verdict

    def fetch(self, asked: Asked, key: str, now: datetime) -> bytes:
        """The document that an operation has for a key, empty while there is none: for connectors built on this one.

        Raises as `lookup`; `Transient` for an answer in which the element is no document.
        """
        said = self._said(asked.operation, asked.arguments, key, now, unknown=asked.unknown_faults)
        try:
            return b"" if said is None else said.content(asked.element)
        except (ValueError, KeyError) as error:
            raise Transient("target.unreachable", where=f"{_WHERE}: {asked.element}") from error

    def probe(self) -> None:
        """As `examine`, then asks for a key that nobody has; without `lookup` only for the address."""
        self.examine()
        now = datetime.now(UTC)  # a probe has no moment of its own; a token of another one would be refused
        if self._settings.lookup is not None:
            self._look(_NOBODY, {}, now)
        else:
            self._http.send(HttpRequest("GET"), now=now)

    def examine(self) -> None:
        """Reads the WSDL, tries the arguments of each operation, and the files of certificates and keys; offline."""
        settings, lookup, now = self._settings, self._settings.lookup, datetime.now(UTC)
        self._http.examine()
        self._request(settings.operation, settings.arguments, _sample(settings), now)
        if lookup is not None:
            self._request(lookup.operation, lookup.arguments, _sample(settings), now)

    def _note(self, steps: Steps, step: str, facts: Mapping[str, str]) -> None:
        """Keep what a look-up will put into its proof: what was sent, and what the target said to it, if it came to that."""
        if self._settings.lookup is not None and steps.get(step) is None:
            steps.done(step, facts)

    def _request(self, name: str, table: Mapping[str, object], auftrag: Zustellauftrag, now: datetime) -> HttpRequest:
        pieces = Pieces(auftrag)
        operation = self._operation(name)
        root, action = operation.envelope(pieces.arguments(table))
        envelope = Envelope(root, pieces.holes)
        envelope.fill()
        secure(envelope, self._settings.security, now=now, nonce=os.urandom(16).hex())
        headers = pieces.texts(self._settings.http_headers) if name == self._settings.operation else {}
        return make_request(operation, envelope, action, headers, auftrag.key)

    def _operation(self, name: str) -> Operation:
        if not self._operations:
            settings = self._settings
            names = [settings.operation, *([settings.lookup.operation] if settings.lookup else []), *self._further]
            found = load_operations(settings.wsdl, settings.locations, port=settings.port, names=tuple(names))
            self._operations = {one.name: one for one in found}
        return self._operations[name]

    def _unsaid(self, answer: HttpAnswer, auftrag: Zustellauftrag) -> Delivered:
        """An answer that is no SOAP: fine for an operation without one, else what its status says."""
        settings = self._settings
        if answer.is_success:
            if not answer.body and not self._operation(settings.operation).has_answer:
                return Delivered(_proof(auftrag))
            raise Unclear("target.answer.unreadable", where=f"{_WHERE}: HTTP {answer.status}")
        fault = answer.fault(where=_WHERE)
        if isinstance(fault, Rejected):  # a proxy in between: no Fachverfahren has read the content
            raise Misconfigured("target.http", where=fault.where)
        raise fault

    def _look(
        self, key: str, proof: Mapping[str, str], now: datetime, *, told: Mapping[str, str] = EMPTY
    ) -> Delivered | Awaiting | NotDelivered | Refused:
        lookup = self._settings.lookup
        if lookup is None:
            raise Unclear("delivery.unclear", where="lookup: not configured")
        said = self._said(lookup.operation, lookup.arguments, key, now, unknown=lookup.unknown_faults)
        if said is None:
            return NotDelivered()
        return self._verdict(said, lookup.reply, {**proof, **(told or proof_of(said, lookup.reply))}, now)

    def _said(
        self, name: str, table: Mapping[str, object], key: str, now: datetime, *, unknown: tuple[str, ...]
    ) -> Said | None:
        """The answer of an operation that only asks; None when a fault says that there is nothing under this key."""
        request = self._request(name, table, replace(_sample(self._settings), key=key), now)
        try:
            answer = self._http.send(request, now=now)
        except Unclear as fault:  # it only asked: asking again does no harm
            raise Transient("target.unreachable", where=fault.where) from fault
        said = read_answer(answer, self._settings.faults)
        if said is None:
            raise answer.ask_fault(where=_WHERE)
        if not said.is_fault:
            return said
        if frozenset(said.faults) & frozenset(unknown):
            return None
        known = fault_of(said, self._settings.faults, answer)
        if isinstance(known, Misconfigured):
            raise known
        raise Transient("target.unreachable", where=answer.place(f"fault: {said.faults[0]}"))

    def _verdict(
        self, said: Said, reply: Reply, proof: Mapping[str, str], now: datetime
    ) -> Delivered | Awaiting | NotDelivered | Refused:
        if not reply.state:
            return Delivered(proof)
        state = said.text(reply.state)
        if state in reply.delivered:
            return Delivered(proof)
        if state in reply.pending:
            return Awaiting(now + timedelta(hours=self._settings.deadline_hours), proof)
        if state in reply.refused:
            return Refused(said.code(reply.reason) or UNSPECIFIED, proof)
        if state in reply.unknown:
            return NotDelivered()
        raise Unclear("target.answer.unreadable", where="reply.state")


def _offers(settings: SoapSettings) -> Idempotency:
    if settings.target_deduplicates:
        return Idempotency.NATIVE
    return Idempotency.LOOKUP if settings.lookup is not None else Idempotency.NONE


def _proof(auftrag: Zustellauftrag) -> dict[str, str]:
    package = auftrag.package
    return {
        "message_id": auftrag.key,
        "file_name": package.file_name,
        "sha256": package.content.sha256,
        "length": str(package.content.length),
    }


def _sample(settings: SoapSettings) -> Zustellauftrag:
    """A Zustellauftrag with one of everything, for requests that carry no content: a probe that is not sent, a look-up."""
    content = MemoryContent(b"<x/>")
    dokument = Dokument("sample.xml", "application/xml", content)
    sources = [*flat(settings.arguments).values(), *settings.http_headers.values()]
    return Zustellauftrag(
        nachricht_id=_NOBODY,
        target="sample",
        key=_NOBODY,
        attempt=1,
        mandant="sample",
        package=dokument,
        dokumente=(dokument,),
        business_keys={source.removeprefix("business."): "0" for source in sources if source.startswith("business.")},
        nachricht=content,
    )


class _Factory:
    """Builds one connector per target."""

    manifest: Manifest = MANIFEST
    settings_type: type = SoapSettings

    def build(self, settings: SoapSettings, base: Path) -> Soap:
        return Soap(settings)


CONNECTOR = _Factory()
