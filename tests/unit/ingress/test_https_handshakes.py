"""Who fails at the TLS handshake is told to the operator: why, where, how often; never one line for each attempt."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from intermediary.ingress.https.bounds import Listening
from intermediary.ingress.https.handshakes import Handshakes, told
from intermediary.ingress.https.server import Server
from intermediary.keys.tls import TlsFiles
from tests.acceptance.daemon import wait_until
from tests.acceptance.osci_endpoint import write_tls


@pytest.fixture
def tls(tmp_path: Path) -> TlsFiles:
    """A server that lets in the holders of one client certificate."""
    write_tls(tmp_path / "cert.pem", tmp_path / "key.pem")
    write_tls(tmp_path / "client.pem", tmp_path / "client.key", name="client")
    return TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "client.pem")


@contextmanager
def serving(tls: TlsFiles) -> Iterator[int]:
    """The port of a server that runs in a thread of its own."""
    opened, ports = threading.Event(), list[int]()

    def note(port: int) -> None:
        ports.append(port)
        opened.set()

    server = Server(Starlette(), Listening("127.0.0.1", 0, tls), on_open=note)
    thread = threading.Thread(target=server.run_until_stopped)
    thread.start()
    try:
        assert opened.wait(60)
        yield ports[0]
    finally:
        server.should_exit = True
        thread.join()


def stranger(tls: TlsFiles, folder: Path) -> ssl.SSLContext:
    """A client with a certificate of its own making."""
    write_tls(folder / "stranger.pem", folder / "stranger.key", name="stranger")
    context = ssl.create_default_context(cafile=str(tls.certificate))
    context.load_cert_chain(folder / "stranger.pem", folder / "stranger.key")
    return context


def nobody(tls: TlsFiles, _folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(tls.certificate))


@pytest.mark.parametrize(("client", "reason"), [(stranger, "self-signed certificate"), (nobody, "certificate")])
def test_a_client_that_tls_refuses_is_told(
    tls: TlsFiles, tmp_path: Path, client: Callable[[TlsFiles, Path], ssl.SSLContext], reason: str
) -> None:
    """What OpenSSL says of its certificate, and at which address it knocked."""
    with capture_logs() as logs, serving(tls) as port:
        context, line = client(tls, tmp_path), socket.create_connection(("127.0.0.1", port))
        with line, suppress(OSError), context.wrap_socket(line, server_hostname="localhost") as held:
            held.recv(1)
        wait_until(lambda: bool(logs), "the refusal is logged")

    assert ("https.client.refused", "warning", 1) == (logs[0]["event"], logs[0]["log_level"], logs[0]["count"])
    assert reason in logs[0]["reason"]
    assert logs[0]["where"] == f"127.0.0.1:{port}"


def test_one_that_is_let_in_is_not(tls: TlsFiles, tmp_path: Path) -> None:
    """A handshake that succeeds says nothing, and neither does one that only looks at the port."""
    context = nobody(tls, tmp_path)
    context.load_cert_chain(tmp_path / "client.pem", tmp_path / "client.key")
    with capture_logs() as logs, serving(tls) as port:
        socket.create_connection(("127.0.0.1", port)).close()
        with socket.create_connection(("127.0.0.1", port)) as line:
            held = context.wrap_socket(line, server_hostname="localhost")
            held.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert held.recv(12) == b"HTTP/1.1 404"
            held.close()

    assert [] == logs


def test_a_thousand_are_told_once_a_minute() -> None:
    """Somebody who knocks again and again fills no log: the next line says how many there were."""
    clock = [0.0]
    refused = Handshakes("127.0.0.1:8443", now=lambda: clock[0])
    with capture_logs() as logs:
        for _ in range(1000):
            refused.note("certificate has expired")
        refused.note("no suitable signature algorithm")
        clock[0] = 60.0
        refused.note("certificate has expired")

    assert [1, 1, 1000] == [one["count"] for one in logs]


@pytest.mark.parametrize(("reason", "said"), [("HTTP_REQUEST", "http request"), (None, "ssl")])
def test_a_reason_is_the_librarys_own_word(reason: str | None, said: str) -> None:
    """Constant texts of OpenSSL, nothing of what the client sent."""
    failure = ssl.SSLError(1, "[SSL: SOMETHING] with the words of a client")
    failure.reason = reason  # type: ignore[assignment]  # None where OpenSSL gives none

    assert said == told(failure)
