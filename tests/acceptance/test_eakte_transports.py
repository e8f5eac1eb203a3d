"""The connector `eakte_xdomea` over each transport, against real servers: OpenSSH, RabbitMQ and PHP's ext-soap."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pika
import pytest

from connectors.eakte_xdomea.connector import CONNECTOR
from intermediary.connect.settings import open_connector
from intermediary.core.faults import Misconfigured, Transient, Unclear
from intermediary.core.ports import Awaiting, Connector, Delivered, Idempotency, NotDelivered, Refused
from intermediary.testing.connectors import NOW, deliver, look_up, make_auftrag
from intermediary.testing.rest_target import RestTarget
from intermediary.testing.servers import PrivateRabbit
from intermediary.testing.sshd import PrivateSshd, SshdMissing
from tests.acceptance.soap_office import WSDL, ServerMissing, SoapOffice
from tests.conformance.eakte_target import Imported, confirmation, receipt, zipped

LATER = NOW + timedelta(hours=1)


@dataclass
class Eakte:
    """An e-file behind a transport: `packages` are the hashes of what it was given, `answer` sends one of its messages."""

    folder: Path
    table: dict[str, Any]
    packages: Callable[[], list[str]]
    answer: Callable[[bytes], None]
    way_back: dict[str, Any] = field(default_factory=dict)

    def connect(self, **more: Any) -> Connector:
        names = ("folder", "archive", "unmatched")
        for name in ("state", *names):
            (self.folder / name).mkdir(exist_ok=True)
        answers = {**{name: str(self.folder / name) for name in names}, **self.way_back}
        table = {"state": str(self.folder / "state"), "answers": answers, **self.table, **more}
        return open_connector(CONNECTOR, table, base=self.folder, where="target")


def _missing(missing: Exception) -> None:
    if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
        pytest.fail(str(missing))
    pytest.skip(str(missing))


@pytest.fixture(scope="module")
def sshd() -> Iterator[PrivateSshd]:
    try:
        server = PrivateSshd()
    except SshdMissing as missing:
        _missing(missing)
        raise
    with server:
        yield server


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoapOffice]:
    try:
        with SoapOffice(tmp_path_factory.mktemp("office")) as running:
            yield running
    except ServerMissing as missing:
        _missing(missing)


def _over_sftp(request: pytest.FixtureRequest, folder: Path) -> Eakte:
    sshd: PrivateSshd = request.getfixturevalue("sshd")
    root = sshd.root / folder.name
    for name in ("import", "staging", "export"):
        (root / name).mkdir(parents=True)
    table = {
        "host": "127.0.0.1",
        "port": sshd.port,
        "user": sshd.user,
        "drop": f"{root}/import",
        "staging": f"{root}/staging",
        "known_hosts": str(sshd.known_hosts),
        "key_file": str(sshd.client_key),
    }

    def answer(message: bytes) -> None:
        (root / "export" / f"{len(message)}-{hashlib.sha256(message).hexdigest()[:8]}.xml").write_bytes(message)

    def packages() -> list[str]:
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in (root / "import").iterdir()]

    return Eakte(folder, {"transport": "sftp", "sftp": table}, packages, answer, {"remote": f"{root}/export"})


def _over_amqp(request: pytest.FixtureRequest, folder: Path) -> Eakte:
    rabbit: PrivateRabbit = request.getfixturevalue("rabbit")
    url = folder / "url"
    url.write_text(rabbit.url)
    url.chmod(0o600)
    line = pika.BlockingConnection(pika.URLParameters(rabbit.url))
    request.addfinalizer(line.close)
    channel: Any = line.channel()
    given, back = f"{folder.name}.import", f"{folder.name}.export"
    for queue in (given, back):
        channel.queue_declare(queue, durable=True)
    seen: list[str] = []

    def packages() -> list[str]:
        while (found := channel.basic_get(given, auto_ack=True))[0] is not None:
            seen.append(hashlib.sha256(found[2]).hexdigest())
        return seen

    def answer(message: bytes) -> None:
        channel.basic_publish("", back, message)

    table = {"url_file": str(url), "routing_key": given}
    return Eakte(folder, {"transport": "amqp", "amqp": table}, packages, answer, {"queue": back})


def _over_soap(request: pytest.FixtureRequest, folder: Path) -> Eakte:
    office: SoapOffice = request.getfixturevalue("office")
    table = {
        "url": office.url,
        "wsdl": str(WSDL),
        "operation": "einreichen",
        "port": "Soap12",
        "arguments": {"vorgang.schluessel": "key", "vorgang.mandant": "mandant", "paket": "package.mtom"},
        "lookup": {
            "operation": "abfragen",
            "arguments": {"schluessel": "key"},
            "reply": {"state": "status", "delivered": ["ANGENOMMEN"], "unknown": ["UNBEKANNT"]},
        },
    }

    def packages() -> list[str]:
        return [one["paket"] for one in office.journal if one["key"] in KEYS[folder.name]]

    def answer(message: bytes) -> None:
        (folder / "folder" / f"{hashlib.sha256(message).hexdigest()}.xml").write_bytes(message)

    return Eakte(folder, {"transport": "soap", "soap": table}, packages, answer)


def _asked_by_call(request: pytest.FixtureRequest, folder: Path) -> Eakte:
    office: SoapOffice = request.getfixturevalue("office")
    eakte = _over_soap(request, folder)
    call = {"operation": "abfragen", "arguments": {"schluessel": "key"}, "element": "antwort"}

    def answer(message: bytes) -> None:
        office.answer(office.journal[-1]["key"], message)

    return replace(eakte, answer=answer, way_back={"call": call})


@dataclass
class Answering(RestTarget):
    """It has an answer to the package of a key, after a while."""

    said: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def ask(self, path: str, query: Mapping[str, list[str]]) -> tuple[int, dict[str, object]]:
        match path.strip("/").split("/"):
            case ["pakete", key, "antwort"] if key in self.said:
                return self.said[key][0], {"said": self.said[key][1]}
        return super().ask(path, query)

    def written(self, status: int, answer: Mapping[str, object]) -> tuple[int, bytes, str]:
        said = answer.get("said")
        return (status, said, "application/xml") if isinstance(said, bytes) else super().written(status, answer)


def _asked_by_get(request: pytest.FixtureRequest, folder: Path) -> Eakte:
    target = Answering(removes_doubles=True)
    target.__enter__()
    request.addfinalizer(lambda: target.__exit__(None, None, None))
    table = {"url": target.url, "idempotency": "native", "request": [{"path": "zustellungen", "take": {"id": "id"}}]}

    def answer(message: bytes) -> None:
        target.said[target.effects[-1].key] = (200 if message else 202, message)

    return Eakte(
        folder,
        {"transport": "rest", "rest": table},
        lambda: [one.sha256 for one in target.effects],
        answer,
        {"path": "pakete/{key}/antwort"},
    )


def _over_rest(request: pytest.FixtureRequest, folder: Path) -> Eakte:
    target = RestTarget(removes_doubles=True)
    target.__enter__()
    request.addfinalizer(lambda: target.__exit__(None, None, None))
    table = {
        "url": target.url,
        "idempotency": "native",
        "request": [{"path": "zustellungen", "take": {"id": "id", "sha256": "sha256"}}],
    }

    def packages() -> list[str]:
        return [one.sha256 for one in target.effects]

    def answer(message: bytes) -> None:
        (folder / "folder" / f"{hashlib.sha256(message).hexdigest()}.xml").write_bytes(message)

    return Eakte(folder, {"transport": "rest", "rest": table}, packages, answer)


KEYS: dict[str, set[str]] = {}
WAYS = {"sftp": _over_sftp, "rest": _over_rest, "amqp": _over_amqp, "soap": _over_soap}
ASKED = {"asked-rest": _asked_by_get, "asked-soap": _asked_by_call}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def eakte(request: pytest.FixtureRequest, way: str, tmp_path: Path) -> Eakte:
    number = 5_000 + sum(map(ord, tmp_path.name))
    KEYS[tmp_path.name] = {make_auftrag(number + offset).key for offset in range(3)}
    return WAYS[way](request, tmp_path)


@pytest.fixture(params=ASKED)
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Eakte:
    number = 5_000 + sum(map(ord, tmp_path.name))
    KEYS[tmp_path.name] = {make_auftrag(number + offset).key for offset in range(3)}
    return ASKED[request.param](request, tmp_path)


def _number(eakte: Eakte) -> int:
    return 5_000 + sum(map(ord, eakte.folder.name))


def test_the_answers_of_the_e_file_are_the_verdict(eakte: Eakte) -> None:
    """Handed over once; 0403 keeps it waiting, 0402 ends it; both are in the proof and gone where they came from."""
    connector, auftrag = eakte.connect(), make_auftrag(_number(eakte))
    connector.probe()
    awaiting = deliver(connector, auftrag)

    assert isinstance(awaiting, Awaiting)
    assert [auftrag.package.content.sha256] == eakte.packages()
    assert connector.collect(auftrag.key, awaiting.correlation, LATER) is None
    eakte.answer(receipt(auftrag.nachricht_id))
    assert connector.collect(auftrag.key, awaiting.correlation, LATER) is None
    said = confirmation(auftrag.nachricht_id, Imported())
    eakte.answer(said)
    verdict = eakte.connect().collect(auftrag.key, awaiting.correlation, LATER)
    assert isinstance(verdict, Delivered)
    assert (hashlib.sha256(said).hexdigest(), "0403", auftrag.package.file_name) == tuple(
        verdict.proof[name] for name in ("answer_sha256", "receipt", "file_name")
    )
    assert [] == os.listdir(eakte.folder / "folder") == os.listdir(eakte.folder / "unmatched")
    connector.probe()


def test_a_refusal_and_a_stray_answer(eakte: Eakte) -> None:
    """What was not imported is refused with its codes; an answer to something nobody sent goes aside."""
    connector, auftrag = eakte.connect(), make_auftrag(_number(eakte) + 1)
    awaiting = deliver(connector, auftrag)
    assert isinstance(awaiting, Awaiting)
    eakte.answer(confirmation(make_auftrag(77).nachricht_id, Imported()))
    eakte.answer(confirmation(auftrag.nachricht_id, Imported(False, ["E4711"], "Erika Mustermann")))
    verdict = connector.collect(auftrag.key, awaiting.correlation, LATER)

    assert isinstance(verdict, Refused)
    assert "E4711" == verdict.reason
    assert "Mustermann" not in repr(verdict)
    assert 1 == len(os.listdir(eakte.folder / "unmatched"))


def test_it_promises_what_its_transport_promises(eakte: Eakte, way: str) -> None:
    """The manifest of the instance is that of its transport; a look-up says before and after what is true."""
    connector, auftrag = eakte.connect(), make_auftrag(_number(eakte) + 2)
    expected = {"amqp": Idempotency.NONE, "rest": Idempotency.NATIVE}.get(way, Idempotency.LOOKUP)

    assert ("eakte_xdomea", expected) == (connector.manifest.name, connector.manifest.idempotency)
    if way == "amqp":
        table = {**eakte.table["amqp"], "target_deduplicates": True}
        assert Idempotency.NATIVE is eakte.connect(amqp=table).manifest.idempotency
    if way in ("amqp", "rest"):
        return
    assert isinstance(look_up(connector, auftrag.key), NotDelivered)
    handed = deliver(connector, auftrag)
    assert isinstance(handed, Awaiting)
    found = look_up(eakte.connect(), auftrag.key)
    assert isinstance(found, Awaiting)
    assert (handed.until, handed.correlation["sha256"]) == (found.until, found.correlation["sha256"])


def test_the_target_is_asked_for_the_answer(asked: Eakte) -> None:
    """Nothing yet, the 0403 (again and again, kept once), then the 0402: by the key, and nothing goes through a folder."""
    connector, auftrag = asked.connect(), make_auftrag(_number(asked))
    connector.probe()
    awaiting = deliver(connector, auftrag)
    assert isinstance(awaiting, Awaiting)
    asked.answer(b"")
    assert connector.collect(auftrag.key, awaiting.correlation, LATER) is None
    asked.answer(receipt(auftrag.nachricht_id))
    for _ in range(3):
        assert connector.collect(auftrag.key, awaiting.correlation, LATER) is None
    said = zipped(confirmation(auftrag.nachricht_id, Imported(False, ["E4711"], "Erika Mustermann")))
    asked.answer(said)
    verdict = asked.connect().collect(auftrag.key, awaiting.correlation, LATER)

    assert isinstance(verdict, Refused)
    assert ("E4711", hashlib.sha256(said).hexdigest(), "0403") == (
        verdict.reason,
        verdict.proof["answer_sha256"],
        verdict.proof["receipt"],
    )
    kept = sorted(path.name for path in (asked.folder / "archive").iterdir())
    assert [f"{auftrag.key}.answer.1", f"{auftrag.key}.answer.2"] == kept
    assert [] == os.listdir(asked.folder / "folder") == os.listdir(asked.folder / "unmatched")


def test_what_is_no_answer_to_this_package_is_no_verdict(asked: Eakte) -> None:
    """A page of a proxy is asked again later; an answer to another package is for a person. Nothing of them is kept."""
    connector, auftrag = asked.connect(), make_auftrag(_number(asked) + 1)
    awaiting = deliver(connector, auftrag)
    assert isinstance(awaiting, Awaiting)
    asked.answer(b"<html>Anmeldung</html>")
    with pytest.raises(Transient, match=r"target\.unreachable"):
        connector.collect(auftrag.key, awaiting.correlation, LATER)
    asked.answer(confirmation(make_auftrag(77).nachricht_id, Imported()))
    with pytest.raises(Unclear, match="ProzessID"):
        connector.collect(auftrag.key, awaiting.correlation, LATER)

    assert [] == os.listdir(asked.folder / "archive") == os.listdir(asked.folder / "unmatched")


def test_who_is_asked_by_key_answers_for_one_delivery(asked: Eakte) -> None:
    """A redelivery of a ProzessID whose first package was never answered gets its verdict without a person."""
    connector, first = asked.connect(), make_auftrag(_number(asked) + 2)
    again = replace(first, key=make_auftrag(_number(asked)).key)
    assert isinstance(deliver(connector, first), Awaiting)
    awaiting = deliver(connector, again)
    assert isinstance(awaiting, Awaiting)
    asked.answer(confirmation(again.nachricht_id, Imported()))

    assert isinstance(connector.collect(again.key, awaiting.correlation, LATER), Delivered)


@pytest.mark.parametrize("way", ["soap"], indirect=True)
def test_an_answer_that_was_lost_is_looked_up_and_noted(eakte: Eakte, request: pytest.FixtureRequest) -> None:
    """After an ambiguous hand-over the look-up finds it, and the answer of the e-file its Zustellung."""
    office: SoapOffice = request.getfixturevalue("office")
    connector, auftrag = eakte.connect(), make_auftrag(_number(eakte))
    office.moods("lost")
    with pytest.raises(Unclear):
        deliver(connector, auftrag)
    found = look_up(eakte.connect(), auftrag.key)
    assert isinstance(found, Awaiting)
    eakte.answer(confirmation(auftrag.nachricht_id, Imported()))

    assert isinstance(connector.collect(auftrag.key, found.correlation, LATER), Delivered)


@pytest.mark.parametrize("way", ["amqp"], indirect=True)
def test_nothing_handed_over_is_noted_as_such(eakte: Eakte) -> None:
    """A transport that says that nothing was sent leaves no note of a hand-over, and nothing to wait for."""
    wrong = eakte.connect(amqp={**eakte.table["amqp"], "routing_key": "gibt-es-nicht"})
    with pytest.raises(Misconfigured, match=r"target\.unroutable"):
        deliver(wrong, make_auftrag(_number(eakte)))

    assert [] == list((eakte.folder / "state").glob("????????-????-????-????-????????????.sealed"))


@pytest.mark.parametrize("way", ["sftp"], indirect=True)
def test_an_answer_that_is_still_being_written_stays(eakte: Eakte) -> None:
    """Half an answer on the server is left there until it is whole; under another name nobody looks at it."""
    connector, auftrag = eakte.connect(), make_auftrag(_number(eakte))
    awaiting = deliver(connector, auftrag)
    assert isinstance(awaiting, Awaiting)
    said = confirmation(auftrag.nachricht_id, Imported())
    file = Path(eakte.way_back["remote"]) / "antwort.xml"
    file.write_bytes(said[:300])
    os.utime(file, (LATER.timestamp(), LATER.timestamp()))
    assert connector.collect(auftrag.key, awaiting.correlation, LATER) is None
    assert file.exists()
    file.write_bytes(said)

    assert isinstance(connector.collect(auftrag.key, awaiting.correlation, LATER), Delivered)
    assert not file.exists()


def test_what_does_not_fit_together_is_told_before(tmp_path: Path) -> None:
    """One transport with its own table; no second verdict; a way back of that transport."""
    answers = {"folder": "f", "archive": "a", "unmatched": "u"}
    amqp: dict[str, Any] = {"url_file": "url", "routing_key": "import"}
    rest: dict[str, Any] = {"url": "https://eakte.example/", "idempotency": "native"}
    call = {"operation": "o", "arguments": {"schluessel": "key"}, "element": "e"}
    for wrong in (
        {"transport": "amqp"},
        {"transport": "soap", "amqp": amqp},
        {"transport": "amqp", "amqp": amqp, "answers": {**answers, "remote": "/export"}},
        {"transport": "amqp", "amqp": amqp, "answers": {**answers, "path": "pakete/{key}"}},
        {"transport": "rest", "rest": rest, "answers": {**answers, "path": "pakete/letzte"}},
        {"transport": "rest", "rest": rest, "answers": {**answers, "path": "pakete/{mandant}"}},
        {"transport": "rest", "rest": rest, "answers": {**answers, "call": call}},
        {"transport": "rest", "rest": {**rest, "verdict": {"path": "v/{key}", "state": "s", "accepted": ["a"]}}},
        {"transport": "amqp", "amqp": {**amqp, "answers": {"queue": "q", "archive": "a", "unmatched": "u"}}},
    ):
        with pytest.raises(Misconfigured, match=r"target\.misconfigured"):
            open_connector(CONNECTOR, {"state": "s", "answers": answers, **wrong}, base=tmp_path, where="target")


def test_a_server_that_is_away_loses_no_answer(eakte: Eakte, way: str) -> None:
    """While answers cannot be fetched nothing is judged; `Transient` says that it was only asked."""
    if way in ("rest", "soap"):
        return
    connector, auftrag = eakte.connect(), make_auftrag(_number(eakte))
    awaiting = deliver(connector, auftrag)
    assert isinstance(awaiting, Awaiting)
    eakte.answer(confirmation(auftrag.nachricht_id, Imported()))
    dead = eakte.folder / "dead"
    dead.write_text("amqp://guest:guest@127.0.0.1:1/")
    dead.chmod(0o600)
    away = {"sftp": {"port": 1}, "amqp": {"url_file": str(dead)}}[way]
    with pytest.raises(Transient, match=r"target\.unreachable"):
        eakte.connect(**{way: {**eakte.table[way], **away}}).collect(auftrag.key, awaiting.correlation, LATER)

    assert isinstance(connector.collect(auftrag.key, awaiting.correlation, LATER), Delivered)
