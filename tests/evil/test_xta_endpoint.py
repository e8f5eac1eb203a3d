"""The hostile corpus over HTTPS at our XTA server (doors xta.soap, xta.mtom): refused in time, nothing taken or read."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from intermediary.testing.pki import Pki
from intermediary.testing.xta_site import PORTAL
from intermediary.unseal.xta.names import MAX_ENTITY_BYTES
from intermediary.wiring import xta_passive
from intermediary.xta.server.calls import Answer, Arrived
from intermediary.xta.server.desk import Desk, Waiting
from intermediary.xta.server.reception import HANDS
from intermediary.xta.server.settings import ServerSettings
from intermediary.xta.wire.operations import CHECK_ACCOUNT_ACTIVE
from tests.acceptance.daemon import PATIENCE_SECONDS
from tests.acceptance.xta_office import Client, Office, Said
from tests.evil.canary import Canary
from tests.evil.corpus import FOLDER, Attack, attacks, canary_defaults

SOAP = "application/soap+xml; charset=utf-8"
XML = ("XC", "XB", "XD", "XE", "EN", "IC", "NS")
SIGNED = ("XS", "XT", "SA", "SK", "SC", "ED", "EC")
MIME = ("MC", "MM", "MB")
_SMALL_BYTES = 1_000_000
_REASON = re.compile(rb"\(((?:xta|xml|mime)[a-z.-]*)\)")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Office]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xta_passive, "ServerSettings", partial(ServerSettings, malformed_per_hour=10**6))
        made = Office(tmp_path_factory.mktemp("evil") / "site", pki)
    yield made
    made.close()


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with Canary(canary_defaults()) as made:
        yield made


def aimed(*families: str, most: int = _SMALL_BYTES) -> list[Attack]:
    """The cases that name this door, and can be sent at all: what is larger is refused by its announced length."""
    found = (one for one in attacks(*families) if _is_ours(one) and one.size <= most)
    return [one for one in found if one.id != "XC-010"]  # an instruction: SOAP 1.2 knows none (part 1, 5)


def _is_ours(attack: Attack) -> bool:
    return any(entry.startswith("xta.") for entry in attack.entry["entry"])


def _as_mtom(data: bytes) -> tuple[bytes, str]:
    """A MIME file as the body and Content-Type of a request; its root is called one of XOP, so that it is looked into."""
    head, _, body = data.replace(b"text/xml", b"application/xop+xml").partition(b"\r\n\r\n")
    kind = re.search(rb"(?ims)^content-type:(.*?)(?=^\S|\Z)", head)
    text = " ".join((kind.group(1) if kind else b"").decode("latin-1").split())
    return body, "".join(one for one in text if one.isprintable())


def _tried(client: Client, attack: Attack, body: bytes, kind: str) -> tuple[str, bytes, float]:
    """How it ended: a number or fault, its reason, and the processor seconds from the first byte to the answer."""
    began = time.process_time()
    try:
        said: Said = client.post("send", body, kind)
    except (ConnectionError, OSError):
        return "closed", b"", time.process_time() - began
    took = time.process_time() - began
    reason = _REASON.search(said.raw)
    assert said.status != 200, attack
    assert b"Traceback" not in said.raw
    is_soap = said.headers.get("content-type", "").startswith("application/soap+xml")
    return said.number if is_soap else "http", reason.group(1) if reason else b"", took


def _wrong(office: Office, attack: Attack, body: bytes, kind: str) -> str:
    """What is not as it must be; empty when all is."""
    ended, reason, took = _tried(office.client("portal"), attack, body, kind)
    if ended not in ("soap:Sender", "soap:VersionMismatch", "soap:MustUnderstand", "9023", "closed", "http"):
        return f"{attack}: ended as {ended}"
    if attack.expect in ("accept", "accept-neutralised") and not reason.startswith(b"xta.") and ended == "soap:Sender":
        return f"{attack}: a control was refused for {reason!r}"
    if took > attack.seconds + 2:  # of both sides, with TLS and the spool
        return f"{attack}: took {took:.1f} s"
    return ""


def _after(office: Office, canary: Canary) -> None:
    """Nobody knocked, nothing was taken, and the next call is answered."""
    assert 0 == canary.knocks
    assert [] == list(office.store.find())
    assert "" == office.client("portal").call(CHECK_ACCOUNT_ACTIVE).number


def test_xml_and_soap(office: Office, canary: Canary, shared: Path) -> None:
    """Bombs, entities, encodings, ill-formed documents, envelopes that lie: a fault; controls fail as no call only."""
    cases = aimed(*XML, *SIGNED)

    wrong = [one for case in cases if (one := _wrong(office, case, case.data, SOAP))]

    assert 150 < len(cases)
    assert [] == wrong
    _after(office, canary)


def test_mime(office: Office, canary: Canary, shared: Path) -> None:
    """Parts that lie about where they end, names that lead out, a hundred thousand parts: a fault."""
    cases = aimed(*MIME)

    wrong = [one for case in cases if (one := _wrong(office, case, *_as_mtom(case.data)))]

    assert 30 < len(cases)
    assert [] == wrong
    _after(office, canary)


@pytest.mark.soak
def test_large_ones(office: Office, canary: Canary, shared: Path) -> None:
    """The same for what is up to 64 MB."""
    xml, parts = (
        [one for one in aimed(*kinds, most=MAX_ENTITY_BYTES) if one.size > _SMALL_BYTES]
        for kinds in ((*XML, *SIGNED), MIME)
    )

    wrong = [one for case in xml if (one := _wrong(office, case, case.data, SOAP))]
    wrong += [one for case in parts if (one := _wrong(office, case, *_as_mtom(case.data)))]

    assert 10 < len(xml) + len(parts)
    assert [] == wrong
    _after(office, canary)


def test_one_account_does_not_keep_all_hands_busy(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many slow requests of one account are read at once: those of another are answered meanwhile."""
    came, over, usual = threading.Semaphore(0), threading.Event(), Desk.take_up
    answered: list[str] = []

    def slow(desk: Desk, arrived: Arrived) -> Answer | Waiting:
        if arrived.client.kennung != PORTAL:
            came.release()
            over.wait(3 * PATIENCE_SECONDS)
        return usual(desk, arrived)

    monkeypatch.setattr(Desk, "take_up", slow)
    threads = [
        threading.Thread(target=lambda: answered.append(office.client("reader").call(CHECK_ACCOUNT_ACTIVE).number))
        for _ in range(12)
    ]
    other = threading.Thread(target=lambda: office.client("portal").call(CHECK_ACCOUNT_ACTIVE))
    for thread in threads:
        thread.start()
    for _ in range(HANDS // 2):
        assert came.acquire(timeout=PATIENCE_SECONDS)

    other.start()
    other.join(PATIENCE_SECONDS)
    waited = other.is_alive()
    over.set()

    assert not waited
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert [""] * 12 == answered


def test_what_announces_too_much_is_not_read(office: Office, canary: Canary) -> None:
    """A length beyond the rule is 9023 before any of it is received."""
    body, length = b"<", str(300 * 1024 * 1024)
    head = f"POST /xta/send HTTP/1.1\r\nHost: x\r\nContent-Type: {SOAP}\r\nContent-Length: {length}\r\n\r\n"

    with _connected(office) as stream:
        stream.sendall(head.encode() + body)
        answer = _all(stream)

    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert b"<code>9023</code>" in answer
    _after(office, canary)


def test_raw_requests(office: Office, canary: Canary, shared: Path) -> None:
    """Requests that mean two things, or another host: refused, never answered with an address made of them."""
    items = json.loads((FOLDER / "lists" / "http_requests.json").read_text("utf-8"))["items"]

    for item in items:
        request = item["request"].replace("{0-,x5000}", "0-," * 5000)
        with _connected(office) as stream:
            stream.sendall(request.encode("latin-1", "replace"))
            answer = _all(stream)
        status = int(answer.split(b" ", 2)[1]) if answer else 0
        assert status == 0 or 400 <= status < 500, item["name"]
        assert b"evil" not in answer.lower(), item["name"]
    _after(office, canary)


def _connected(office: Office) -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", office.site.port), timeout=20)
    return office.site.context("portal").wrap_socket(plain, server_hostname="localhost")


def _all(stream: socket.socket) -> bytes:
    """What is answered until the other side closes, or says no more."""
    found = b""
    stream.settimeout(1)
    try:
        while piece := stream.recv(65536):
            found += piece
    except (TimeoutError, OSError):
        pass
    return found


@pytest.mark.parametrize("host", ["a/b", "a/xta/msgbox?", "["])
def test_a_host_that_is_more_than_one(office: Office, canary: Canary, host: str) -> None:
    """The path counts as it stands in the request: no Host header makes another one of it, or an error of ours."""
    body = b"<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body/></e:Envelope>"
    head = (
        f"POST /xta/management HTTP/1.1\r\nHost: {host}\r\nContent-Type: {SOAP}\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    with _connected(office) as stream:
        stream.sendall(head.encode() + body)
        answer = _all(stream)

    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert b"wsa:Action" in answer
    _after(office, canary)
