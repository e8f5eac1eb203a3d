"""Our XTA server as its clients meet it: who may come in, what is taken, what lies in a box and how it leaves it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import event
from sqlalchemy.engine import Engine

from intermediary.core.faults import Rejected
from intermediary.core.states import NachrichtState
from intermediary.core.values import MemoryContent
from intermediary.store import Store
from intermediary.testing.pki import Pki
from intermediary.testing.xta import sample_container
from intermediary.testing.xta_site import OWN, READER, SYNC_SERVICE
from intermediary.unseal.xta.container import ContentContainer, Piece
from intermediary.unseal.xta.values import DeliveryAttributes, Party
from intermediary.wiring import utc_now, xta_passive
from intermediary.xta.wire.box import NO_MATCH, REQUEST_ID_INVALID, SEARCH_ARGS_INVALID, Selector
from intermediary.xta.wire.lookup import ServiceQuestion, read_lookup_response, write_lookup_request
from intermediary.xta.wire.operations import (
    CHECK_ACCOUNT_ACTIVE,
    CREATE_MESSAGE_ID,
    GET_STATUS_LIST,
    LOOKUP_SERVICE,
    SEND_MESSAGE,
    SEND_MESSAGE_SYNC,
)
from intermediary.xta.wire.report import GREEN, OPEN, RED
from tests.acceptance.xta_office import XTA_SERVICE, Client, Office, Said, author
from tests.unit.xta.official import official_schema

N = NachrichtState
NEW = Selector(new_entry=True)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Office]:
    made = Office(tmp_path_factory.mktemp("xta") / "site", pki)
    yield made
    made.close()


@pytest.fixture
def portal(office: Office) -> Client:
    return office.client("portal")


@pytest.fixture
def reader(office: Office) -> Client:
    """The Fachverfahren; what other tests have left in its box is taken over first."""
    client = office.client("reader")
    office.work()
    said = client.status_list(most=1000)
    if said.box.pending is not None:
        client.close(said.box.request_id, *said.listed.message_ids)
    office.work()
    return client


def test_who_may_come_in(office: Office) -> None:
    """No certificate, one of another CA, one that has expired: no connection. One that is not listed: no account."""
    for name in ("", "foreign", "expired"):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            office.client(name).call(CHECK_ACCOUNT_ACTIVE)

    numbers = {name: office.client(name).call(CHECK_ACCOUNT_ACTIVE).number for name in ("unlisted", "locked", "portal")}

    assert {"unlisted": "9012", "locked": "9011", "portal": ""} == numbers


def test_an_account_speaks_for_itself(office: Office, portal: Client) -> None:
    """Another one's Kennung as Author is 9014, on every port; a service that is not booked is 9013."""
    narrow = office.client("narrow")
    order = office.order(1)

    assert "" == portal.call(CHECK_ACCOUNT_ACTIVE, headers=[author("prt:0000000001")]).number
    assert "9014" == portal.call(CHECK_ACCOUNT_ACTIVE, headers=[author(READER)]).number
    assert "9014" == portal.send(replace(order, author=Party(READER)), sample_container(1, now=utc_now())).number
    own = replace(order, author=Party("prt:0000000003"))
    assert "9013" == narrow.send(own, sample_container(1, now=utc_now())).number


def test_ids_are_ours_and_of_one_account(office: Office, portal: Client) -> None:
    """An id made for one account is of no use to another, one that only looks like ours to nobody."""
    made = office.client("reader").new_id()

    assert "9022" == portal.send(office.order(1, made), sample_container(1, now=utc_now())).number
    forged = made[:-4] + "0000"
    assert "9022" == portal.send(office.order(1, forged), sample_container(1, now=utc_now())).number


def test_what_is_sent_is_durable_and_recognised(office: Office, portal: Client) -> None:
    """The same once more is the same Nachricht and answer, in whatever form; other content under the id is 9024."""
    order = office.order(11, portal.new_id())
    container = sample_container(11, now=utc_now())

    said = [portal.send(order, container, mtom=mtom).number for mtom in (True, False)]
    other = portal.send(order, sample_container(12, now=utc_now())).number

    found = office.store.find_by_message_id("musterstadt", order.message_id)
    assert (["", ""], "9024") == (said, other)
    assert ["", "intake.conflict"] == [one.code for one in found]
    office.work()


def test_nobody_takes_an_id_from_another_account(office: Office, portal: Client) -> None:
    """What one account sent under an id of its own making keeps no other from it: each has its message and its report."""
    squatter, mine = office.order(13, "urn:example:gateway:4711"), office.order(14, "urn:example:gateway:4711")
    squatter = replace(squatter, author=Party(READER))

    said = [office.client("reader").send(squatter, sample_container(13, now=utc_now())).number]
    said += [portal.send(mine, sample_container(14, now=utc_now())).number]
    again = portal.send(mine, sample_container(15, now=utc_now())).number

    found = office.store.find_by_message_id("musterstadt", mine.identification.message_id)
    authors = [office.client(name).report(mine.message_id).report.order.author for name in ("reader", "portal")]
    assert (["", ""], "9024") == (said, again)
    assert ["", "", "intake.conflict"] == [one.code for one in found]
    assert [squatter.author.identifier, mine.author.identifier] == [one.identifier for one in authors]
    office.work()


def test_a_foreign_id_is_as_unknown_as_none(office: Office, portal: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks about another account's order, or takes it back, gets fault and work of an id that nobody ever used."""
    at = utc_now() + timedelta(hours=2)
    order = replace(office.order(16), delivery=DeliveryAttributes(not_before=at.isoformat(timespec="seconds")))
    assert "" == portal.send(order, sample_container(16, now=utc_now())).number
    (laid,) = office.fill(1, begin=17)
    reader = office.client("reader")
    (lying,) = reader.status_list().listed.message_ids[-1:]
    request_id = portal.status_list().box.request_id
    unknown = lying[:-12] + "0" * 12
    work: list[str] = []

    def asked(ask: Callable[[str], Said], message_id: str) -> tuple[str, list[str]]:
        work.clear()
        return ask(message_id).number, list(work)

    def noted(*passed: Any) -> None:
        work.append(passed[2])

    monkeypatch.setattr(Store, "body", lambda *_: work.append("body"))
    event.listen(Engine, "before_cursor_execute", noted)
    try:
        for ask in (reader.report, reader.cancel):
            wanted = asked(ask, "urn:example:never")
            assert "SELECT" in "".join(wanted[1])
            assert [wanted, wanted] == [asked(ask, one) for one in (order.message_id, laid)]
        for ask in (portal.report, portal.cancel, portal.fetch, lambda one: portal.close(request_id, one)):
            wanted = asked(ask, unknown)
            assert "SELECT" in "".join(wanted[1])
            assert wanted == asked(ask, lying)
    finally:
        event.remove(Engine, "before_cursor_execute", noted)


def test_what_cannot_be_taken(office: Office, portal: Client) -> None:
    """Nothing stays of what is too large, addressed to nobody here, or without any content."""
    before = sum(1 for _ in office.store.find())
    order = office.order(21)
    large = ContentContainer(Piece(MemoryContent(bytes(41 * 1024 * 1024)), "text/xml"))
    empty = ContentContainer(Piece(MemoryContent(b""), "text/xml"))

    assert "9023" == portal.send(order, large).number
    assert "9020" == portal.send(order, empty).number
    foreign = replace(order, reader=Party("ags:00000000"))
    assert "9022" == portal.send(foreign, sample_container(1, now=utc_now())).number
    assert before == sum(1 for _ in office.store.find())


def test_a_refusal_is_told_at_once_and_again(office: Office, portal: Client) -> None:
    """A payload that breaks its schema is 9050 each time it is sent, and red with a Quittung in the report."""
    order = office.order(31)
    broken = sample_container(31, now=utc_now(), is_broken=True)

    said = [portal.send(order, broken).number for _ in range(2)]

    report = portal.report(order.message_id).report
    assert ["9050", "9050"] == said
    assert (RED, "validate.input.invalid") == (report.status, report.errors[0].code.code)
    assert b'"status": "rejected"' in report.further[0].data


def test_synchronous_services_answer_with_the_judgement(office: Office, portal: Client) -> None:
    """Our Quittung comes back, from the reader to the author; each kind of service is offered in one way only."""
    order = office.order(41, service=SYNC_SERVICE)
    container = sample_container(41, now=utc_now())

    assert "9081" == portal.send(order, container).number
    assert "9080" == portal.send(office.order(42), container, SEND_MESSAGE_SYNC).number
    said = portal.send(order, container, SEND_MESSAGE_SYNC)

    answer = said.envelope.metadata()
    assert b'"status": "judged"' in said.container.message.content.read()
    assert (OWN, (order.message_id,)) == (answer.author.identifier, answer.identification.in_reply_to)
    office.work()


def test_services_are_looked_up(portal: Client, office: Office) -> None:
    """Offered is what a route of the reader asks for, to who has booked it."""
    asked = [(OWN, XTA_SERVICE), (OWN, "urn:example:nirgends"), ("ags:00000000", XTA_SERVICE)]
    body = write_lookup_request(tuple(ServiceQuestion(Party(who), what) for who, what in asked))

    said = portal.call(LOOKUP_SERVICE, body).envelope

    assert said.body is not None
    assert [True, False, False] == [one.available for one in read_lookup_response(said.body, None)]  # type: ignore[arg-type]


def test_the_loop_of_a_reader(office: Office, portal: Client, reader: Client) -> None:
    """Listed page by page, fetched, closed: then delivered, the portal's report is green, and nothing lies there."""
    sent = office.fill(3, begin=101)

    first = reader.status_list(most=2, form="MessageMetaData")
    second = reader.next_list(first.box.request_id)
    ids = [*first.listed.message_ids, *second.listed.message_ids]
    assert (1, 0, 3) == (first.box.pending, second.box.pending, len(set(ids)))
    assert NO_MATCH == reader.next_list(first.box.request_id).box.reason
    assert [OPEN] * 3 == [portal.report(one).report.status for one in sent]
    for one in ids:
        fetched = reader.fetch(one)
        assert one == fetched.envelope.metadata().message_id
        assert b"<?xml" in fetched.container.message.content.read()[:5]
        assert "" == reader.close(fetched.box.request_id, one).number
    office.work()

    assert [GREEN] * 3 == [portal.report(one).report.status for one in sent]
    assert b'"status": "accepted"' in portal.report(sent[0]).report.further[0].data
    (found,) = office.store.find_by_message_id("musterstadt", sent[0])
    (told,) = [one.event.fields["proof"] for one in office.store.events(found.id) if one.event.name == "answer.sent"]
    assert {"sent": "in the transport report"} == told
    assert [GREEN] * 3 == [reader.report(one).report.status for one in ids]
    assert NO_MATCH == reader.status_list().box.reason
    assert "9070" == reader.fetch(ids[0]).number


def test_nothing_leaves_the_box_before_it_is_closed(office: Office, reader: Client) -> None:
    """Fetched twice it is the same; an iterator that ends confirms nothing; a close whose answer was lost is repeated."""
    office.fill(1, begin=111)
    first, again = reader.fetch(), reader.fetch()
    (message_id,) = {first.envelope.metadata().message_id, again.envelope.metadata().message_id}

    assert "" == reader.close(first.box.request_id).number
    assert (message_id,) == reader.status_list().listed.message_ids
    assert ["", ""] == [reader.close(again.box.request_id, message_id).number for _ in range(2)]
    assert NO_MATCH == reader.status_list().box.reason


def test_a_close_waits_for_the_worker(office: Office, reader: Client) -> None:
    """While a worker has the Nachricht in its hands a close is put off, and then it is good."""
    office.fill(1, begin=116)
    fetched = reader.fetch()
    message_id = fetched.envelope.metadata().message_id
    (nachricht,) = office.store.find(state=N.PLANNED)
    claim = office.store.claim_one(nachricht.id, "worker:1:1", utc_now())

    said = reader.close(fetched.box.request_id, message_id)
    office.store.release(claim, utc_now())

    assert (503, "9030", "30") == (said.status, said.number, said.headers["retry-after"])
    assert "" == reader.close(fetched.box.request_id, message_id).number


def test_several_iterators_and_what_they_are_told(office: Office, reader: Client) -> None:
    """Each goes its own way; what is received is passed over; a lost answer is made up for by naming what was received."""
    office.fill(4, begin=121)
    one, other = reader.status_list(most=1), reader.status_list(most=4)
    ids = other.listed.message_ids

    following = reader.next_message(one.box.request_id, ids[0])
    skipped = reader.next_list(one.box.request_id, ids[2])
    repeated = reader.next_list(one.box.request_id, ids[0])

    assert ids[1] == following.envelope.metadata().message_id
    assert (ids[3],) == skipped.listed.message_ids
    assert (ids[1],) == repeated.listed.message_ids
    assert 0 == other.box.pending


def test_what_a_selector_finds(office: Office, reader: Client) -> None:
    """By id, by time of entry, new or fetched; arguments that contradict each other are told."""
    office.fill(2, begin=131)
    ids = reader.status_list().listed.message_ids
    reader.fetch(ids[0])
    later = (utc_now() + timedelta(hours=1)).isoformat()

    assert ids[1:] == reader.status_list(NEW).listed.message_ids
    assert ids[:1] == reader.status_list(Selector(new_entry=False)).listed.message_ids
    assert ids[:1] == reader.status_list(Selector(message_ids=ids[:1])).listed.message_ids
    assert NO_MATCH == reader.status_list(Selector(entered_from=later)).box.reason
    assert NO_MATCH == reader.status_list(Selector(relates_to=("urn:x",))).box.reason
    assert (
        SEARCH_ARGS_INVALID
        == reader.status_list(Selector(entered_from=later, entered_to="2020-01-01T00:00:00Z")).box.reason
    )
    assert "9070" == reader.fetch("urn:de:xta:messageid:demo:00000000-0000-4000-8000-000000000000").number


def test_a_box_is_of_its_reader(office: Office, portal: Client, reader: Client) -> None:
    """Nobody else sees, fetches, closes or asks about what lies there, or goes on with its iterators."""
    office.fill(1, begin=141)
    listed = reader.status_list()
    (message_id,) = listed.listed.message_ids

    assert NO_MATCH == portal.status_list().box.reason
    assert REQUEST_ID_INVALID == portal.next_list(listed.box.request_id).box.reason
    own = portal.status_list().box.request_id
    assert ["9070"] * 4 == [
        portal.fetch(message_id).number,
        portal.close(listed.box.request_id, message_id).number,
        portal.close(own, message_id).number,
        portal.report(message_id).number,
    ]
    assert (message_id,) == reader.status_list().listed.message_ids


def test_a_restart_loses_iterators_and_nothing_else(office: Office, portal: Client, reader: Client) -> None:
    """The box, ids that were made and what was fetched are as before; an iterator is gone, but its close still holds."""
    office.fill(2, begin=151)
    made = portal.new_id()
    listed = reader.status_list(most=1)
    (message_id,) = listed.listed.message_ids
    reader.fetch(message_id)

    office.restart()

    assert REQUEST_ID_INVALID == reader.next_list(listed.box.request_id).box.reason
    assert "" == reader.close(listed.box.request_id, message_id).number
    assert 1 == len(reader.status_list(NEW).listed.message_ids)
    assert "" == portal.send(office.order(153, made), sample_container(153, now=utc_now())).number


def test_a_term_can_be_cancelled_before_it(office: Office, portal: Client, reader: Client) -> None:
    """With `NotBefore` nothing happens before it, and until then its author takes it back; else 9100, 9101, or unknown."""
    at = utc_now() + timedelta(hours=2)
    order = replace(office.order(161), delivery=DeliveryAttributes(not_before=at.isoformat()))
    past = replace(office.order(162), delivery=DeliveryAttributes(not_before="2026-01-01T00:00:00Z"))
    plain = office.order(163)
    for one in (order, past, plain):
        assert "" == portal.send(one, sample_container(161, now=utc_now())).number
    office.work()
    assert OPEN == portal.report(order.message_id).report.status

    assert "9022" == reader.cancel(order.message_id).number
    assert ["", ""] == [portal.cancel(order.message_id).number for _ in range(2)]
    assert ["9100", "9101", "9022"] == [
        portal.cancel(one).number for one in (past.message_id, plain.message_id, "urn:x")
    ]
    report = portal.report(order.message_id).report
    assert (RED, "intake.cancelled") == (report.status, report.errors[0].code.code)


def test_what_cannot_be_made_anew_is_ours_to_heal(
    office: Office, portal: Client, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A content that its mapping refuses today was promised yesterday: 9030, for the reader is not to blame."""

    def refused(*_: object) -> None:
        raise Rejected("validate.input.invalid")

    office.fill(1, begin=181)
    (lying,) = reader.status_list().listed.message_ids
    with monkeypatch.context() as patch:
        patch.setattr(xta_passive, "render", refused)
        said = reader.fetch(lying)

    assert (503, "9030") == (said.status, said.number)
    assert (200, "") == (reader.fetch(lying).status, reader.fetch(lying).number)


def test_no_call_of_xta(office: Office, portal: Client) -> None:
    """Another SOAP, another body, another port, another type: a fault of SOAP, and the next call is answered."""
    soap11 = b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>'
    kind = "application/soap+xml; charset=utf-8"

    assert "soap:VersionMismatch" == portal.post("send", soap11, kind).number
    assert 415 == portal.post("send", b"{}", "application/json").status
    assert "soap:Sender" == portal.call(replace(SEND_MESSAGE, port="management")).number
    assert "soap:Sender" == portal.call(GET_STATUS_LIST).number
    assert "soap:Sender" == portal.post("management", b"<x/>", kind).number
    assert 404 == portal.call(replace(CHECK_ACCOUNT_ACTIVE, port="nowhere")).status  # type: ignore[arg-type]
    assert "" == portal.call(CHECK_ACCOUNT_ACTIVE).number


def test_everything_that_is_said_is_official(office: Office, portal: Client, reader: Client, shared: Path) -> None:
    """Requests and answers of all twelve operations, and every exception, are valid by the official schemas."""
    schema = official_schema(shared)
    office.fill(2, begin=171)
    listed = reader.status_list(most=1)
    (message_id,) = listed.listed.message_ids
    sync = office.order(173, service=SYNC_SERVICE)
    order = replace(office.order(174), delivery=DeliveryAttributes(not_before="2100-01-01T00:00:00Z"))
    lookup = write_lookup_request((ServiceQuestion(Party(OWN), XTA_SERVICE),))
    container = sample_container(173, now=utc_now())

    said = [
        listed,
        reader.status_list(form="MsgAtrributes"),
        reader.status_list(form="MessageMetaData"),
        reader.status_list(Selector(relates_to=("urn:x",))),
        reader.next_list(listed.box.request_id),
        reader.fetch(message_id),
        reader.fetch("urn:x"),
        reader.next_message(reader.status_list(most=1).box.request_id),
        reader.close(listed.box.request_id, message_id),
        reader.close("urn:x", message_id),
        portal.call(CHECK_ACCOUNT_ACTIVE),
        portal.call(CREATE_MESSAGE_ID),
        portal.call(LOOKUP_SERVICE, lookup),
        portal.send(office.order(172), container, mtom=False),
        portal.send(sync, container, SEND_MESSAGE_SYNC, mtom=False),
        portal.send(sync, container, mtom=False),
        portal.report(office.order(171).message_id),
        portal.report("urn:x"),
        reader.report(message_id),
        portal.cancel(order.message_id),
        portal.cancel(office.order(171).message_id),
        office.client("unlisted").call(CHECK_ACCOUNT_ACTIVE),
    ]

    for one in said:
        schema.assertValid(etree.fromstring(one.raw))
    for sent in (*portal.tapped, *reader.tapped):
        if sent.startswith(b"<?xml"):
            schema.assertValid(etree.fromstring(sent))
    actions = {one.envelope.addressing.action for one in said if one.envelope.addressing}
    assert 12 == len(actions - {"http://www.w3.org/2005/08/addressing/soap/fault"})
