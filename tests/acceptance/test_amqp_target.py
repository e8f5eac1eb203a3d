"""The connector `amqp` against a real RabbitMQ: what arrives, what is refused, and what each failure is called."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pika
import pytest

from connectors.amqp.connector import CONNECTOR
from intermediary.connect.settings import open_connector
from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.ports import Awaiting, Connector, Delivered, Idempotency, Refused
from intermediary.core.values import Dokument, MemoryContent
from intermediary.testing.connectors import NOW, deliver, make_auftrag
from intermediary.testing.servers import PrivateRabbit, RabbitMissing, free_ports
from tests.acceptance.certificates import Certificates, make_certificates

QUEUE = "fachverfahren.eingang"
ANSWERS = "fachverfahren.antwort"


@dataclass
class Broker:
    """A broker with TLS for clients with a certificate, and a line to it for the tests."""

    rabbit: PrivateRabbit
    tls_port: int
    certificates: Certificates
    folder: Path
    channel: Any = None

    def settings(self, **more: Any) -> dict[str, Any]:
        """A settings table; a path of a secret is made on the way."""
        url = more.pop("url", self.rabbit.url)
        file = self.folder / f"url-{hashlib.sha256(url.encode()).hexdigest()[:8]}"
        file.write_text(url + "\n")
        file.chmod(0o600)
        return {"url_file": str(file), "routing_key": QUEUE, **more}

    def connect(self, **more: Any) -> Connector:
        return open_connector(CONNECTOR, self.settings(**more), base=self.folder, where="target")

    def take(self, queue: str = QUEUE) -> list[tuple[Any, bytes]]:
        """All that lies in a queue, as properties and body."""
        found = []
        while True:
            method, properties, body = self.channel.basic_get(queue, auto_ack=True)
            if method is None:
                return found
            found.append((properties, body))

    def folders(self, *names: str) -> list[str]:
        for name in names:
            (self.folder / name).mkdir(exist_ok=True)
        return [str(self.folder / name) for name in names]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PrivateRabbit, int, Certificates]]:
    certificates = make_certificates(tmp_path_factory.mktemp("pki"))
    (port,) = free_ports(1)
    config = (
        f"listeners.ssl.default = 127.0.0.1:{port}\nssl_options.cacertfile = {certificates.ca}\n"
        f"ssl_options.certfile = {certificates.server}\nssl_options.keyfile = {certificates.server_key}\n"
        "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\nmax_message_size = 3000000\n"
    )
    try:
        rabbit = PrivateRabbit(config=config)
    except RabbitMissing as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    with rabbit:
        yield rabbit, port, certificates


@pytest.fixture
def broker(server: tuple[PrivateRabbit, int, Certificates], tmp_path: Path) -> Iterator[Broker]:
    made = Broker(*server, tmp_path)
    line = pika.BlockingConnection(pika.URLParameters(made.rabbit.url))
    made.channel = line.channel()
    for queue in (QUEUE, ANSWERS):
        made.channel.queue_declare(queue, durable=True)
        made.channel.queue_purge(queue)
    yield made
    line.close()


def test_a_package_arrives_with_all_that_is_said_of_it(broker: Broker) -> None:
    """Body, key, headers and test flag are those of the Zustellauftrag; the proof names queue and hash."""
    auftrag = replace(make_auftrag(data=b"PK-paket"), is_test=True, standard="xdomea 3.1.0", message="0401")
    verdict = deliver(broker.connect(), auftrag)
    ((properties, body),) = broker.take()

    assert b"PK-paket" == body
    assert (auftrag.key, "application/zip", 2) == (
        properties.message_id,
        properties.content_type,
        properties.delivery_mode,
    )
    assert {
        "x-mandant": "musterstadt",
        "x-standard": "xdomea 3.1.0",
        "x-message": "0401",
        "x-test": True,
        "x-file-name": auftrag.package.file_name,
        "x-sha256": hashlib.sha256(b"PK-paket").hexdigest(),
    } == properties.headers
    assert isinstance(verdict, Delivered)
    assert (QUEUE, hashlib.sha256(b"PK-paket").hexdigest(), "body") == tuple(
        verdict.proof[name] for name in ("routing_key", "sha256", "by")
    )


def test_the_bare_message_refers_to_its_documents(broker: Broker) -> None:
    """With `content = "message"` the XML is the body, and each document lies in the store under the key."""
    (store,) = broker.folders("ablage")
    plan = Dokument("plan.pdf", "application/pdf", MemoryContent(b"%PDF-plan"))
    auftrag = replace(make_auftrag(), nachricht=MemoryContent(b"<xbau/>"), dokumente=(plan,))
    deliver(broker.connect(content="message", claims={"name": "ablage", "folder": store}), auftrag)
    ((properties, body),) = broker.take()
    (document,) = properties.headers["x-documents"]

    assert (b"<xbau/>", "application/xml") == (body, properties.content_type)
    assert ("plan.pdf", "application/pdf", "ablage", 9) == (
        document["name"],
        document["media_type"],
        document["claim"]["store"],
        document["claim"]["size"],
    )
    assert b"%PDF-plan" == (Path(store) / document["claim"]["key"]).read_bytes()


def test_a_large_package_goes_by_reference(broker: Broker) -> None:
    """What exceeds `max_body_bytes` lies whole in the store, named by size and hash; a repetition writes no second file."""
    (store,) = broker.folders("ablage")
    data = os.urandom(3_000_000)
    connector = broker.connect(max_body_bytes=1_000_000, claims={"name": "ablage", "folder": store})
    for _ in range(2):
        deliver(connector, make_auftrag(data=data))
    (first, second) = broker.take()
    claim = first[0].headers["x-claim"]

    assert (b"", first[0].headers) == (first[1], second[0].headers)
    assert {
        "store": "ablage",
        "key": claim["key"],
        "size": 3_000_000,
        "sha256": hashlib.sha256(data).hexdigest(),
    } == claim
    assert [claim["key"]] == os.listdir(store)
    assert data == (Path(store) / claim["key"]).read_bytes()


def _fault(connector: Connector, **more: Any) -> tuple[type[Fault], str]:
    with pytest.raises(Fault) as caught:
        deliver(connector, make_auftrag(**more))
    return type(caught.value), caught.value.code


def test_what_has_no_way_is_the_operators(broker: Broker) -> None:
    """Unroutable, no exchange, wrong password, no right, too large: nothing was published, nothing rests in the store."""
    (store,) = broker.folders("ablage")
    claims = {"name": "ablage", "folder": store}
    wrong = broker.rabbit.url.replace("guest:guest", "guest:falsch")

    assert (Misconfigured, "target.unroutable") == _fault(broker.connect(routing_key="gibt-es-nicht"))
    assert (Misconfigured, "target.unroutable") == _fault(
        broker.connect(exchange="gibt-es-nicht", max_body_bytes=1, claims=claims)
    )
    assert (Misconfigured, "target.credentials") == _fault(broker.connect(url=wrong))
    assert (Misconfigured, "target.credentials") == _fault(broker.connect(url=broker.rabbit.url.replace("%2F", "kein")))
    assert (Misconfigured, "target.document.too-large") == _fault(broker.connect(), data=b"x" * 3_000_001)
    assert (Misconfigured, "target.document.too-large") == _fault(broker.connect(max_body_bytes=10), data=b"x" * 11)
    assert ([], []) == (os.listdir(store), broker.take())


def test_a_nack_is_unclear_unless_the_queue_is_known_to_be_full(broker: Broker) -> None:
    """A limited queue with `reject-publish` says no by a nack; only the operator can say that it means just that."""
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    broker.channel.queue_declare("voll", durable=True, arguments=arguments)
    deliver(broker.connect(routing_key="voll"), make_auftrag())

    assert (Unclear, "target.no-answer") == _fault(broker.connect(routing_key="voll"))
    assert (Transient, "target.full") == _fault(broker.connect(routing_key="voll", nack_is_full=True))
    assert 1 == len(broker.take("voll"))


def test_tls_both_ways(broker: Broker) -> None:
    """Over amqps with a client certificate it arrives; without, or with an unknown CA, TLS is to blame."""
    pki = broker.certificates
    url = f"amqps://guest:guest@localhost:{broker.tls_port}/%2F"
    tls = {"ca_file": str(pki.ca), "client_cert": str(pki.client), "client_key": str(pki.client_key)}
    deliver(broker.connect(url=url, tls=tls), make_auftrag())

    assert 1 == len(broker.take())
    assert (Misconfigured, "target.tls") == _fault(broker.connect(url=url))
    bare = broker.connect(url=url, tls={"ca_file": str(pki.ca)})
    told = [_fault(bare) for _ in range(10)]  # with TLS 1.3 the broker's reset may overtake its reason
    assert (Misconfigured, "target.tls") in told
    assert set(told) <= {(Misconfigured, "target.tls"), (Transient, "target.unreachable")}
    assert (Misconfigured, "target.tls") == _fault(broker.connect(url="amqp://guest:guest@broker.invalid/"))


def test_nobody_there_is_transient(broker: Broker) -> None:
    """A port where nobody listens: nothing was sent; of the URL the fault tells host and port."""
    (port,) = free_ports(1)
    with pytest.raises(Transient) as caught:
        deliver(broker.connect(url=f"amqp://guest:guest@127.0.0.1:{port}/"), make_auftrag())

    assert ("target.unreachable", f"url_file: 127.0.0.1:{port}") == (caught.value.code, caught.value.where)


def test_a_queue_that_confirms_nothing_ends_as_unclear(broker: Broker) -> None:
    """While the broker blocks publishers (memory alarm) a message may or may not have been taken."""
    broker.rabbit.ctl("set_vm_memory_high_watermark", "absolute", "1")
    try:
        assert (Unclear, "target.no-answer") == _fault(broker.connect(confirm_seconds=1))
    finally:
        broker.rabbit.ctl("set_vm_memory_high_watermark", "absolute", "1GB")


def test_the_setting_says_what_the_target_offers(broker: Broker) -> None:
    """Without word of the operator nothing is repeated; with it the instance says native."""
    assert Idempotency.NONE is broker.connect().manifest.idempotency
    assert Idempotency.NATIVE is broker.connect(target_deduplicates=True).manifest.idempotency


def _answering(broker: Broker) -> Connector:
    archive, unmatched = broker.folders("archiv", "unklar")
    answers = {"queue": ANSWERS, "archive": archive, "unmatched": unmatched, "deadline_hours": 5}
    return broker.connect(answers=answers)


def _answer(broker: Broker, key: str, body: bytes, **more: Any) -> None:
    properties = pika.BasicProperties(correlation_id=key, **more)
    broker.channel.basic_publish("", ANSWERS, body, properties)


def test_an_answer_is_the_verdict(broker: Broker) -> None:
    """Accepted, refused and not yet: matched by correlation id, kept in the archive, whoever asks first."""
    connector = _answering(broker)
    keys = []
    for number in (1, 2, 3):
        awaited = deliver(connector, make_auftrag(number))
        assert isinstance(awaited, Awaiting)
        keys.append(make_auftrag(number).key)
    said = json.dumps({"verdict": "accepted", "reference": "BV-2026/17"}).encode()
    _answer(broker, keys[1], b'{"verdict": "refused", "reason": "E4711"}')
    _answer(broker, keys[0], said)
    verdicts = [connector.collect(key, {"sha256": "aa"}, NOW) for key in keys]

    assert [ANSWERS] * 3 == [properties.reply_to for properties, _ in broker.take()]
    assert verdicts[0] == Delivered(
        {"sha256": "aa", "answer_sha256": hashlib.sha256(said).hexdigest(), "reference": "BV-2026/17"}
    )
    assert isinstance(verdicts[1], Refused)
    assert "E4711" == verdicts[1].reason
    assert verdicts[2] is None
    assert verdicts[0] == _answering(broker).collect(keys[0], {"sha256": "aa"}, NOW)


def test_no_answer_breaks_or_binds_more_than_its_own(broker: Broker) -> None:
    """Hostile, contradicting and foreign answers go aside for a person; names of citizens enter no reason."""
    connector, key = _answering(broker), make_auftrag().key
    deliver(connector, make_auftrag())
    _answer(broker, key, b"[" * 100_000)
    _answer(broker, "../../etc/passwd", b'{"verdict": "accepted"}')
    _answer(broker, key, b'{"verdict": "vielleicht"}')
    broker.channel.basic_publish("", ANSWERS, b"{}", pika.BasicProperties(timestamp=2**60))
    _answer(broker, key, b'{"verdict": "refused", "reason": "Erika Mustermann fehlt"}')
    _answer(broker, key, b'{"verdict": "accepted"}')
    verdict = connector.collect(key, {}, NOW)

    assert isinstance(verdict, Refused)
    assert "unspecified" == verdict.reason
    assert 5 == len(os.listdir(broker.folder / "unklar"))
    with pytest.raises(Misconfigured, match=r"target\.answer\.unmatched"):
        connector.probe()


def test_an_answer_is_durable_before_the_broker_forgets_it(broker: Broker) -> None:
    """Where the archive cannot be written the answers stay in the queue."""
    connector, key = _answering(broker), make_auftrag().key
    _answer(broker, key, b'{"verdict": "accepted"}')
    (broker.folder / "archiv").rmdir()
    with pytest.raises(Misconfigured, match=r"target\.misconfigured"):
        connector.collect(key, {}, NOW)
    (broker.folder / "archiv").mkdir()

    assert isinstance(connector.collect(key, {}, NOW), Delivered)


def test_probe_finds_what_is_missing_and_changes_nothing(broker: Broker) -> None:
    """Queue, exchange and answer queue are looked at; nothing is made."""
    _answering(broker).probe()
    for wrong in ({"routing_key": "fehlt"}, {"exchange": "fehlt"}):
        with pytest.raises(Misconfigured, match=r"target\.unroutable"):
            broker.connect(**wrong).probe()

    assert "fehlt" not in broker.rabbit.ctl("list_queues", "name")
