"""All twelve operations against the official WSDL: what we write, what zeep writes, and each read by the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import zeep
from lxml import etree
from requests import Response
from zeep.transports import Transport

from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spool import Spool
from intermediary.testing.samples import NAMESPACE
from intermediary.testing.xta import AUTHOR, READER, kept, sample_container, sample_order
from intermediary.unseal.xta.container import ContentContainer, read_container
from intermediary.unseal.xta.entity import read_entity
from intermediary.unseal.xta.envelope import Addressing, Envelope
from intermediary.unseal.xta.metadata import kept as kept_xml
from intermediary.unseal.xta.values import CodeValue, DeliveryAttributes, OtherDestinations, ProcessId, ReceiptRequests
from intermediary.xml.parser import parse
from intermediary.xta.client.client import XtaClient
from intermediary.xta.wire import box, lookup, operations, report
from intermediary.xta.wire.entity import Entity, OutgoingMessage, write_entity
from intermediary.xta.wire.faults import ERRORS, Kind, error, read_fault, write_error, write_soap_fault
from intermediary.xta.wire.markup import leaf
from intermediary.xta.wire.metadata import write_metadata, write_party
from intermediary.xta.wire.operations import BY_ACTION, OPERATIONS, Operation
from tests.unit.testing.conftest import NOW
from tests.unit.xta.official import official_folder, official_schema

ID = "urn:de:xta:messageid:beispiel_gateway:0b9bd6ff-7f4d-4c3e-9f0e-9b6a2b0f0a01"
ITERATOR = "urn:uuid:6e0f7c5e-2c55-4a38-8e3e-3f3f5a7c1b13"
URL = "https://xta.example/port"
FULL = replace(
    sample_order(1, now=NOW),
    delivery=DeliveryAttributes(
        origin="2026-05-04T08:15:30.123+02:00",
        initial_send="2026-05-04T08:15:31Z",
        not_before="2026-05-05T00:00:00",
        obsolete_after="2026-06-01",
        delivery="2026-05-04T08:15:40+02:00",
        initial_fetch="2026-05-04T08:20:00+02:00",
        reception="2026-05-04T24:00:00Z",
        service_quality="profil:1",
        receipts=ReceiptRequests(("Submission", "Fetch")),
    ),
    sender=AUTHOR,
    reply_to=READER,
    others=OtherDestinations((READER,), (AUTHOR,)),
    size=4711,
    is_test=True,
)
SERVICE = "urn:example:dienst:bewohnerparken:1.0"
RECORD = report.Record(
    "2026-05-04T08:16:00Z", CodeValue("200", "urn:de:xta:codeliste:record.type", "1.0"), "Zugestellt"
)
REPORT = report.TransportReport(
    FULL, "2026-05-04T08:17:00Z", URL, report.YELLOW, (RECORD,), (RECORD, RECORD), (RECORD,),
    (report.FurtherReport(CodeValue("card", "urn:x", "1"), b"\x00card"),),
)  # fmt: skip
LISTED = box.StatusList(
    (box.MsgAttributes(ID, "urn:example:szenario", 4711, "2026-05-04T08:15:40Z", ("urn:other",), "", "2027-01-01"),),
    (FULL,),
)
ANSWER = lookup.ServiceAnswer(
    READER, SERVICE, True, (lookup.ServiceParameter(CodeValue("url", "urn:params", "1"), b"https://x"),)
)
FOUND = box.write_box_response(box.BoxResponse(ITERATOR, 3))
CONTAINER = sample_container(1, now=NOW)

PARTY = {"Identifier": {"_value_1": "prt:0000000001", "type": "xoev"}}
AS_AUTHOR = {"AuthorIdentifier": PARTY}
CONTENT = {"ContentContainer": {"Message": {"_value_1": b"<x/>", "contentType": "text/xml", "filename": "x.xml"}}}
META = {
    "MessageMetaData": {
        "DeliveryAttributes": {},
        "Originators": {"Author": PARTY},
        "Destinations": {"Reader": {"Identifier": {"_value_1": "stv:03404000", "type": "xoev", "name": "Straße"}}},
        "MsgIdentification": {"MessageID": ID},
        "Qualifier": {
            "Service": SERVICE,
            "BusinessScenario": {"Undefined": "EfA-Antrag"},
            "MessageType": {
                "code": "S05000058",
                "listURI": "urn:x",
                "listVersionID": "1",
                "payloadSchema": NAMESPACE,
            },
        },
    }
}


@dataclass(frozen=True)
class Case:
    """One operation: the call of our client and of zeep, the body and headers of a usual answer."""

    operation: Operation
    ours: Callable[[XtaClient], Any]
    zeep: dict[str, Any]
    body: str = ""
    headers: tuple[str, ...] = ()
    container: ContentContainer | None = None
    args: tuple[Any, ...] = ()


NEXT = box.NextRequest(ITERATOR, (ID,))
ZEEP_NEXT: dict[str, Any] = {"LastMsgReceived": [ID], "MsgBoxRequestID": ITERATOR, "_soapheaders": AS_AUTHOR}
SELECTOR = box.Selector((ID,), ("urn:other",), "2026-05-04T00:00:00Z", "2026-05-05T00:00:00Z", True)
CASES = (
    Case(operations.CHECK_ACCOUNT_ACTIVE, lambda c: c.check_account_active(), {"_soapheaders": AS_AUTHOR}),
    Case(
        operations.CREATE_MESSAGE_ID,
        lambda c: c.create_message_id(),
        {"_soapheaders": AS_AUTHOR},
        leaf("wsa:MessageID", ID),
    ),
    Case(
        operations.LOOKUP_SERVICE,
        lambda c: c.lookup_service((lookup.ServiceQuestion(READER, SERVICE),)),
        {
            "LookupServiceRequestList": [{"LookupService": {"Reader": PARTY, "ServiceType": SERVICE}}],
            "_soapheaders": AS_AUTHOR,
        },
        lookup.write_lookup_response((ANSWER, replace(ANSWER, available=None, parameters=()))),
    ),
    Case(
        operations.GET_TRANSPORT_REPORT,
        lambda c: c.transport_report(FULL.message_id),
        {"_soapheaders": AS_AUTHOR},
        report.write_transport_report(REPORT),
        args=(ID,),
    ),
    Case(operations.CANCEL_MESSAGE, lambda c: c.cancel_message(ID), {"_soapheaders": AS_AUTHOR}, args=(ID,)),
    Case(operations.SEND_MESSAGE, lambda c: c.send_message(FULL, CONTAINER), {**CONTENT, "_soapheaders": META}),
    Case(
        operations.SEND_MESSAGE_SYNC,
        lambda c: c.send_message_sync(FULL, CONTAINER),
        {**CONTENT, "_soapheaders": META},
        headers=(write_metadata(FULL),),
        container=CONTAINER,
    ),
    Case(
        operations.GET_STATUS_LIST,
        lambda c: c.status_list(box.StatusListRequest(SELECTOR, 10, "MessageMetaData")),
        {"MsgSelector": {"MessageID": [ID], "newEntry": True}, "maxListItems": 5, "_soapheaders": AS_AUTHOR},
        box.write_status_list(LISTED),
        (FOUND,),
    ),
    Case(
        operations.GET_NEXT_STATUS_LIST,
        lambda c: c.next_status_list(NEXT),
        ZEEP_NEXT,
        box.write_status_list(LISTED),
        (FOUND,),
    ),
    Case(
        operations.GET_MESSAGE,
        lambda c: c.get_message(box.FetchRequest(SELECTOR, "Envelope")),
        {"MsgSelector": {"MessageID": [ID]}, "_soapheaders": AS_AUTHOR},
        headers=(write_metadata(FULL), FOUND),
        container=CONTAINER,
    ),
    Case(
        operations.GET_NEXT_MESSAGE,
        lambda c: c.next_message(NEXT),
        ZEEP_NEXT,
        headers=(write_metadata(FULL), FOUND),
        container=CONTAINER,
    ),
    Case(operations.CLOSE, lambda c: c.close_messages(NEXT), ZEEP_NEXT),
)


class Script:
    """An exchange that keeps what is asked and answers what was told."""

    url = URL

    def __init__(self, answer: Entity) -> None:
        self._answer = answer
        self.asked: list[Entity] = []

    def post(self, request: Entity) -> Content | None:
        self.asked.append(request)
        return MemoryContent(kept(self._answer).read())

    def close(self) -> None:
        return None


class Wire(Transport):
    """A transport of zeep that keeps what it sends and answers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = b""
        self.status = 200
        self.sent: list[tuple[bytes, dict[str, str]]] = []

    def post(self, address: str, message: Any, headers: dict[str, str]) -> Response:
        data = message if isinstance(message, bytes) else str(message).encode()
        self.sent.append((data, headers))
        response = Response()
        response.status_code = self.status
        response._content = self.answer
        response.headers["Content-Type"] = "application/soap+xml; charset=utf-8"
        return response


@pytest.fixture(scope="module")
def schema(shared_or_none: Path | None) -> etree.XMLSchema:
    """The official schema; its elements are checked wherever the envelope lets any stand."""
    if shared_or_none is None:
        pytest.skip("no shared material: set INTERMEDIARY_SHARED")
    return official_schema(shared_or_none)


@pytest.fixture(scope="module")
def wire() -> Wire:
    """What lies between zeep and us."""
    return Wire()


@pytest.fixture(scope="module")
def ports(wire: Wire, shared_or_none: Path | None) -> dict[str, Any]:
    """The three ports as zeep binds them from the official WSDL, without any network."""
    if shared_or_none is None:
        pytest.skip("no shared material: set INTERMEDIARY_SHARED")
    client = zeep.Client(
        str(official_folder(shared_or_none) / "XTA.wsdl"),
        transport=wire,
        settings=zeep.Settings(forbid_dtd=True, forbid_entities=True),
    )
    names = {"management": "ManagementPort", "send": "SendXtaPort", "msgbox": "MsgBoxPort"}
    bound = {port: client.bind("XTAService", name) for port, name in names.items()}
    for proxy in bound.values():
        proxy._binding_options["address"] = URL
    return bound


def answer_of(case: Case, *, mtom: bool = False) -> Entity:
    addressing = Addressing(case.operation.action, "", "urn:uuid:1")
    return write_entity(OutgoingMessage(addressing, case.headers, case.body, case.container), random=bytes, mtom=mtom)


def client_of(script: Script, *, mtom: bool = False) -> XtaClient:
    exchanges = {"management": script, "send": script, "msgbox": script}
    return XtaClient(exchanges, AUTHOR, where="test", spool=Spool(None), random=bytes, mtom=mtom)  # type: ignore[arg-type]


def check(schema: etree.XMLSchema, data: bytes) -> Envelope:
    """An envelope that is valid as a whole, and whose blocks and body are elements the schema knows."""
    root = etree.fromstring(data)
    schema.assertValid(root)
    for element in (*root[0], *root[-1]):
        assert str(element.tag).startswith(("{http://www.w3.org/2003/05/soap", "{http"))
    return read_entity(MemoryContent(data))


def test_no_operation_is_missing() -> None:
    """Twelve operations, each with an action and a case of its own."""
    assert 12 == len(OPERATIONS) == len(BY_ACTION)
    assert {one.name for one in OPERATIONS} == {case.operation.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.operation.name)
def test_our_request_and_answer_are_official(case: Case, schema: etree.XMLSchema) -> None:
    """Both validate, name the operation's action, and the client reads the answer."""
    script = Script(answer_of(case))
    result = case.ours(client_of(script))
    (request,) = script.asked
    envelope = check(schema, request.content.read())
    check(schema, answer_of(case).content.read())

    assert case.operation.request == envelope.kind
    assert envelope.addressing is not None
    assert (case.operation.action, URL) == (envelope.addressing.action, envelope.addressing.to)
    assert f'action="{case.operation.action}"' in request.content_type
    assert result is not None or not case.operation.response


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.operation.name)
def test_zeep_and_we_read_each_other(case: Case, schema: etree.XMLSchema, ports: dict[str, Any], wire: Wire) -> None:
    """What zeep asks is valid and means the same to us; what we answer zeep takes, strictly by the WSDL."""
    wire.answer, wire.status = answer_of(case).content.read(), 200
    getattr(ports[case.operation.port], case.operation.name)(*case.args, **case.zeep)
    data, headers = wire.sent[-1]
    envelope = check(schema, data)

    assert case.operation.request == envelope.kind
    assert envelope.addressing is not None
    assert case.operation is BY_ACTION[envelope.addressing.action]
    assert case.operation.action in headers["Content-Type"]
    if case.operation.port == "send":
        assert ID == envelope.metadata().message_id
        container = read_container(envelope, Spool(None))
        assert isinstance(container, ContentContainer)
        assert b"<x/>" == container.message.content.read()
    else:
        author = envelope.author()
        assert author is not None
        assert "prt:0000000001" == author.identifier


def test_what_is_written_is_read_again() -> None:
    """Every value comes back as it was, in the answers and in the requests."""
    ours = {case.operation.name: case.ours(client_of(Script(answer_of(case)))) for case in CASES}

    assert ID == ours["createMessageId"]
    assert (ANSWER, replace(ANSWER, available=None, parameters=())) == ours["lookupService"]
    assert REPORT == ours["getTransportReport"]
    assert LISTED == ours["getStatusList"].entries == ours["getNextStatusList"].entries
    assert box.BoxResponse(ITERATOR, 3) == ours["getStatusList"].box
    assert FULL == ours["getMessage"].order == ours["sendMessageSync"].order
    assert ours["getMessage"].same_sha256 == ours["getNextMessage"].same_sha256
    request = box.StatusListRequest(SELECTOR, 7, "MsgAtrributes")
    assert request == box.read_status_list_request(_body(box.write_status_list_request(request)))
    assert box.FetchRequest(SELECTOR, "Header") == box.read_fetch_request(
        _body(box.write_fetch_request(box.FetchRequest(SELECTOR, "Header")))
    )
    assert NEXT == box.read_next_request(_body(box.write_close_request(NEXT)))
    question = (lookup.ServiceQuestion(READER, SERVICE),)
    assert question == lookup.read_lookup_request(_body(lookup.write_lookup_request(question)))


@pytest.mark.parametrize("number", ERRORS)
def test_every_number_is_official_and_somebody_s_to_heal(
    number: str, schema: etree.XMLSchema, ports: dict[str, Any], wire: Wire
) -> None:
    """The exception validates, zeep raises it, and our client says who can heal it; its words stay outside."""
    told = error(number)
    entity = write_entity(OutgoingMessage(Addressing("urn:x"), body=write_error(told)), random=bytes)
    fault = read_fault(check(schema, entity.content.read()))
    assert fault is not None
    assert fault.error is not None
    assert (told.kind, number, ERRORS[number][1]) == (fault.error.kind, fault.error.number, fault.error.name)
    operation = next(one for one in OPERATIONS if told.kind in one.exceptions)
    case = next(one for one in CASES if one.operation is operation)
    wire.answer, wire.status = entity.content.read(), 500
    with pytest.raises(zeep.exceptions.Fault) as raised:
        getattr(ports[operation.port], operation.name)(*case.args, **case.zeep)
    assert raised.value.detail is not None
    with pytest.raises(Fault) as caught:
        case.ours(client_of(Script(entity)))

    expected = {"901": Misconfigured, "905": Rejected, "906": Rejected, "910": Rejected, "908": Misconfigured}
    kinds = {"9023": Rejected, "9024": Unclear, "9070": Transient, "9020": Misconfigured, "9030": Transient}
    wanted = kinds.get(number) or expected.get(number[:3])
    assert wanted is None or isinstance(caught.value, wanted)
    assert number in caught.value.where or number == "9000"
    assert ERRORS[number][1] not in str(caught.value)


@pytest.mark.parametrize("kind", Kind)
def test_an_unspecified_number_is_judged_by_its_exception(kind: Kind) -> None:
    """9000 goes with any exception, which then says who can heal it."""
    entity = write_entity(OutgoingMessage(Addressing("urn:x"), body=write_error(error("9000", kind))), random=bytes)
    operation = next(one for one in OPERATIONS if kind in one.exceptions)
    case = next(one for one in CASES if one.operation is operation)
    with pytest.raises(Fault) as caught:
        case.ours(client_of(Script(entity)))

    assert "9000" in caught.value.where
    assert caught.value.code.startswith("xta.")


def test_a_service_in_trouble_may_have_sent_all_the_same() -> None:
    """An inner error is repeated where nothing changes by it, and looked into where a message may be on its way."""
    entity = write_entity(OutgoingMessage(Addressing("urn:x"), body=write_error(error("9030"))), random=bytes)
    with pytest.raises(Transient):
        client_of(Script(entity)).create_message_id()
    with pytest.raises(Unclear):
        client_of(Script(entity)).send_message(FULL, CONTAINER)


@pytest.mark.parametrize(
    ("entity", "code"),
    [
        (OutgoingMessage(Addressing("urn:x"), body=write_soap_fault("Receiver", "x")), "xta.busy"),
        (OutgoingMessage(Addressing("urn:x"), body=write_soap_fault("MustUnderstand", "x")), "xta.parameter"),
        (OutgoingMessage(Addressing("urn:x"), body=leaf("wsa:To", "x")), "xta.answer.unreadable"),
        (OutgoingMessage(Addressing("urn:x", relates_to="urn:other"), body=leaf("wsa:MessageID", ID)), "xta.answer"),
        (OutgoingMessage(Addressing("urn:x")), "xta.answer.unreadable"),
    ],
    ids=["receiver", "must-understand", "another body", "another request", "nothing"],
)
def test_what_is_no_answer_is_not_believed(entity: OutgoingMessage, code: str) -> None:
    """Faults of SOAP have a healer; what answers nothing or somebody else is no answer."""
    with pytest.raises(Fault) as caught:
        client_of(Script(write_entity(entity, random=bytes))).create_message_id()

    assert caught.value.code.startswith(code)


def test_an_order_of_somebody_else_is_no_report() -> None:
    """A report about another message says nothing about ours."""
    case = next(one for one in CASES if one.operation is operations.GET_TRANSPORT_REPORT)
    with pytest.raises(Unclear):
        client_of(Script(answer_of(case))).transport_report(ID)


def test_tokens_and_addresses_are_handed_on(schema: etree.XMLSchema) -> None:
    """What we only pass on (a reference to a token, where receipts go) arrives as XML of the same meaning."""
    wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
    token = (
        '<oscimeta:SecurityToken xmlns:oscimeta="http://www.osci.eu/ws/2014/10/transport" usage="ENCRYPTION">'
        f'<w:SecurityTokenReference xmlns:w="{wsse}"></w:SecurityTokenReference></oscimeta:SecurityToken>'
    )
    to = (
        '<oscimeta:ReceiptTo xmlns:oscimeta="http://www.osci.eu/ws/2014/10/transport">'
        '<wsa:Address xmlns:wsa="http://www.w3.org/2005/08/addressing">urn:to</wsa:Address></oscimeta:ReceiptTo>'
    )
    order = replace(
        FULL,
        reader=replace(READER, tokens=(token,)),
        delivery=replace(FULL.delivery, receipts=ReceiptRequests(("Relay",), to)),
        identification=replace(
            FULL.identification, responder=ProcessId("AZ 1", "Akte"), in_reply_to=("urn:a", "urn:b")
        ),
    )
    entity = write_entity(OutgoingMessage(Addressing("urn:x"), (write_metadata(order),)), random=bytes)
    again = check(schema, entity.content.read()).metadata()

    assert order == replace(again, reader=replace(again.reader, tokens=(token,)), delivery=order.delivery)
    assert 'usage="ENCRYPTION"' in again.reader.tokens[0]
    assert again.delivery.receipts is not None
    assert "urn:to" in again.delivery.receipts.to
    assert kept_xml(parse(again.reader.tokens[0].encode()))
    assert write_party("oscimeta:Reader", again.reader)


def _body(xml: str) -> etree._Element:
    entity = write_entity(OutgoingMessage(Addressing("urn:x"), body=xml), random=bytes)
    body = read_entity(MemoryContent(entity.content.read())).body
    assert body is not None
    return body
