"""A Fachverfahren with an HTTP interface that misbehaves on demand: before it commits, after it, and while it answers.

It speaks through sockets of its own and not through a framework, so that it can cut, drip and stay silent at any byte.
"""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import http.server
import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_HOLD_BYTES = 64 * 1024 * 1024
_DRIP_SECONDS = 0.02


class Trouble(StrEnum):
    """What happens to one request with an effect. `…_AFTER`: it has been committed."""

    RESET_BEFORE = "reset-before"
    RESET_AFTER = "reset-after"
    SILENT_AFTER = "silent-after"
    ERROR_BEFORE = "500-before"
    ERROR_AFTER = "500-after"
    GATEWAY_AFTER = "502-after"
    BUSY = "503"
    LIMITED = "429"
    DRIP_AFTER = "drip-after"
    HUGE_AFTER = "huge-after"
    HTML_AFTER = "html-after"
    ERROR_BODY = "error-body"
    REDIRECT = "redirect"
    UNAUTHORIZED = "401"
    REFUSED = "422"
    FOREIGN_ID_AFTER = "foreign-id-after"


CERTAIN = frozenset({Trouble.BUSY, Trouble.LIMITED, Trouble.UNAUTHORIZED})
"""What says clearly that nothing was done and that time heals it."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing that was committed: what (`zustellung`, `case`, `document`, `closed`), under which key, with which bytes."""

    kind: str
    key: str
    name: str = ""
    sha256: str = ""


@dataclass
class RestTarget:
    """The target and its server on a free port of 127.0.0.1; a context manager.

    `POST /zustellungen` and `GET /zustellungen/KEY`; in steps: `POST /cases`, `POST /cases/ID/documents`, `POST
    /cases/ID/close`, `GET /cases?key=KEY`; `GET /verdicts/KEY` says what `verdicts` has; `POST /token` gives tokens, of
    which the newest counts once `wants_token`. With `removes_doubles` it commits once per `Idempotency-Key`. `troubles` are
    used up one by one by requests with an effect; without any, `mood` is asked. `committed` is told of each effect.
    `headers` are those of every request in order, with the path as `:path`; `bodies` those of up to 1 MiB.
    """

    removes_doubles: bool = True
    wants_token: bool = False
    retry_after: str = "1"
    mood: Callable[[], Trouble | None] = lambda: None
    committed: Callable[[Effect], None] = lambda _: None
    troubles: deque[Trouble] = field(default_factory=deque)
    effects: list[Effect] = field(default_factory=list)
    verdicts: dict[str, dict[str, object]] = field(default_factory=dict)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._answers: dict[str, dict[str, object]] = {}
        self._cases: dict[str, dict[str, Any]] = {}
        self._tokens = 0
        self._over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, path: str, headers: Mapping[str, str], body: Body) -> tuple[int, dict[str, object]]:
        """Commit what one request asks for, once per key where doubles are removed; status and JSON of the answer."""
        key = headers.get("idempotency-key", "")
        with self._lock:
            if self.removes_doubles and key and key in self._answers:
                return 200, self._answers[key]
            status, answer = self._commit(path.strip("/").split("/"), key, body)
            if status < 300 and key:
                self._answers[key] = answer
            return status, answer

    def ask(self, path: str, query: Mapping[str, list[str]]) -> tuple[int, dict[str, object]]:
        """What a GET says."""
        with self._lock:
            match path.strip("/").split("/"):
                case ["zustellungen", key] if key in self._answers:
                    return 200, self._answers[key]
                case ["cases"]:
                    wanted = (query.get("key") or [""])[0]
                    found = [one for one in self._cases.values() if one["key"] == wanted]
                    return (200, dict(found[0])) if found else (404, {})
                case ["verdicts", key] if key in self.verdicts:
                    return 200, self.verdicts[key]
            return 404, {"error": "not-found"}

    def read(self, headers: Mapping[str, str], data: bytes, sha256: str) -> Body:
        """What a request carries; `data` is empty when it is too large to be held."""
        return _body_of(headers, data, sha256)

    def has_effect(self, body: Body) -> bool:
        """Whether trouble is for this request: a POST that only asks meets none."""
        return True

    def written(self, status: int, answer: Mapping[str, object]) -> tuple[int, bytes, str]:
        """An answer as it goes out: status, bytes and media type."""
        return status, json.dumps(answer).encode(), "application/json"

    def token(self) -> dict[str, object]:
        """A new token; older ones are void."""
        with self._lock:
            self._tokens += 1
            return {"access_token": f"token-{self._tokens}", "token_type": "Bearer", "expires_in": 3600}

    def is_let_in(self, authorization: str) -> bool:
        return not self.wants_token or authorization == f"Bearer token-{self._tokens}"

    def trouble(self) -> Trouble | None:
        """What happens to the next request with an effect."""
        with self._lock:
            return self.troubles.popleft() if self.troubles else self.mood()

    def is_over(self, seconds: float) -> bool:
        return self._over.wait(seconds)

    def _commit(self, path: list[str], key: str, body: Body) -> tuple[int, dict[str, object]]:
        match path:
            case ["zustellungen"]:
                number = self._note(Effect("zustellung", key, body.name, body.sha256))
                return 201, {"id": f"F-{number}", "sha256": body.sha256, "state": "closed"}
            case ["cases"]:
                number = self._note(Effect("case", key))
                case_id = f"C-{number}"
                owner = str(body.fields.get("key", key))
                self._cases[case_id] = {"id": case_id, "key": owner, "state": "open", "documents": 0}
                return 201, {"id": case_id}
            case ["cases", case_id, "documents"] if case_id in self._cases:
                number = self._note(Effect("document", key, body.name, body.sha256))
                self._cases[case_id]["documents"] += 1
                return 201, {"id": f"D-{number}", "sha256": body.sha256}
            case ["cases", case_id, "close"] if case_id in self._cases:
                self._note(Effect("closed", key))
                self._cases[case_id]["state"] = "closed"
                return 200, {"id": case_id, "state": "closed"}
        return 404, {"error": "not-found"}

    def _note(self, effect: Effect) -> int:
        self.effects.append(effect)
        self.committed(effect)
        return len(self.effects)


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carried: the first file in it, and the fields of its JSON."""

    name: str = ""
    sha256: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], target: RestTarget) -> None:
        self.target = target
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that ends early is what this is for."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._seen(b"")
        url = urlsplit(self.path)
        if not self.server.target.is_let_in(self.headers.get("Authorization", "")):
            return self._say(401, {})
        return self._say(*self.server.target.ask(url.path, parse_qs(url.query)))

    def do_OPTIONS(self) -> None:
        self._seen(b"")
        is_let_in = self.server.target.is_let_in(self.headers.get("Authorization", ""))
        self._say(204 if is_let_in else 401, {})

    def do_POST(self) -> None:
        target = self.server.target
        if "Transfer-Encoding" in self.headers:
            self._say(411, {})
            return
        data, sha256 = self._read()
        if data is None:
            return
        self._seen(data)
        if self.path == "/token":
            self._say(200, target.token())
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = target.read(headers, data, sha256)
        trouble = target.trouble() if target.has_effect(body) else None
        if trouble is Trouble.UNAUTHORIZED or not target.is_let_in(self.headers.get("Authorization", "")):
            self._say(401, {})
            return
        if trouble is None or trouble.endswith("-after"):
            status, answer = target.take(self.path, headers, body)
        else:
            status, answer = 500, {}
        _BEHAVIOUR.get(trouble, _answers)(self, status, answer)

    do_PUT = do_PATCH = do_POST  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
        """Quiet."""

    def _read(self) -> tuple[bytes | None, str]:
        """The body, or only its hash when it is too large to hold; None when the client went away."""
        rest = int(self.headers.get("Content-Length", 0))
        digest, held = hashlib.sha256(), bytearray()
        is_held = rest <= _HOLD_BYTES
        while rest:
            piece = self.rfile.read(min(rest, 1024 * 1024))
            if not piece:
                return None, ""
            digest.update(piece)
            rest -= len(piece)
            if is_held:
                held += piece
        return bytes(held), digest.hexdigest()

    def _seen(self, body: bytes) -> None:
        target = self.server.target
        target.headers.append({name.lower(): value for name, value in self.headers.items()} | {":path": self.path})
        if len(body) <= 1024 * 1024:
            target.bodies.append(body)

    def _say(self, status: int, answer: Mapping[str, object], **headers: str) -> None:
        code, body, media_type = self.server.target.written(status, answer)
        self._write(code, body, media_type, **headers)

    def _write(self, status: int, body: bytes, media_type: str, **headers: str) -> None:
        self.send_response(status)
        all_headers = {"Content-Type": media_type, "Content-Length": str(len(body)), **headers}
        for name, value in all_headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def _reset(self) -> None:
        """RST instead of an orderly end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _drip(self, answer: Mapping[str, object]) -> None:
        _, body, _ = self.server.target.written(201, answer)
        self.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        for byte in body + b" " * 100_000:
            if self.server.target.is_over(_DRIP_SECONDS):
                return
            self.wfile.write(bytes([byte]))

    def _silent(self) -> None:
        """Until the client gives up, or the target ends."""
        self.connection.settimeout(_DRIP_SECONDS)
        while not self.server.target.is_over(0):
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue


def _answers(handler: _Handler, status: int, answer: dict[str, object]) -> None:
    handler._say(status, answer)


_BEHAVIOUR: dict[Trouble | None, Callable[[_Handler, int, dict[str, object]], None]] = {
    Trouble.RESET_BEFORE: lambda handler, *_: handler._reset(),
    Trouble.RESET_AFTER: lambda handler, *_: handler._reset(),
    Trouble.SILENT_AFTER: lambda handler, *_: handler._silent(),
    Trouble.ERROR_BEFORE: lambda handler, *_: handler._say(500, {"error": "E500"}),
    Trouble.ERROR_AFTER: lambda handler, *_: handler._say(500, {"error": "E500"}),
    Trouble.GATEWAY_AFTER: lambda handler, *_: handler._write(502, b"<html>Bad Gateway</html>", "text/html"),
    Trouble.BUSY: lambda handler, *_: handler._say(503, {}, Retry_After=handler.server.target.retry_after),
    Trouble.LIMITED: lambda handler, *_: handler._say(429, {}, Retry_After=handler.server.target.retry_after),
    Trouble.DRIP_AFTER: lambda handler, _, answer: handler._drip(answer),
    Trouble.HUGE_AFTER: lambda handler, *_: handler._write(200, b'{"id":"' + b"x" * 5_000_000, "application/json"),
    Trouble.HTML_AFTER: lambda handler, *_: handler._write(200, b"<html>Anmeldung</html>", "text/html"),
    Trouble.ERROR_BODY: lambda handler, *_: handler._say(200, {"error": "E200"}),
    Trouble.REDIRECT: lambda handler, *_: handler._say(307, {}, Location="https://elsewhere.example/"),
    Trouble.REFUSED: lambda handler, *_: handler._say(422, {"error": {"code": "E4711", "text": "about a person"}}),
    Trouble.FOREIGN_ID_AFTER: lambda handler, status, answer: handler._say(
        status, {**answer, "id": "F-0", "sha256": "0"}
    ),
}


def _body_of(headers: Mapping[str, str], data: bytes, sha256: str) -> Body:
    media_type = headers.get("content-type", "").partition(";")[0]
    if not data and sha256 != hashlib.sha256().hexdigest():
        return Body("", sha256)
    if media_type == "application/json":
        fields = json.loads(data or b"{}")
        file = fields.get("package") or fields
        content = base64.b64decode(file["data"]) if isinstance(file, dict) and file.get("data") else b""
        name = str(file.get("fileName", "")) if isinstance(file, dict) else ""
        return Body(name, hashlib.sha256(content).hexdigest() if content else "", fields)
    if media_type == "multipart/form-data":
        return _of_parts(headers["content-type"], data)
    return Body("", sha256)


def _of_parts(content_type: str, data: bytes) -> Body:
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + data, policy=email.policy.HTTP
    )
    name, sha256, fields = "", "", {}
    for part in message.walk():
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        if part.get_filename():
            if not name:
                name, sha256 = str(part.get_filename()), hashlib.sha256(content).hexdigest()
        elif part.get_content_type() == "application/json":
            fields = json.loads(content)
    return Body(name, sha256, fields)
