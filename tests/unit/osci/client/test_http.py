"""HTTP to a partner: bounded, verified, not redirected; and what each failure says about the request."""

from __future__ import annotations

import http.server
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.osci.client.http import HttpExchange, HttpLimits

REQUEST = MemoryContent(b"MIME-Version: 1.0\r\n" + b"x" * 700_000)


def exchange(answer: Callable[[httpx2.Request], httpx2.Response], tmp_path: Path, **limits: Any) -> HttpExchange:
    """An exchange whose network is a function."""
    ticks = limits.pop("ticks", lambda: 0.0)
    return HttpExchange(
        "https://osci.example.org/entry",
        where="partner 05999001",
        spool=Spool(tmp_path, memory_bytes=1000),
        limits=HttpLimits(**limits),
        ticks=ticks,
        transport=httpx2.MockTransport(answer),
    )


def test_the_body_travels_as_it_is(tmp_path: Path) -> None:
    """One POST with length and the sample transport's media type; the answer's bytes come back, spooled."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        request.read()
        seen.append(request)
        return httpx2.Response(200, stream=httpx2.ByteStream(b"y" * 5000))

    content = exchange(answer, tmp_path).post(REQUEST)

    assert b"y" * 5000 == content.read()
    (request,) = seen
    assert ("POST", REQUEST.read()) == (request.method, request.content)
    assert (str(REQUEST.length), "text/xml", "identity") == tuple(
        request.headers[name] for name in ("Content-Length", "Content-Type", "Accept-Encoding")
    )
    assert "Transfer-Encoding" not in request.headers


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (301, Misconfigured, "dialog.http"),
        (307, Misconfigured, "dialog.http"),
        (404, Misconfigured, "dialog.http"),
        (429, Transient, "dialog.unreachable"),
        (503, Transient, "dialog.unreachable"),
        (500, Unclear, "dialog.no-answer"),
        (502, Unclear, "dialog.no-answer"),
        (504, Unclear, "dialog.no-answer"),
    ],
)
def test_a_status_that_is_no_answer(status: int, kind: type[Fault], code: str, tmp_path: Path) -> None:
    """OSCI answers with 200, errors too; everything else is the network's, and no redirection is followed."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(status, headers={"Location": "https://evil.example.com/"})

    with pytest.raises(kind) as caught:
        exchange(answer, tmp_path).post(REQUEST)

    assert code == caught.value.code
    assert ["https://osci.example.org/entry"] == asked


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (httpx2.ConnectError("refused"), Transient, "dialog.unreachable"),
        (httpx2.ConnectTimeout("slow"), Transient, "dialog.unreachable"),
        (httpx2.ReadTimeout("silent"), Unclear, "dialog.no-answer"),
        (httpx2.WriteError("reset"), Unclear, "dialog.no-answer"),
        (httpx2.RemoteProtocolError("closed"), Unclear, "dialog.no-answer"),
        (httpx2.UnsupportedProtocol("gopher"), Misconfigured, "dialog.http"),
    ],
)
def test_before_sending_is_not_after_sending(error: Exception, kind: type[Fault], code: str, tmp_path: Path) -> None:
    """Only what certainly was not sent is Transient."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(kind) as caught:
        exchange(answer, tmp_path).post(REQUEST)

    assert code == caught.value.code
    assert "refused" not in str(caught.value)


def test_an_answer_above_the_limit(tmp_path: Path) -> None:
    """It is not kept, and says so by itself: the delivery may be asked for in chunks."""
    with pytest.raises(Unclear) as caught:
        exchange(
            lambda _: httpx2.Response(200, stream=httpx2.ByteStream(b"y" * 5001)), tmp_path, max_answer_bytes=5000
        ).post(REQUEST)

    assert "dialog.answer.too-large" == caught.value.code


def test_a_compressed_answer_is_not_inflated(tmp_path: Path) -> None:
    """Nobody asked for it."""
    bomb = httpx2.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=httpx2.ByteStream(b"\x1f\x8b" + b"\0" * 99)
    )
    with pytest.raises(Unclear) as caught:
        exchange(lambda _: bomb, tmp_path).post(REQUEST)

    assert "dialog.answer.unreadable" == caught.value.code


def test_an_answer_that_drips_has_a_deadline(tmp_path: Path) -> None:
    """Bytes that keep coming one by one do not hold a thread for ever (T28)."""
    now = [0.0]

    def drip() -> Iterator[bytes]:
        for _ in range(10_000):
            now[0] += 1
            yield b"y"

    with pytest.raises(Unclear) as caught:
        exchange(lambda _: httpx2.Response(200, content=drip()), tmp_path, ticks=lambda: now[0], total_seconds=50).post(
            REQUEST
        )

    assert "dialog.no-answer" == caught.value.code
    assert now[0] < 60


def test_when_told_to_stop_an_answer_is_left(tmp_path: Path) -> None:
    """The rest of a large answer is not waited for."""
    leaving = HttpExchange(
        "https://osci.example.org/",
        where="partner x",
        spool=Spool(tmp_path, memory_bytes=10),
        limits=HttpLimits(),
        should_stop=lambda: True,
        transport=httpx2.MockTransport(lambda _: httpx2.Response(200, stream=httpx2.ByteStream(b"y" * 5000))),
    )
    with pytest.raises(Unclear):
        leaving.post(REQUEST)


def test_a_closed_exchange_sends_nothing(tmp_path: Path) -> None:
    """After the end nothing goes out any more, and that is no riddle."""
    closed = exchange(lambda _: httpx2.Response(200), tmp_path)
    closed.close()
    with pytest.raises(Transient):
        closed.post(REQUEST)


def test_tls_is_verified(tmp_path: Path) -> None:
    """A certificate nobody vouches for is refused before anything is sent; with its CA in `ca_file` it is accepted."""
    certificate = tls_certificate(tmp_path)
    with tls_server(certificate) as (url, bodies):

        def post(ca_file: Path | None) -> bytes:
            limits = HttpLimits(connect_seconds=10, idle_seconds=10)
            return (
                HttpExchange(url, where="partner x", spool=Spool(tmp_path / "spool"), limits=limits, ca_file=ca_file)
                .post(REQUEST)
                .read()
            )

        with pytest.raises(Misconfigured) as caught:
            post(None)
        assert ("dialog.tls", []) == (caught.value.code, bodies)
        assert b"antwort" == post(certificate)
        assert [REQUEST.length] == bodies


def test_an_unreadable_ca_file(tmp_path: Path) -> None:
    """It is the operator's to heal, and named."""
    with pytest.raises(Misconfigured) as caught:
        HttpExchange(
            "https://x.example",
            where="partner x",
            spool=Spool(tmp_path),
            limits=HttpLimits(),
            ca_file=tmp_path / "none",
        )

    assert ("dialog.tls", "partner x: ca_file") == (caught.value.code, caught.value.where)


def tls_certificate(folder: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]),
    )
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "tls.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    return path


@contextmanager
def tls_server(certificate: Path) -> Iterator[tuple[str, list[int]]]:
    """An HTTPS server on a free port; its address, and the lengths of the bodies it was sent."""
    bodies: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(len(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "7")
            self.end_headers()
            self.wfile.write(b"antwort")

        def log_message(self, *arguments: Any) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}/entry", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
