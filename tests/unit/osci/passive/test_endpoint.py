"""The HTTP side: paths, bounds, slow clients, waiting for the verdict, refusals on a grid, an end within a second."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from intermediary.core.bulletin import Obstacle
from intermediary.core.faults import Misconfigured, Transient
from intermediary.core.states import NachrichtState as N
from intermediary.core.values import Eingang, MemoryContent
from intermediary.ingress.doors import DoorState
from intermediary.ingress.gate import GuardedGate
from intermediary.ingress.https.bounds import Bounds
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.osci.passive import PassiveDoor
from intermediary.osci.passive.settings import PassiveSettings
from intermediary.osci.write import Cipher, Letter
from intermediary.store.records import NachrichtRecord
from intermediary.testing.pki import Pki
from tests.acceptance.osci_endpoint import write_tls
from tests.unit.osci.passive.conftest import MANDANT, NOW, RULES, FakeHouse, Serve, Served, answered, sealed
from tests.unit.osci.passive.test_answers import post

LETTER = Letter(message_id="portal/1", contents=(b"<a/>",), transport_cipher=None)
HEAD = b"POST /osci HTTP/1.1\r\nHost: x\r\n"
QUICK = Bounds(header=0.3, idle=0.3, total=2.0)


def raw(port: int, *pieces: bytes) -> bytes:
    """Everything the endpoint says to these bytes until it ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        for piece in pieces:
            client.sendall(piece)
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_each_mandant_has_a_path(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """With several Mandanten the path says whose a delivery is; nothing else is there."""
    served = serve(rules=replace(RULES, mandanten=(MANDANT, "beispielhausen")))
    statuses = [post(served.port, sealed(LETTER, pki), path)[0] for path in ("/osci/beispielhausen", "/osci", "/")]

    assert [200, 404, 404] == statuses
    assert 404 == post(served.port, b"", "/osci/nirgendwo")[0]
    assert ["beispielhausen"] == [one.mandant for one in fake.taken.values()]


def test_only_post_is_answered(serve: Serve) -> None:
    """A browser that looks in learns nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", serve().port, timeout=20)
    connection.request("GET", "/osci")
    response = connection.getresponse()

    assert 405 == response.status
    assert "server" not in {name.lower() for name, _ in response.getheaders()}
    connection.close()


def test_what_is_announced_too_large_is_not_read(serve: Serve, fake: FakeHouse) -> None:
    """413 before a single byte of the body."""
    said = raw(serve().port, HEAD + b"Content-Length: 1000001\r\n\r\n")

    assert said.startswith(b"HTTP/1.1 413 ")
    assert b"<osci:Code>9300</osci:Code>" in said


def test_what_turns_out_too_large_is_not_kept(serve: Serve) -> None:
    """Chunks without an announced length are counted."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    said = raw(serve().port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *([chunk] * 17))

    assert said.startswith(b"HTTP/1.1 413 ")


def test_a_closed_gate_is_told_before_the_body(fake: FakeHouse, pki: Pki) -> None:
    """503 with Retry-After and the temporary fault, without reading; a full Mandant is told so alone (promise G8)."""
    gate = GuardedGate({"beispielhausen": 1})
    gate.show([Obstacle("intake.disk.reserve", "/daten")])
    rules = replace(RULES, mandanten=(MANDANT, "beispielhausen"))
    settings = PassiveSettings(host="127.0.0.1", port=0, tick_seconds=0.05)
    with Served(PassiveDoor(settings, rules, replace(fake.house(), gate=gate))) as served:
        path = f"/osci/{MANDANT}"
        said = raw(served.port, f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n".encode())
        shown = served.door.status
        gate.show([], {"beispielhausen": 1})
        statuses = [post(served.port, sealed(LETTER, pki), f"/osci/{name}")[0] for name in rules.mandanten]
        again = served.door.status

    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 30" in said.lower()
    assert b"Fault" in said
    assert (DoorState.HOLDING, "intake.disk.reserve") == (shown.state, shown.code)
    assert [200, 503] == statuses
    assert DoorState.TAKING is again.state
    assert [MANDANT] == [one.mandant for one in fake.taken.values()]


def test_a_body_may_come_in_chunks(serve: Serve, pki: Pki) -> None:
    """Transfer-Encoding: chunked is no reason to refuse."""
    body = sealed(LETTER, pki)
    connection = http.client.HTTPConnection("127.0.0.1", serve().port, timeout=20)
    connection.request("POST", "/osci", io.BytesIO(body), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})

    assert ("0800",) == answered(connection.getresponse().read(), pki).order.feedback
    connection.close()


def test_the_content_type_of_http_does_not_matter(serve: Serve, pki: Pki) -> None:
    """MIME stands in the body alone (digest §3)."""
    connection = http.client.HTTPConnection("127.0.0.1", serve().port, timeout=20)
    connection.request("POST", "/osci", sealed(LETTER, pki), {"Content-Type": "image/png"})

    assert 200 == connection.getresponse().status
    connection.close()


def test_a_connection_serves_several_deliveries(serve: Serve, pki: Pki) -> None:
    """Keep-alive: one handshake for several deliveries."""
    connection = http.client.HTTPConnection("127.0.0.1", serve().port, timeout=20)
    codes = []
    for number in range(3):
        connection.request("POST", "/osci", sealed(replace(LETTER, message_id=f"portal/{number}"), pki))
        codes.append(answered(connection.getresponse().read(), pki).order.feedback)
    connection.close()

    assert [("0800",)] * 3 == codes


@pytest.mark.parametrize("sent", [b"", b"POST /os", HEAD + b"X-A: "])
def test_a_slow_header_is_cut(serve: Serve, sent: bytes) -> None:
    """Slowloris gets no answer, and no more than the time for a header."""
    started = time.monotonic()

    assert b"" == raw(serve(bounds=QUICK).port, sent)
    assert time.monotonic() - started < 5


def test_a_second_slow_header_is_cut_too(serve: Serve, pki: Pki) -> None:
    """What was good once has no credit on the same connection."""
    body = sealed(LETTER, pki)
    with socket.create_connection(("127.0.0.1", serve(bounds=QUICK).port), timeout=20) as client:
        client.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        response = http.client.HTTPResponse(client)
        response.begin()
        assert 200 == response.status
        response.read()
        client.sendall(b"POST /os")

        assert b"" == client.recv(1)


def test_a_slow_body_is_cut(serve: Serve, fake: FakeHouse) -> None:
    """A body that stops coming is answered 408, and nothing of it is taken."""
    said = raw(serve(bounds=QUICK).port, HEAD + b"Content-Length: 1000\r\n\r\nabc")

    assert said.startswith(b"HTTP/1.1 408 ")
    assert not fake.taken


def test_a_trickle_is_cut_in_the_end(serve: Serve) -> None:
    """Each piece comes in time, but the whole request has a limit of its own."""
    bounds = Bounds(idle=0.5, total=1.0)
    with socket.create_connection(("127.0.0.1", serve(bounds=bounds).port), timeout=0.05) as client:
        client.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
        said = b"".join(trickle(client))

    assert said.startswith(b"HTTP/1.1 408 ")


def trickle(client: socket.socket) -> Iterator[bytes]:
    """Sends a byte whenever nothing is said, until something is."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            if said := client.recv(65536):
                yield said
            return
        except TimeoutError:
            client.sendall(b"x")


def test_too_many_at_once_are_asked_to_come_again(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """503 with Retry-After and a fault; what is under way is not disturbed."""
    gate = Gate()
    fake.fail = gate.wait
    served = serve(bounds=Bounds(requests=1))
    first = Asking(served, sealed(LETTER, pki))
    gate.reached.wait(20)

    said = raw(served.port, HEAD + b"Content-Length: 0\r\n\r\n")

    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 30" in said.lower()
    assert b"<osci:Code>9000</osci:Code>" in said
    gate.open.set()
    assert 200 == first.result()[0]


@pytest.mark.parametrize("failure", [Transient("store.unavailable"), OSError("full"), Misconfigured("key.unavailable")])
def test_what_cannot_be_made_durable_is_not_accepted(
    serve: Serve, pki: Pki, fake: FakeHouse, failure: Exception
) -> None:
    """503 while the store is away, and the door says that it holds; the repetition is taken (G1, G8)."""
    served = serve()

    def fail(_: object) -> None:
        raise failure

    fake.fail = fail
    assert 503 == post(served.port, sealed(LETTER, pki))[0]
    assert DoorState.HOLDING is served.door.status.state

    fake.fail = lambda _: None
    assert 200 == post(served.port, sealed(LETTER, pki))[0]
    assert DoorState.TAKING is served.door.status.state


def test_a_defect_ends_one_delivery_only(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """An exception nobody expected is a temporary error, and the door stays open."""
    served = serve()

    def fail(_: object) -> None:
        raise ZeroDivisionError

    fake.fail = fail
    assert 503 == post(served.port, sealed(LETTER, pki))[0]
    fake.fail = lambda _: None

    assert 200 == post(served.port, sealed(LETTER, pki))[0]


def test_a_verdict_that_takes_too_long_is_fetched_by_the_repetition(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """Past the limit: temporary error, although it is taken; the judgement goes on and the repetition is told (2.1)."""
    gate = Gate()

    def slowly(one: NachrichtRecord) -> NachrichtRecord:
        gate.wait()
        return replace(one, state=N.PLANNED, route="r")

    fake.verdict = slowly
    served = serve(judged_seconds=0.2)
    letter = replace(LETTER, content_cipher=None)
    assert 503 == post(served.port, sealed(letter, pki))[0]
    assert 1 == len(fake.taken)

    gate.open.set()
    fake.verdict = lambda one: one
    status, body = post(served.port, sealed(letter, pki, seed=2))

    assert (200, ("0800",)) == (status, answered(body, pki).order.feedback)


def test_what_waits_for_the_operator_is_not_waited_for(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """Nobody will judge it soon: the temporary error comes at once, not after the time limit."""
    fake.verdict = lambda one: replace(one, own_due_at=NOW + timedelta(minutes=5), wait_reason="route.missing")
    started = time.monotonic()

    assert 503 == post(serve(judged_seconds=30.0).port, sealed(LETTER, pki))[0]
    assert time.monotonic() - started < 10


def test_refusals_leave_on_the_grid(serve: Serve) -> None:
    """However quick a refusal is found, it leaves at a tick (rule R3)."""
    served = serve(tick_seconds=0.4)
    started = time.monotonic()
    post(served.port, b"x")

    assert 0.4 <= time.monotonic() - started < 2


def test_the_end_comes_within_a_second(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """Whoever sends a body, or waits for a verdict, is asked to come again; idle connections are closed."""
    gate = Gate()
    fake.verdict = lambda one: gate.wait() or one
    served = serve(judged_seconds=60.0)
    waiting = Asking(served, sealed(LETTER, pki))
    gate.reached.wait(20)
    with (
        socket.create_connection(("127.0.0.1", served.port), timeout=20) as idle,
        socket.create_connection(("127.0.0.1", served.port), timeout=20) as sending,
    ):
        sending.sendall(HEAD + b"Content-Length: 10\r\n\r\nabc")
        started = time.monotonic()
        served.door.stop()
        assert 503 == waiting.result()[0]
        assert b"" == idle.recv(1)
        said = b"".join(iter(lambda: sending.recv(65536), b""))
    served.__exit__()
    took = time.monotonic() - started
    gate.open.set()

    assert said.startswith(b"HTTP/1.1 503 ")
    assert took < 1.5
    assert DoorState.CLOSED is served.door.status.state


def test_a_take_under_way_is_finished(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """What is being made durable when the door is stopped is durable, and never answered as good without a verdict."""
    gate = Gate()
    fake.fail = gate.wait
    served = serve()
    asking = Asking(served, sealed(LETTER, pki))
    gate.reached.wait(20)
    served.door.stop()
    gate.open.set()

    assert asking.result()[0] in (200, 503)
    assert 1 == len(fake.taken)


class Gate:
    """Holds whoever comes until it is opened; `reached` tells that somebody has come."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def wait(self, _eingaenge: list[Eingang] | None = None) -> None:
        self.reached.set()
        assert self.open.wait(30)


class Asking:
    """A delivery in a thread of its own."""

    def __init__(self, served: Served, body: bytes) -> None:
        self._said: list[tuple[int, bytes]] = []
        port = served.port
        self._thread = threading.Thread(target=lambda: self._said.append(post(port, body)))
        self._thread.start()

    def result(self) -> tuple[int, bytes]:
        self._thread.join(30)
        return self._said[0]


def test_who_fails_too_often_is_not_decrypted_for(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """Twenty times 9202 to the byte, then 503 without a look at the message; the door's status tells (rule R3)."""
    served = serve(tick_seconds=0.01)
    good = sealed(replace(LETTER, transport_cipher=Cipher()), pki)
    answers = {post(served.port, good[:-300] + bytes([good[-300] ^ 1]) + good[-299:]) for _ in range(20)}

    ((status, body),) = answers
    assert (200, True) == (status, b"<osci:Code>9202</osci:Code>" in body)
    assert 503 == post(served.port, good)[0]
    assert "intake.decrypt.alarm" == served.door.status.code
    assert not fake.taken


def test_a_large_body_is_not_held_in_memory(serve: Serve, pki: Pki, fake: FakeHouse, tmp_path: Path) -> None:
    """Above the spool's limit it lies in an unlinked, encrypted file, and is taken from there."""
    fake.spool = Spool(tmp_path / "small", memory_bytes=10_000)
    content = b"<a>" + b"SYNTHETISCH" * 20_000 + b"</a>"
    status, _body = post(serve().port, sealed(replace(LETTER, contents=(content,)), pki))
    (eingang,) = fake.taken.values()

    assert 200 == status
    assert not isinstance(eingang.body, MemoryContent)
    assert [] == list((tmp_path / "small").iterdir())


def test_a_half_open_handshake_is_cut(serve: Serve, tmp_path: Path) -> None:
    """A client that connects and never says hello holds its place no longer than the time for a handshake."""
    write_tls(tmp_path / "cert.pem", tmp_path / "key.pem")
    files = TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem")
    served = serve(bounds=Bounds(handshake=0.3, per_client=2), tls=files)
    clients = [socket.create_connection(("127.0.0.1", served.port), timeout=20) for _ in range(3)]
    said = [client.recv(1) for client in clients]
    for client in clients:
        client.close()

    assert [b"", b"", b""] == said
    context = ssl.create_default_context(cafile=str(files.certificate))
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, timeout=20, context=context)
    connection.request("GET", "/osci")
    assert 405 == connection.getresponse().status
    connection.close()


def test_who_does_not_take_the_answer_is_cut(serve: Serve, pki: Pki, fake: FakeHouse) -> None:
    """A client that asks and never reads is let go, and its place is free again."""
    fake.padding = b" " * 8_000_000
    served = serve(bounds=Bounds(send=0.3, per_client=1))
    body = sealed(replace(LETTER, message_type="ProcessDelivery"), pki)
    with socket.socket() as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        asking.connect(("127.0.0.1", served.port))
        asking.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)

        assert 200 == patiently(lambda: post(served.port, sealed(LETTER, pki))[0])


def test_who_has_gone_is_not_looked_after(serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """After the time for taking an answer nothing is said about a TLS connection that ended in good order."""
    files = TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem")
    write_tls(files.certificate, files.key)
    served = serve(bounds=Bounds(send=0.3), tls=files)
    context = ssl.create_default_context(cafile=str(files.certificate))
    connection = http.client.HTTPSConnection("127.0.0.1", served.port, timeout=20, context=context)
    connection.request("GET", "/osci")
    assert b"Method Not Allowed" == connection.getresponse().read()
    connection.close()
    threading.Event().wait(1.5)

    assert [] == [one.getMessage() for one in caplog.records if one.name == "asyncio" and one.levelname == "ERROR"]


def patiently(ask: Callable[[], int]) -> int:
    """What is said once somebody is let in."""
    pause = threading.Event()
    for _ in range(200):
        try:
            return ask()
        except (OSError, http.client.HTTPException):
            pause.wait(0.1)
    raise AssertionError("nobody was let in")


def test_a_wrong_path_is_told_to_the_operators_once(serve: Serve) -> None:
    """The sender's intermediary sees a failure only; here the log says which paths are ours, and not which was asked for."""
    with capture_logs() as logs:
        served = serve()
        statuses = [post(served.port, b"", path)[0] for path in ("/osci/geheim", "/", "/osci/x/y")]

    told = [one for one in logs if one["event"] == "osci.path.unknown"]
    assert [404, 404, 404] == statuses
    assert [("osci", f"ours: /osci/{MANDANT}")] == [(one["channel"], one["where"]) for one in told]
