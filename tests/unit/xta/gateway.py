"""A gateway of XTA as small as it can be: one box over mutual TLS, and trouble on demand."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles, server_context
from intermediary.testing.authority import Authority, root
from intermediary.unseal.xta.container import ContentContainer, read_container
from intermediary.unseal.xta.entity import entity_head, read_entity
from intermediary.unseal.xta.envelope import Addressing, Envelope
from intermediary.unseal.xta.metadata import read_uri
from intermediary.unseal.xta.values import MessageMetaData
from intermediary.xta.wire import box, report
from intermediary.xta.wire.entity import Entity, OutgoingMessage, SealedXml, write_entity
from intermediary.xta.wire.faults import error, write_error
from intermediary.xta.wire.markup import leaf
from intermediary.xta.wire.metadata import write_metadata
from intermediary.xta.wire.operations import BY_ACTION, Operation

START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)

Trouble = Callable[["Call"], None]


class Refuse(Exception):
    """Answer with this exception of XTA."""

    def __init__(self, number: str) -> None:
        self.number = number


class Raw(Exception):
    """Answer with these bytes, or with nothing at all."""

    def __init__(self, data: bytes) -> None:
        self.data = data


@dataclass
class Call:
    """One request as it arrived."""

    operation: Operation
    envelope: Envelope


@dataclass
class Certificates:
    """An authority, a server for 127.0.0.1, and clients by name; PEM files in a folder."""

    folder: Path
    ca: Authority = field(default_factory=lambda: root("Test-CA", start=START, end=END))

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.ca_file = self.folder / "ca.pem"
        self.ca_file.write_bytes(self.ca.certificate.public_bytes(Encoding.PEM))

    def files(self, name: str, *, end: datetime = END, ca: Authority | None = None) -> TlsFiles:
        """Certificate and key of this name, for 127.0.0.1."""
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        one = (ca or self.ca).issue(name, start=START, end=end, extensions=[(address, False)])
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        certificate.write_bytes(one.certificate.public_bytes(Encoding.PEM))
        key.touch(mode=0o600)
        key.write_bytes(one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return TlsFiles(certificate, key)


class Gateway:
    """Holds messages until they are closed; `trouble[operation]` is met by its next calls, one each.

    `seen` are the operations in order, `orders` what was sent here. `page` entries of a list go into one answer.
    """

    def __init__(self, certificates: Certificates, *, page: int = 100) -> None:
        self.waiting: dict[str, tuple[MessageMetaData, ContentContainer | SealedXml]] = {}
        self.orders: dict[str, tuple[MessageMetaData, bytes]] = {}
        self.seen: list[str] = []
        self.trouble: dict[str, deque[Trouble]] = {}
        self.status = report.GREEN
        self.mtom = True
        self._page = page
        self._lists: dict[str, list[str]] = {}
        self._spool = Spool(None)
        server = _Server(("127.0.0.1", 0), _Handler)
        server.gateway = self
        files = certificates.files("gateway")
        context = server_context(TlsFiles(files.certificate, files.key, certificates.ca_file))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._server = server
        self.url = f"https://127.0.0.1:{server.server_address[1]}/xta"

    def __enter__(self) -> Gateway:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_reason: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, order: MessageMetaData, container: ContentContainer | SealedXml) -> str:
        """Lay a message into the box."""
        self.waiting[order.message_id] = (order, container)
        return order.message_id

    def meets(self, operation: str, *troubles: Trouble) -> None:
        """Trouble for the next calls of an operation."""
        self.trouble.setdefault(operation, deque()).extend(troubles)

    def answer(self, content_type: str, body: bytes) -> tuple[int, Entity]:
        """Status and body for one request."""
        envelope = read_entity(MemoryContent(entity_head(content_type) + body), self._spool)
        addressing = envelope.addressing
        assert addressing is not None
        operation = BY_ACTION[addressing.action]
        assert envelope.kind == operation.request
        self.seen.append(operation.name)
        troubles = self.trouble.get(operation.name)
        try:
            if troubles:
                troubles.popleft()(Call(operation, envelope))
            message = self.carry_out(operation, envelope)
            status = 200
        except Refuse as refused:
            message, status = (
                OutgoingMessage(Addressing(operation.action), body=write_error(error(refused.number))),
                500,
            )
        about = Addressing(operation.action, "", f"urn:uuid:{uuid.uuid4()}", addressing.message_id)
        return status, write_entity(replace(message, addressing=about), random=_random, mtom=self.mtom)

    def carry_out(self, operation: Operation, envelope: Envelope) -> OutgoingMessage:
        """The deed of one operation."""
        name = re.sub("([A-Z])", lambda found: f"_{found.group(1).lower()}", operation.name)
        deed: Callable[[Envelope], OutgoingMessage] = getattr(self, f"_{name}")
        return deed(envelope)

    def _check_account_active(self, _envelope: Envelope) -> OutgoingMessage:
        return _NOTHING

    def _create_message_id(self, _envelope: Envelope) -> OutgoingMessage:
        return _saying(leaf("wsa:MessageID", f"urn:de:xta:messageid:test:{uuid.uuid4()}"))

    def _get_status_list(self, envelope: Envelope) -> OutgoingMessage:
        assert envelope.body is not None
        box.read_status_list_request(envelope.body)
        return self._listed(f"urn:uuid:{uuid.uuid4()}", list(self.waiting))

    def _get_next_status_list(self, envelope: Envelope) -> OutgoingMessage:
        request = box.read_next_request(_of(envelope))
        return self._listed(request.request_id, self._lists.pop(request.request_id, []))

    def _listed(self, request_id: str, waiting: list[str]) -> OutgoingMessage:
        now, self._lists[request_id] = waiting[: self._page], waiting[self._page :]
        found = box.BoxResponse(request_id, len(self._lists[request_id])) if waiting else box.BoxResponse(request_id)
        entries = tuple(box.MsgAttributes(one, "urn:x", 1, "2026-11-21T09:30:00Z") for one in now)
        return _saying(box.write_status_list(box.StatusList(entries)), box.write_box_response(found))

    def _get_message(self, envelope: Envelope) -> OutgoingMessage:
        selector = box.read_fetch_request(_of(envelope)).selector
        assert selector is not None
        if selector.message_ids[0] not in self.waiting:
            raise Refuse("9070")
        order, container = self.waiting[selector.message_ids[0]]
        found = box.write_box_response(box.BoxResponse(f"urn:uuid:{uuid.uuid4()}", 0))
        return OutgoingMessage(Addressing(""), (write_metadata(order), found), container=container)

    def _close(self, envelope: Envelope) -> OutgoingMessage:
        for one in box.read_next_request(_of(envelope)).received:
            if self.waiting.pop(one, None) is None:
                raise Refuse("9070")
        return _NOTHING

    def _send_message(self, envelope: Envelope) -> OutgoingMessage:
        order = envelope.metadata()
        container = read_container(envelope, self._spool)
        assert isinstance(container, ContentContainer)
        if order.message_id in self.orders:
            raise Refuse("9024")
        self.orders[order.message_id] = (order, container.message.content.read())
        return _NOTHING

    def _get_transport_report(self, envelope: Envelope) -> OutgoingMessage:
        found = self.orders.get(read_uri(_of(envelope)))
        if found is None:
            raise Refuse("9070")
        told = report.TransportReport(found[0], "2026-11-21T09:30:00Z", self.url, self.status)
        return _saying(report.write_transport_report(told))


_NOTHING = OutgoingMessage(Addressing(""))


def after(gateway: Gateway, data: bytes = b"") -> Trouble:
    """The call is carried out, and its answer lost or replaced by these bytes."""

    def trouble(call: Call) -> None:
        gateway.carry_out(call.operation, call.envelope)
        raise Raw(data)

    return trouble


def before(data: bytes = b"") -> Trouble:
    """The call is not carried out; the connection ends, or these bytes are the answer."""

    def trouble(_call: Call) -> None:
        raise Raw(data)

    return trouble


def refuse(number: str) -> Trouble:
    """An exception of XTA."""

    def trouble(_call: Call) -> None:
        raise Refuse(number)

    return trouble


def plain(status: int, body: bytes = b"<html/>", *headers: str) -> bytes:
    """An answer of a web server."""
    lines = [f"HTTP/1.1 {status} X", "Content-Type: text/html", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _saying(body: str, *headers: str) -> OutgoingMessage:
    return OutgoingMessage(Addressing(""), headers, body)


def _of(envelope: Envelope) -> Any:
    assert envelope.body is not None
    return envelope.body


def _random(count: int) -> bytes:
    return uuid.uuid4().bytes[:count].ljust(count, b"x")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    gateway: Gateway

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A handshake that failed is the test's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        self.request.settimeout(10)
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        assert isinstance(server, _Server)
        try:
            status, entity = server.gateway.answer(self.headers["Content-Type"], body)
        except Raw as raw:
            self.wfile.write(raw.data)
            self.close_connection = True
            self.request.shutdown(socket.SHUT_RDWR)
            return
        data = entity.content.read()
        self.send_response(status)
        self.send_header("Content-Type", entity.content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_words: Any) -> None:
        """Nothing is said."""
