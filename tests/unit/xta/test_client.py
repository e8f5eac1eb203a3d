"""The client against a small gateway over mutual TLS: who is refused, what is lost, what it means."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.testing.authority import root
from intermediary.testing.xta import AUTHOR, READER, sample_container, sample_order
from intermediary.unseal.xta.container import ContentContainer
from intermediary.xta.client.answers import XtaAnswers, label_of
from intermediary.xta.client.client import XtaClient
from intermediary.xta.client.http import Address, HttpExchange, HttpLimits
from intermediary.xta.client.mailbox import reply_way
from intermediary.xta.client.sender import Sender, Sent
from intermediary.xta.wire import report
from intermediary.xta.wire.box import FetchRequest, Selector
from tests.unit.testing.conftest import NOW
from tests.unit.xta.gateway import END, START, Certificates, Gateway, after, before, plain, refuse

SOAP = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml"
LIMITS = HttpLimits(connect_seconds=5, idle_seconds=5, total_seconds=20)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority and whom it vouches for."""
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def own(certificates: Certificates) -> TlsFiles:
    """The certificate of our account."""
    return certificates.files("account")


@pytest.fixture
def gateway(certificates: Certificates) -> Iterator[Gateway]:
    """A gateway that lets clients of the authority in."""
    with Gateway(certificates) as one:
        yield one


def client_of(
    gateway: Gateway, tls: TlsFiles, ca_file: Path, *, spool: Spool | None = None, limits: HttpLimits = LIMITS
) -> XtaClient:
    kept = spool or Spool(None)
    exchange = HttpExchange(Address(gateway.url, ca_file), tls, where="test", spool=kept, limits=limits)
    exchanges = {"management": exchange, "send": exchange, "msgbox": exchange}
    return XtaClient(exchanges, READER, where="test", spool=kept, random=secrets.token_bytes)  # type: ignore[arg-type]


@pytest.fixture
def client(gateway: Gateway, own: TlsFiles, certificates: Certificates) -> XtaClient:
    """Our account at the gateway."""
    return client_of(gateway, own, certificates.ca_file)


def test_a_message_of_forty_megabytes_passes_through_the_spool(
    gateway: Gateway, own: TlsFiles, certificates: Certificates, tmp_path: Path
) -> None:
    """Both forms arrive as they were sent, in files without names; more than the limit is not kept."""
    big = secrets.token_bytes(1 << 20) * 39
    container = sample_container(1, now=NOW)
    heavy = ContentContainer(container.message, (replace(container.attachments[0], content=MemoryContent(big)),))
    order = sample_order(1, now=NOW)
    gateway.put(order, heavy)
    spool = Spool(tmp_path / "spool")
    same = set()
    for gateway.mtom in (True, False):
        client = client_of(gateway, own, certificates.ca_file, spool=spool)
        found = client.get_message(FetchRequest(Selector((order.message_id,))))
        same.add(found.same_sha256)
        assert found.raw.length > 39 << 20
    small = client_of(gateway, own, certificates.ca_file, limits=HttpLimits(max_answer_bytes=1 << 20))
    with pytest.raises(Unclear) as caught:
        small.get_message(FetchRequest(Selector((order.message_id,))))

    assert 1 == len(same)
    assert "xta.answer.too-large" == caught.value.code


def test_only_certificates_of_the_list_are_let_in(gateway: Gateway, certificates: Certificates) -> None:
    """A certificate of another authority and one that has expired are refused, and the operator is told so."""
    stranger = root("Fremde CA", start=START, end=END)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for files in (certificates.files("fremd", ca=stranger), certificates.files("alt", end=yesterday)):
        with pytest.raises(Misconfigured) as caught:
            client_of(gateway, files, certificates.ca_file).check_account_active()
        assert "xta.tls.refused" == caught.value.code
    assert [] == gateway.seen


def test_a_server_nobody_vouches_for_gets_nothing(gateway: Gateway, own: TlsFiles, tmp_path: Path) -> None:
    """Without the right authority for this endpoint nothing is sent, and a file that is no certificate is named."""
    other = Certificates(tmp_path / "other")
    with pytest.raises(Misconfigured) as caught:
        client_of(gateway, own, other.ca_file).check_account_active()
    with pytest.raises(Misconfigured) as named:
        client_of(gateway, own, tmp_path / "none.pem").check_account_active()

    assert "xta.tls" == caught.value.code
    assert ("key.unavailable", str(tmp_path / "none.pem")) == (named.value.code, named.value.where)
    assert [] == gateway.seen


def test_renewed_files_count_at_once(gateway: Gateway, certificates: Certificates) -> None:
    """A certificate that was replaced is used by the next request of the same client."""
    files = certificates.files("erneuert", end=datetime.now(UTC) - timedelta(days=1))
    client = client_of(gateway, files, certificates.ca_file)
    with pytest.raises(Misconfigured):
        client.check_account_active()
    certificates.files("erneuert")
    client.check_account_active()

    assert ["checkAccountActive"] == gateway.seen


def test_a_key_that_cannot_be_read_is_named(gateway: Gateway, own: TlsFiles, certificates: Certificates) -> None:
    """The operator is told the file."""
    files = TlsFiles(own.certificate, certificates.folder / "nirgends.key")
    with pytest.raises(Misconfigured) as caught:
        client_of(gateway, files, certificates.ca_file).check_account_active()

    assert ("key.unavailable", str(files.key)) == (caught.value.code, caught.value.where)


@pytest.mark.parametrize(
    ("data", "kind", "code"),
    [
        (b"", Unclear, "xta.no-answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\nContent-Length: 900\r\n\r\n<s",
            Unclear,
            "xta.no-answer",
        ),
        (plain(200), Unclear, "xta.answer.unreadable"),
        (plain(200, b"\x1f\x8b", "Content-Encoding: gzip"), Unclear, "xta.answer.unreadable"),
        (plain(302, b"", "Location: https://127.0.0.1:1/elsewhere"), Misconfigured, "xta.http"),
        (plain(403), Misconfigured, "xta.tls.refused"),
        (plain(404), Misconfigured, "xta.http"),
        (plain(413), Rejected, "xta.refused.too-large"),
        (plain(429, b"", "Retry-After: 17"), Transient, "xta.unreachable"),
        (plain(500), Unclear, "xta.no-answer"),
        (plain(503), Transient, "xta.unreachable"),
        (b"garbage\r\n\r\n", Unclear, "xta.no-answer"),
        (SOAP + b"; charset=utf-16\r\nContent-Length: 4\r\n\r\n<s/>", Unclear, "xta.answer.unreadable"),
        (SOAP + b"\r\nContent-Length: 4\r\n\r\n<s/>", Unclear, "xta.answer.unreadable"),
    ],
    ids=lambda value: value.decode("latin-1")[:24].strip() if isinstance(value, bytes) else None,
)
def test_what_a_web_server_says_instead(
    data: bytes, kind: type[Fault], code: str, gateway: Gateway, client: XtaClient
) -> None:
    """Each answer without SOAP has one meaning; redirects are not followed, and waiting times are heard."""
    gateway.meets("checkAccountActive", before(data))
    with pytest.raises(kind) as caught:
        client.check_account_active()

    assert code == caught.value.code
    if b"Retry-After" in data and isinstance(caught.value, Transient):
        assert timedelta(seconds=17) == caught.value.retry_after


def test_nobody_at_the_address_is_told_apart(gateway: Gateway, client: XtaClient) -> None:
    """A refused connection means that nothing was sent; a port that is not configured is named."""
    gateway.__exit__()
    with pytest.raises(Transient) as caught:
        client.create_message_id()
    lonely = XtaClient({}, READER, where="test", spool=Spool(None), random=secrets.token_bytes)
    with pytest.raises(Misconfigured) as named:
        lonely.create_message_id()

    assert "xta.unreachable" == caught.value.code
    assert "management" in named.value.where


def test_a_message_is_sent_once_whatever_is_lost(gateway: Gateway, client: XtaClient) -> None:
    """Lost before or after the deed, refused for its id, asked again by its report: there is one order in the end."""
    order, container = sample_order(1, now=NOW), sample_container(1, now=NOW)
    ids: list[str] = []

    def attempt() -> Sent:
        return Sender(client).send(order, container, known=ids[-1] if ids else "", remember=ids.append)

    gateway.meets("createMessageId", after(gateway))
    with pytest.raises(Unclear):
        attempt()
    assert [] == ids
    gateway.meets("sendMessage", before())
    with pytest.raises(Unclear):
        attempt()
    gateway.meets("sendMessage", after(gateway))
    with pytest.raises(Unclear):
        attempt()
    assert 1 == len(gateway.orders)
    gateway.meets("getTransportReport", refuse("9030"), refuse("9070"))
    with pytest.raises(Transient):
        attempt()
    sent = attempt()  # unknown to the report, taken by 9024, and then told by the report

    assert (1, 1) == (len(ids), len(gateway.orders))
    assert Sent(ids[0], by_report=True) == sent
    assert Sent(ids[0], by_report=True) == attempt()


def test_an_id_that_somebody_else_used_is_given_up(gateway: Gateway, client: XtaClient) -> None:
    """9024 without a report of ours: the message goes out under a new id, which is remembered first."""
    ids: list[str] = []
    gateway.meets("sendMessage", refuse("9024"))
    sent = Sender(client).send(sample_order(1, now=NOW), sample_container(1, now=NOW), remember=ids.append)

    assert [sent.message_id] == ids[1:]
    assert {sent.message_id} == gateway.orders.keys()


def test_an_id_of_long_ago_is_replaced(gateway: Gateway, client: XtaClient) -> None:
    """What the service does not take under an old id goes out under a new one; under a new one it is the operator's."""
    ids: list[str] = []
    order, container = sample_order(1, now=NOW), sample_container(1, now=NOW)
    gateway.meets("sendMessage", refuse("9022"))
    sent = Sender(client).send(order, container, known="urn:old", remember=ids.append)
    gateway.meets("sendMessage", refuse("9022"))
    with pytest.raises(Misconfigured) as caught:
        Sender(client).send(order, container)

    assert [sent.message_id] == ids == list(gateway.orders)
    assert "xta.parameter" == caught.value.code


def test_reports_say_how_it_ended(gateway: Gateway, client: XtaClient) -> None:
    """Open means wait, green and yellow arrived, red failed; no report is no end."""
    sender = Sender(client)
    sent = sender.send(sample_order(1, now=NOW), sample_container(1, now=NOW))
    told = {}
    for status in (report.OPEN, report.GREEN, report.YELLOW):
        gateway.status = status
        told[status] = sender.outcome(sent.message_id)
    gateway.status = report.RED
    with pytest.raises(Rejected) as caught:
        sender.outcome(sent.message_id)

    assert {report.OPEN: None, report.GREEN: True, report.YELLOW: True} == told
    assert "xta.refused.delivery" == caught.value.code
    assert sender.outcome("urn:nobody") is None


def test_a_quittung_reaches_the_author_once(gateway: Gateway, client: XtaClient) -> None:
    """To whom the message's order names, in answer to it; an answer that was lost is asked for and not repeated."""
    label = label_of("urn:quittung", "Quittung", "q", list_uri="urn:l", list_version="1", payload_schema="urn:p")
    ways = {("xoev", READER.identifier): client}
    answers = XtaAnswers(label, lambda kind, one: ways.get((kind, one)), lambda: (client,), clock=lambda: NOW)
    said = {
        "quittung_id": "q1",
        "message_id": "urn:m1",
        "correlation_id": "VG-1",
        "reply_to": reply_way(AUTHOR, READER),
    }
    gateway.meets("sendMessage", after(gateway))
    with pytest.raises(Transient) as lost:
        answers.answer(b"{}", **said)
    proof = answers.answer(b"{}", **said)
    ways.clear()
    with pytest.raises(Misconfigured) as gone:
        answers.answer(b"{}", **said)
    answers.probe()

    ((order, body),) = gateway.orders.values()
    assert ("receipt.unreachable", "receipt.undeliverable") == (lost.value.code, gone.value.code)
    assert (b"{}", AUTHOR.identifier, READER.identifier) == (body, order.reader.identifier, order.author.identifier)
    assert (("urn:m1",), "urn:quittung") == (order.identification.in_reply_to, order.qualifier.service)
    assert order.identification.requester is not None
    assert "VG-1" == order.identification.requester.value
    assert (order.message_id, "TransportReport") == (proof["xta_message_id"], proof["xta_told_by"])
    assert "checkAccountActive" == gateway.seen[-1]
