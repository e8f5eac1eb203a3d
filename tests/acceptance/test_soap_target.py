"""The connector `soap` against PHP's ext-soap behind nginx: what arrives, and what each answer is taken for."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors.soap.connector import CONNECTOR
from intermediary.connect.settings import open_connector
from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.ports import Awaiting, Connector, Delivered, Idempotency, NotDelivered, Refused
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument, MemoryContent, Zustellauftrag
from intermediary.testing.connectors import NOW, deliver, look_up, make_auftrag
from tests.acceptance.certificates import Certificates, make_certificates
from tests.acceptance.soap_office import WSDL, ServerMissing, SoapOffice

MESSAGE = '<n:nachricht xmlns:n="urn:test:nachricht"><n:name>Müller</n:name></n:nachricht>'.encode()
ARGUMENTS = {"vorgang.schluessel": "key", "vorgang.mandant": "mandant", "paket": "package.base64"}
REPLY = {"reference": "aktenzeichen", "state": "status", "reason": "grund"}
LOOKUP = {
    "operation": "abfragen",
    "arguments": {"schluessel": "key"},
    "reply": {
        **REPLY,
        "delivered": ["ANGENOMMEN"],
        "refused": ["ABGELEHNT"],
        "pending": ["IN_ARBEIT"],
        "unknown": ["UNBEKANNT"],
    },
}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, pki: Certificates) -> Iterator[SoapOffice]:
    """One Fachverfahren for all; each test has keys of its own."""
    try:
        with SoapOffice(tmp_path_factory.mktemp("office"), pki) as running:
            yield running
    except ServerMissing as missing:
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


def _connect(office: SoapOffice, **more: Any) -> Connector:
    table = {"url": office.url, "wsdl": str(WSDL), "operation": "einreichen", "port": "Soap11", "arguments": ARGUMENTS}
    return open_connector(CONNECTOR, {**table, **more}, base=Path("/"), where="target")


def _auftrag(number: int, data: bytes = b"PK-paket") -> Zustellauftrag:
    return replace(make_auftrag(number, data=data), nachricht=MemoryContent(MESSAGE))


def _effects(office: SoapOffice, key: str) -> list[dict[str, Any]]:
    return [one for one in office.journal if one["key"] == key]


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("form", ["base64", "mtom"])
@pytest.mark.parametrize("port", ["Soap11", "Soap12"])
def test_every_piece_goes_where_the_table_says(office: SoapOffice, pki: Certificates, port: str, form: str) -> None:
    """SOAP 1.1 and 1.2, in line and as MTOM, through mutual TLS: a foreign implementation reads every piece."""
    documents = (b"%PDF-eins", os.urandom(300_000))
    auftrag = replace(
        _auftrag(1 + (port == "Soap12") + 2 * (form == "mtom")),
        is_test=True,
        dokumente=tuple(
            Dokument(f"plan-{number}.pdf", "application/pdf", MemoryContent(data))
            for number, data in enumerate(documents)
        ),
    )
    connector = _connect(
        office,
        url=office.tls_url,
        port=port,
        arguments={
            "vorgang.schluessel": "key",
            "vorgang.mandant": "mandant",
            "vorgang.test": "test",
            "fachnachricht": "message.xml",
            "nachricht": "message.root",
            "paket._value_1": f"package.{form}",
            "paket.name": "package.name",
            "dokumente.dokument[].name": "document.name",
            "dokumente.dokument[].laenge": "document.length",
            "dokumente.dokument[].inhalt": f"document.{form}",
        },
        http_headers={"X-Schluessel": "key"},
        reply={**REPLY, "delivered": ["ANGENOMMEN"]},
        http={"ca_file": str(pki.ca), "client_cert": str(pki.client), "client_key": str(pki.client_key)},
    )
    verdict = deliver(connector, auftrag)
    (seen,) = _effects(office, auftrag.key)

    assert isinstance(verdict, Delivered)
    assert (f"AZ-{auftrag.key[:8]}", auftrag.package.content.sha256) == (
        verdict.proof["reference"],
        verdict.proof["sha256"],
    )
    assert ("musterstadt", True, "Müller", auftrag.key) == (seen["mandant"], seen["test"], seen["name"], seen["header"])
    assert {"nachricht": {"name": "Müller"}} == seen["any"]
    assert (_sha(b"PK-paket"), auftrag.package.file_name) == (seen["paket"], seen["paketname"])
    assert [[f"plan-{number}.pdf", _sha(data)] for number, data in enumerate(documents)] == seen["dokumente"]
    assert seen["type"].startswith("multipart/related" if form == "mtom" else ("text/xml", "application/soap+xml"))
    assert (port == "Soap11") is bool(seen["action"])


def test_the_server_asks_for_a_certificate(office: SoapOffice, pki: Certificates) -> None:
    """Without our certificate, or with a CA that is not the target's, nothing is sent."""
    with pytest.raises(Misconfigured):
        deliver(_connect(office, url=office.tls_url, http={"ca_file": str(pki.ca)}), _auftrag(10))
    with pytest.raises(Misconfigured, match=r"target\.tls"):
        deliver(_connect(office, url=office.tls_url), _auftrag(10))

    assert [] == _effects(office, _auftrag(10).key)


@pytest.mark.parametrize(
    ("mood", "faults", "expected"),
    [
        ("fault:Client:E1", {"refused": ["E1"], "code": "code"}, (Rejected, "target.refused", 0)),
        ("fault:Client.Inhalt:E2", {"refused": ["Client.Inhalt"]}, (Rejected, "target.refused", 0)),
        ("fault:Server:E3", {"transient": ["Fehler"]}, (Transient, "target.unreachable", 0)),
        ("fault:Client:E4", {"operator": ["Client"]}, (Misconfigured, "target.misconfigured", 0)),
        ("fault:Client:E5", {}, (Unclear, "target.fault", 0)),
        ("fault:MustUnderstand:E6", {}, (Misconfigured, "target.misconfigured", 0)),
        ("fault-after", {}, (Unclear, "target.fault", 1)),
        ("lost", {}, (Unclear, "target.no-answer", 1)),
        ("busy", {}, (Transient, "target.unreachable", 0)),
    ],
)
def test_a_fault_means_what_was_agreed(
    office: SoapOffice, mood: str, faults: dict[str, Any], expected: tuple[type[Fault], str, int]
) -> None:
    """Refused, not now, or the operator's only by agreement or by the SOAP standard; any other answer is unclear."""
    auftrag = _auftrag(1000 + zlib.crc32(mood.encode()))
    office.moods(mood)
    with pytest.raises(Fault) as caught:
        deliver(_connect(office, faults=faults), auftrag)

    assert expected == (type(caught.value), caught.value.code, len(_effects(office, auftrag.key)))
    assert "Mustermann" not in str(caught.value)


def test_what_it_says_of_a_case_is_the_verdict(office: SoapOffice) -> None:
    """Delivered, refused, pending and anything else, each by its value; refusals carry the target's code."""
    connector = _connect(
        office,
        lookup=LOOKUP,
        reply={**REPLY, "delivered": ["ANGENOMMEN"], "refused": ["ABGELEHNT"], "pending": ["IN_ARBEIT"]},
    )
    auftraege = [_auftrag(40 + number) for number in range(4)]
    office.moods("state:ANGENOMMEN", "state:ABGELEHNT", "state:IN_ARBEIT", "state:VIELLEICHT")
    delivered = deliver(connector, auftraege[0])
    with pytest.raises(Rejected, match="E4711"):
        deliver(connector, auftraege[1])
    awaiting = deliver(connector, auftraege[2])
    with pytest.raises(Unclear, match=r"target\.answer\.unreadable"):
        deliver(connector, auftraege[3])
    key = auftraege[2].key

    assert isinstance(delivered, Delivered)
    assert isinstance(awaiting, Awaiting)
    assert connector.collect(key, awaiting.correlation, NOW) is None
    office.decide(key, "ABGELEHNT")
    refused = connector.collect(key, awaiting.correlation, NOW)
    assert isinstance(refused, Refused)
    assert ("E4711", auftraege[2].package.content.sha256) == (refused.reason, refused.proof["sha256"])


def test_a_lookup_knows_both_answers(office: SoapOffice) -> None:
    """Before: nothing there. After an answer that was lost: delivered, with the reference."""
    connector, auftrag = _connect(office, lookup=LOOKUP), _auftrag(50)

    assert Idempotency.LOOKUP is connector.manifest.idempotency
    assert isinstance(look_up(connector, auftrag.key), NotDelivered)
    office.moods("lost")
    with pytest.raises(Unclear):
        deliver(connector, auftrag)
    found = look_up(connector, auftrag.key)
    assert isinstance(found, Delivered)
    assert f"AZ-{auftrag.key[:8]}" == found.proof["reference"]


def test_a_lookup_has_the_proof_of_the_delivery(office: SoapOffice) -> None:
    """What was sent is in it though the answer was lost; what was answered to the delivery stays; a repetition only asks."""
    connector, answered, lost = _connect(office, lookup=LOOKUP), _auftrag(51), _auftrag(52)
    steps, others = Checkpoints(connector.manifest.steps), Checkpoints(connector.manifest.steps)
    delivered = connector.deliver(answered, steps, NOW)
    office.moods("lost")
    with pytest.raises(Unclear):
        connector.deliver(lost, others, NOW)
    found = connector.lookup(lost.key, others, NOW)

    assert delivered == connector.lookup(answered.key, steps, NOW) == connector.deliver(answered, steps, NOW)
    assert isinstance(found, Delivered)
    assert lost.package.content.sha256 == found.proof["sha256"]
    assert 1 == len(_effects(office, answered.key)) == len(_effects(office, lost.key))


def test_the_settings_say_what_the_target_offers(office: SoapOffice) -> None:
    """Nothing said: none. The repetition of a target that deduplicates has one effect."""
    connector, auftrag = _connect(office, target_deduplicates=True), _auftrag(60)
    deliver(connector, auftrag)
    deliver(connector, replace(auftrag, attempt=2))

    assert 1 == len(_effects(office, auftrag.key))
    assert (Idempotency.NATIVE, Idempotency.NONE) == (
        connector.manifest.idempotency,
        _connect(office).manifest.idempotency,
    )


def test_the_envelope_fits_the_schema_and_carries_the_user(office: SoapOffice, tmp_path: Path) -> None:
    """What zeep wrote around our pieces validates; the UsernameToken with its digest is in the header."""
    secret = tmp_path / "kennwort"
    secret.write_text("geheim\n")
    secret.chmod(0o600)
    security = {"username": "intermediaer", "password_file": str(secret), "digest": True}
    arguments = {**ARGUMENTS, "nachricht": "message.root", "fachnachricht": "message.xml"}
    deliver(_connect(office, arguments=arguments, security=security), _auftrag(70))
    envelope = etree.fromstring(office.envelope)
    schema = etree.XMLSchema(etree.parse(str(WSDL.parent / "antrag.xsd")))
    soap = "{http://schemas.xmlsoap.org/soap/envelope/}"
    token = envelope.find(f"{soap}Header//{{*}}UsernameToken")

    schema.assertValid(envelope.find(f"{soap}Body")[0])
    assert token is not None
    assert "intermediaer" == token.findtext("{*}Username")
    assert b"geheim" not in office.envelope
    assert ["Username", "Password", "Nonce", "Created"] == [etree.QName(one).localname for one in token]


def test_a_probe_logs_in_like_a_delivery(office: SoapOffice, tmp_path: Path) -> None:
    """Its token is of now: one of another moment would be refused, and the operator misled."""
    secret = tmp_path / "kennwort"
    secret.write_text("geheim")
    secret.chmod(0o600)
    security = {"username": "intermediaer", "password_file": str(secret), "digest": True}
    _connect(office, lookup=LOOKUP, security=security).probe()

    assert "2026" < etree.fromstring(office.envelope).findtext(".//{*}Created", "")


def test_probe_tries_the_arguments_and_sends_none(office: SoapOffice) -> None:
    """A right one has no effect; a wrong argument and a wrong operation are found without the target."""
    before = office.journal
    _connect(office).probe()
    _connect(office, lookup=LOOKUP).probe()
    for wrong in (
        {"arguments": {**ARGUMENTS, "vorgang.gibtesnicht": "mandant"}},
        {"operation": "gibtesnicht"},
        {"port": "gibtesnicht"},
        {"port": ""},
    ):
        with pytest.raises(Misconfigured, match=r"target\.wsdl"):
            _connect(office, **wrong).probe()

    assert before == office.journal
