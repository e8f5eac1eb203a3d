"""HTTP to a target over real sockets: bounded, verified, never elsewhere; and what each failure says about the request."""

from __future__ import annotations

import base64
import http.server
import io
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from intermediary.connect.http import HttpClient
from intermediary.connect.http_body import Base64, Body
from intermediary.connect.http_values import HttpAnswer, HttpRequest, HttpSettings, HttpUrl, retry_after
from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.values import MemoryContent

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
QUICK = HttpSettings(connect_seconds=5, idle_seconds=5, total_seconds=30)
Handler = Callable[[http.server.BaseHTTPRequestHandler, bytes], None]


class Broken:
    """A content whose end is not what was taken."""

    length = 600_000
    sha256 = ""

    def open(self) -> BinaryIO:
        class Stream(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                piece = super().read(size)
                if self.tell() == Broken.length:
                    raise Misconfigured("payload.corrupt")
                return piece

        return Stream(b"x" * self.length)

    def read(self) -> bytes:
        raise AssertionError("nobody reads a content as a whole")


@contextmanager
def server(answer: Handler, context: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[bytes]]]:
    """A server on a free port that answers by a function; its address, and each request line with headers and body."""
    seen: list[bytes] = []

    class Answering(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append(self.requestline.encode() + b"\n" + bytes(self.headers) + body)
            self.close_connection = True
            answer(self, body)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *arguments: Any) -> None:
            """Quiet."""

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    listening.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context is not None:
        listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{listening.server_port}/entry", seen
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def says(status: int, body: bytes = b"", **headers: str) -> Handler:
    """An answer with these headers and a length."""

    def answer(handler: http.server.BaseHTTPRequestHandler, _: bytes) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def post(url: str, *parts: bytes | MemoryContent | Base64 | Broken, settings: HttpSettings = QUICK) -> HttpAnswer:
    """One POST."""
    client = HttpClient(url, settings, where="target x")
    return client.send(HttpRequest("POST", body=Body(parts)), now=NOW)


def test_a_body_of_bytes_and_contents_is_streamed_with_its_length() -> None:
    """What stands around contents, contents and their base64 arrive byte for byte, under a length and not in chunks."""
    content = MemoryContent(bytes(range(256)) * 3001)
    with server(says(201, b"{}", X_Case="4711")) as (url, seen):
        answer = post(url, b'{"data":"', Base64(content), b'"}', content)

    (request,) = seen
    head, _, body = request.partition(b"\n\n")
    assert b'{"data":"' + base64.b64encode(content.read()) + b'"}' + content.read() == body
    assert f"Content-Length: {len(body)}".encode() in head
    assert (201, "4711", b"{}", True) == (answer.status, answer.headers["x-case"], answer.body, answer.is_success)
    assert b"ransfer-Encoding" not in head


def test_nothing_sent_is_transient() -> None:
    """A port where nobody listens; the fault names it, and nothing of the path."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(Transient) as caught:
            post(f"http://127.0.0.1:{port}/antrag/4711", b"x")

    assert ("target.unreachable", f"target x: 127.0.0.1:{port}") == (caught.value.code, caught.value.where)


def _hangs_up(handler: http.server.BaseHTTPRequestHandler, _: bytes) -> None:
    handler.connection.close()


def _cut(handler: http.server.BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nxx")


def _noise(handler: http.server.BaseHTTPRequestHandler, _: bytes) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH\r\n\r\n")


@pytest.mark.parametrize("answer", [_hangs_up, _cut, _noise])
def test_sent_without_a_clear_answer_is_unclear(answer: Handler) -> None:
    """From the first byte on, a lost answer may hide an effect; a lost question has none."""
    with server(answer) as (url, _):
        with pytest.raises(Unclear) as caught:
            post(url, b"x")
        with pytest.raises(Transient):
            HttpClient(url, QUICK, where="target x").send(HttpRequest("GET"), now=NOW)

    assert "target.no-answer" == caught.value.code


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
def test_an_answer_that_drips_ends_with_the_time_for_the_whole(head: bytes) -> None:
    """Neither a header nor a body that comes byte by byte holds a thread beyond `total_seconds` (T28)."""
    over = threading.Event()

    def drip(handler: http.server.BaseHTTPRequestHandler, _: bytes) -> None:
        handler.wfile.write(head)
        while not over.wait(0.05):
            handler.wfile.write(b"H")

    with server(drip) as (url, _):
        try:
            with pytest.raises(Unclear) as caught:
                post(url, b"x", settings=HttpSettings(total_seconds=1))
        finally:
            over.set()

    assert "target.no-answer" == caught.value.code


def test_a_huge_answer_is_not_read() -> None:
    """Behind a success it leaves the outcome open; behind an error the status is enough."""
    small = HttpSettings(max_answer_bytes=5000)
    with server(says(200, b"y" * 5001)) as (url, _), pytest.raises(Unclear) as caught:
        post(url, b"x", settings=small)
    with server(says(404, b"y" * 5001)) as (url, _):
        answer = post(url, b"x", settings=small)

    assert "target.answer.too-large" == caught.value.code
    assert (404, b"") == (answer.status, answer.body)


def test_no_redirection_no_cookie_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the target asks for beside its answer is not done, and the environment has no say."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with server(says(307, Location="https://evil.example.com/", Set_Cookie="a=b")) as (url, seen):
        client = HttpClient(url, QUICK, where="target x")
        answers = [client.send(HttpRequest("POST", body=Body((b"x",))), now=NOW).status for _ in range(2)]

    assert [307, 307] == answers
    assert not any(b"ookie" in request for request in seen)


@pytest.mark.parametrize(
    "reference",
    ["https://evil.example.com/", "//evil.example.com/x", "http://127.0.0.1:1/", "http://u:p@127.0.0.1/", "ftp://h/"],
)
def test_no_request_leaves_the_configured_host(reference: str) -> None:
    """An address that the target named is asked only if it is the same host, scheme and port."""
    client = HttpClient("http://127.0.0.1/a/b", QUICK, where="target x")
    with pytest.raises(Misconfigured) as caught:
        client.send(HttpRequest("GET", reference), now=NOW)

    assert ("target.http", "target x: another host") == (caught.value.code, caught.value.where)
    assert "http://127.0.0.1/a/c?x=1" == client.resolve("c?x=1#top")


@pytest.mark.parametrize(
    "text", ["", "host/path", "http://fach.example/", "https://u:p@h/", "https://h/#f", "ftp://h/", "https://"]
)
def test_addresses_that_no_target_has(text: str) -> None:
    """TLS is demanded but to this machine, and secrets are no part of an address."""
    with pytest.raises(ValueError, match="expected"):
        HttpUrl(text)


def test_a_source_that_fails_at_its_end_leaves_no_whole_request() -> None:
    """The last piece is given away only when the source has ended well; its fault passes."""
    arrived: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            connection, _ = listening.accept()
            with connection:
                count = 0
                while piece := connection.recv(65536):
                    count += len(piece)
                arrived.append(count)

        thread = threading.Thread(target=take)
        thread.start()
        with pytest.raises(Misconfigured) as caught:
            post(f"http://127.0.0.1:{listening.getsockname()[1]}/", Broken())
        thread.join()

    assert "payload.corrupt" == caught.value.code
    assert arrived[0] < Broken.length


@pytest.mark.parametrize(
    ("status", "kind", "code", "asking"),
    [
        (302, Misconfigured, "target.http", Misconfigured),
        (400, Rejected, "target.refused", Misconfigured),
        (401, Misconfigured, "target.credentials", Misconfigured),
        (403, Misconfigured, "target.credentials", Misconfigured),
        (404, Misconfigured, "target.http", Misconfigured),
        (408, Unclear, "target.no-answer", Transient),
        (413, Misconfigured, "target.http", Misconfigured),
        (422, Rejected, "target.refused", Misconfigured),
        (429, Transient, "target.unreachable", Transient),
        (500, Unclear, "target.no-answer", Transient),
        (502, Unclear, "target.no-answer", Transient),
        (503, Transient, "target.unreachable", Transient),
    ],
)
def test_what_an_unexpected_status_means(status: int, kind: type[Fault], code: str, asking: type[Fault]) -> None:
    """Who heals it, for a request with an effect and for one that only asks."""
    answer = HttpAnswer(status, retry_after=timedelta(seconds=7))
    fault = answer.fault(where="rest")

    assert (kind, code, f"rest: HTTP {status}") == (type(fault), fault.code, fault.where)
    assert (
        replace(answer, host="fv.example:443").fault(where="rest").where.endswith(f"HTTP {status} from fv.example:443")
    )
    assert asking is type(answer.ask_fault(where="rest"))
    assert getattr(fault, "retry_after", timedelta(seconds=7)) == timedelta(seconds=7)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sun, 22 Nov 2026 09:05:00 GMT", 300),
        ("Sun, 22 Nov 2026 08:05:00 GMT", 0),
        ("999999999", 366 * 86400),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(value: str, seconds: int) -> None:
    """Both forms of RFC 9110; the past is now, and nobody makes us wait for ever."""
    assert timedelta(seconds=seconds) == retry_after(value, NOW)


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "٣", "Sun, 22 Nov 2026 09:05:00", "9" * 400])
def test_a_retry_after_that_says_nothing(value: str) -> None:
    """What is neither is left out."""
    assert retry_after(value, NOW) is None


def test_tls_is_verified_and_our_certificate_is_shown(tmp_path: Path) -> None:
    """An unknown authority and a missing client certificate are the operator's; files that are renewed are read anew."""
    pem = certificate(tmp_path / "tls.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(pem)
    context.verify_mode = ssl.CERT_REQUIRED
    ours = tmp_path / "ours.pem"
    with server(says(200), context) as (url, seen):
        for settings in (QUICK, HttpSettings(ca_file=pem), HttpSettings(ca_file=tmp_path / "none")):
            with pytest.raises(Misconfigured) as caught:
                post(url, b"x", settings=settings)
            assert "target.tls" == caught.value.code
        client = HttpClient(url, HttpSettings(ca_file=pem, client_cert=ours, client_key=ours), where="target x")
        with pytest.raises(Misconfigured) as caught:
            client.send(HttpRequest("POST"), now=NOW)
        ours.write_bytes(pem.read_bytes())
        status = client.send(HttpRequest("POST"), now=NOW).status

    assert "target x: client_cert, client_key" == caught.value.where
    assert (200, 1) == (status, len(seen))


def test_a_certificate_comes_with_its_key() -> None:
    """One without the other is a mistake of the configuration."""
    with pytest.raises(ValueError, match="go together"):
        HttpSettings(client_cert=Path("a"))


def certificate(path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path
