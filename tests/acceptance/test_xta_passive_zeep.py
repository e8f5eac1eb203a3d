"""zeep drives all twelve operations against our server, with the official WSDL and nothing of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from lxml import etree
from zeep import Client as ZeepClient
from zeep import Settings, Transport
from zeep.exceptions import Fault

from intermediary.core.values import Content
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.testing.xta_site import OWN, PORTAL, SYNC_SERVICE, XTA_SERVICE
from intermediary.wiring import utc_now
from tests.acceptance.xta_office import Office
from tests.unit.xta.official import official_folder

META = "{http://www.osci.eu/ws/2014/10/transport}"
_BINDINGS = {"management": "managementHttpsBinding", "send": "sendXTAHttpsBinding", "msgbox": "msgBoxHttpsBinding"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("zeep") / "site", pki)
    yield made
    made.close()


def services(office: Office, name: str, shared: Path) -> SimpleNamespace:
    """The three ports as zeep makes them of the WSDL, for one client certificate."""
    session = requests.Session()
    session.trust_env = False
    session.verify = str(office.site.tls / "ca.cert.pem")
    session.cert = tuple(str(office.site.tls / f"{name}.{kind}.pem") for kind in ("cert", "key"))  # type: ignore[assignment]
    client = ZeepClient(
        str(official_folder(shared) / "XTA.wsdl"),
        transport=Transport(session=session, timeout=60, operation_timeout=60),
        settings=Settings(forbid_external=True),  # type: ignore[call-arg]
    )
    made = {
        port: client.create_service(f"{{http://xoev.de/transport/xta/211}}{_BINDINGS[port]}", office.site.url(port))
        for port in _BINDINGS
    }
    return SimpleNamespace(client=client, **made)


def order(services: SimpleNamespace, message_id: str, service: str, **delivery: object) -> dict[str, Any]:
    """The header of a send, made of the types of the WSDL."""
    client = services.client
    party = client.get_type(f"{META}PartyType")
    identifier = client.get_type(f"{META}PartyIdentifierType")
    made = client.get_element(f"{META}MessageMetaData")(
        DeliveryAttributes=delivery,
        Originators={"Author": party(Identifier=identifier(PORTAL, type="xoev"))},
        Destinations={"Reader": party(Identifier=identifier(OWN, type="xoev"))},
        MsgIdentification={"MessageID": message_id},
        Qualifier={
            "Service": service,
            "BusinessScenario": {"Undefined": "EfA"},
            "MessageType": {
                "code": "S05000058",
                "listURI": "urn:example:codeliste:nachrichtentyp",
                "listVersionID": "1.0",
                "payloadSchema": "urn:fim-de:xfall:datenschema:xdf3",
            },
        },
    )
    return {"MessageMetaData": made}


def container(seed: int) -> dict[str, Any]:
    """The body of a send."""
    letter = sample_letter(seed, now=utc_now())
    attachments = [
        {"_value_1": _octets(one.data), "contentType": one.media_type, "filename": one.name}
        for one in letter.attachments
    ]
    message = {"_value_1": letter.contents[0], "contentType": "text/xml", "filename": "antrag.xml"}
    return {"ContentContainer": {"Message": message, "Attachment": attachments}}


def _octets(data: bytes | Content) -> bytes:
    return data if isinstance(data, bytes) else data.read()


def test_all_twelve_operations(office: Office, shared: Path) -> None:
    """A portal made of the WSDL sends both ways and takes back; a reader lists, fetches, closes; reports are understood."""
    portal, reader = services(office, "portal", shared), services(office, "reader", shared)
    send, management, box = portal.send, portal.management, reader.msgbox

    assert management.checkAccountActive() is None
    ids = [management.createMessageId()["_value_1"] for _ in range(5)]
    asked = {"Reader": {"Identifier": {"_value_1": OWN, "type": "xoev"}}, "ServiceType": XTA_SERVICE}
    found = management.lookupService(LookupServiceRequestList=[{"LookupService": asked}])
    assert found[0]["IsServiceAvailableValue"]["ServiceIsAvailable"] is True
    for number in range(3):
        assert send.sendMessage(**container(number), _soapheaders=order(portal, ids[number], XTA_SERVICE)) is None
    answer = send.sendMessageSync(**container(3), _soapheaders=order(portal, ids[3], SYNC_SERVICE))
    assert b'"judged"' in answer["body"]["ContentContainer"]["Message"]["_value_1"]
    assert answer["header"]["MessageMetaData"]["MsgIdentification"]["In-Reply-To"][0]["_value_1"] == ids[3]
    term = datetime(2100, 1, 1, tzinfo=UTC)
    with pytest.raises(Fault, match="Parameterkombination"):  # too far away to be meant
        send.sendMessage(**container(4), _soapheaders=order(portal, ids[4], XTA_SERVICE, NotBefore=term))
    term = utc_now() + timedelta(days=1)
    send.sendMessage(**container(4), _soapheaders=order(portal, ids[4], XTA_SERVICE, NotBefore=term))
    assert management.cancelMessage(ids[4]) is None
    office.work()

    listed = box.getStatusList(maxListItems=2, ListForm="MessageMetaData")
    request_id, lying = _listed(listed)
    lying += _listed(box.getNextStatusList(MsgBoxRequestID=request_id, LastMsgReceived=lying))[1]
    assert 4 == len(set(lying))
    fetched = box.getMessage(MsgSelector={"MessageID": lying[:1]})
    assert fetched["body"]["ContentContainer"]["Message"]["_value_1"].startswith(b"<?xml")
    assert fetched["header"]["MessageMetaData"]["MsgIdentification"]["MessageID"]["_value_1"] == lying[0]
    iterated, first = _listed(box.getStatusList(maxListItems=1))
    again = box.getNextMessage(MsgBoxRequestID=iterated, LastMsgReceived=first)
    assert again["body"]["ContentContainer"]["Attachment"]
    assert box.close(MsgBoxRequestID=iterated, LastMsgReceived=lying) is None
    office.work()

    reports = [management.getTransportReport(one) for one in ids]
    assert [1, 1, 1, 1, 3] == [int(one["MessageStatus"]["Status"]) for one in reports]


def _listed(said: Any) -> tuple[str, list[str]]:
    """The iterator and the ids of a list."""
    ids = [one["MsgIdentification"]["MessageID"]["_value_1"] for one in said["body"]["MessageMetaData"]]
    return said["header"]["FetchResponseHeader"]["MsgBoxRequestID"], ids


def test_exceptions_are_understood(office: Office, shared: Path) -> None:
    """The detail of a fault is the exception that the WSDL declares, with its number."""
    portal = services(office, "portal", shared)

    with pytest.raises(Fault) as caught:
        portal.management.getTransportReport("urn:x")

    (exception,) = caught.value.detail
    assert "InvalidMessageIDException" == etree.QName(exception).localname
    assert "9070" == exception.findtext(".//code")
