"""Requests of an account that are well-formed and meant to hurt: terms beyond any calendar, ids by the hundred thousand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from intermediary.core.faults import Rejected
from intermediary.keys.spool import Spool
from intermediary.testing.pki import Pki
from intermediary.testing.xta import sample_container, seal_container
from intermediary.testing.xta_site import PORTAL, READER
from intermediary.unseal.xta.container import read_content_container
from intermediary.unseal.xta.entity import Octets
from intermediary.unseal.xta.values import DeliveryAttributes, Party, moment_of
from intermediary.wiring import utc_now, xta_passive
from intermediary.xml.long import NO_TEXTS
from intermediary.xml.parser import parse
from intermediary.xta.server.iterators import MOST_KEYS, Found
from intermediary.xta.server.settings import ServerSettings
from intermediary.xta.wire.box import SEARCH_ARGS_INVALID, Selector, read_status_list_request
from intermediary.xta.wire.entity import SealedXml
from intermediary.xta.wire.metadata import write_metadata
from intermediary.xta.wire.operations import CHECK_ACCOUNT_ACTIVE, SEND_MESSAGE
from tests.acceptance.xta_office import Client, Office, Said

FAILURES, MALFORMED = 3, 5
BEYOND = ("9999-12-31T24:00:00Z", "10000-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Office]:
    bounds = partial(ServerSettings, failures_per_hour=FAILURES, malformed_per_hour=MALFORMED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xta_passive, "ServerSettings", bounds)
        made = Office(tmp_path_factory.mktemp("evil") / "site", pki)
    yield made
    made.close()


@pytest.mark.parametrize("moment", BEYOND)
def test_a_term_beyond_any_calendar_is_no_missing_term(office: Office, moment: str) -> None:
    """What must not be handed over before the year 10000 is refused, and never handed over at once."""
    order = replace(office.order(901), delivery=DeliveryAttributes(not_before=moment))

    said = office.client("portal").send(order, sample_container(901, now=utc_now()))

    assert moment_of(moment) is None
    assert (400, "9022") == (said.status, said.number)
    assert [] == list(office.store.find())


@pytest.mark.parametrize("moment", BEYOND)
def test_a_window_beyond_any_calendar_finds_nothing(office: Office, moment: str) -> None:
    """It is told as a wrong search, not as a defect of ours."""
    said = office.client("reader").status_list(Selector(entered_to=moment))

    assert (200, SEARCH_ARGS_INVALID) == (said.status, said.box.reason)


def test_who_asks_an_oracle_is_not_answered_for_long(office: Office, pki: Pki) -> None:
    """So many times an hour an account learns that nothing can be decrypted; then sealed ones wait, all else goes on."""
    portal, other = office.client("portal"), office.client("reader")

    def sent(client: Client, number: int, author: str = PORTAL) -> Said:
        sealed = seal_container(sample_container(1, now=utc_now()), pki.members["reader-cipher"].certificate)
        spoilt = SealedXml(re.sub(r"[^=]{9}(=*)</xenc:CipherValue>(?=</xenc:CipherData></xenc:EncryptedData>)",
                                  r"AAAAAAAAA\1</xenc:CipherValue>", sealed.xml))  # fmt: skip
        order = replace(office.order(number), author=Party(author))
        return client.call(SEND_MESSAGE, headers=[write_metadata(order)], container=spoilt)

    told = [sent(portal, 1000 + number).number for number in range(FAILURES)]
    late = [sent(portal, 1000), sent(portal, 1000 + FAILURES), portal.report(office.order(1000).message_id)]

    assert ["9052"] * FAILURES == told
    assert [(503, "9030")] * 3 == [(one.status, one.number) for one in late]
    assert 0 < int(late[0].headers["retry-after"]) <= 3600 / FAILURES
    assert "" == portal.send(office.order(1100), sample_container(1100, now=utc_now())).number
    assert 0 == portal.report(office.order(1100).message_id).report.status
    assert "9052" == sent(other, 1200, READER).number
    assert "intake.decrypt.alarm" == office.door.status.code


def test_who_sends_no_calls_at_all_is_heard_no_more(office: Office) -> None:
    """So many requests an hour that are none of XTA; then the port is closed for the account before a body is read."""
    portal = office.client("portal")

    answers = [portal.post("msgbox", b"<no-call/>", "application/soap+xml") for _ in range(MALFORMED + 1)]

    assert ["soap:Sender"] * MALFORMED + ["9030"] == [one.number for one in answers]
    assert 503 == answers[-1].status
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600 / MALFORMED
    assert "" == portal.call(CHECK_ACCOUNT_ACTIVE).number
    assert "9070" == office.client("reader").fetch("urn:example:none").number


def test_ids_by_the_ten_thousand(office: Office) -> None:
    """More received ids than any iterator has are refused before the store is asked; nothing leaves the box by it."""
    office.fill(1, begin=911)
    reader = office.client("reader")
    listed = reader.status_list()
    message_id = listed.listed.message_ids[-1]
    many = [message_id] * (MOST_KEYS + 1)

    assert "soap:Sender" == reader.next_message(listed.box.request_id, *many).number
    assert "soap:Sender" == reader.next_list(listed.box.request_id, *many).number
    assert "soap:Sender" == reader.close(listed.box.request_id, *many).number
    assert listed.listed.message_ids == reader.status_list().listed.message_ids


class _Counted(str):
    """An id that counts how often it is compared."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        _Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_received_ids_are_not_compared_one_by_one() -> None:
    """What a client names costs its length, not its length times that of the list."""
    found = Found([_Counted(f"k{n}") for n in range(500)], "", 1)

    found.received([_Counted(f"x{n}") for n in range(500)] + [_Counted("k3")])

    assert 4 == found.place
    assert 5000 > _Counted.compared


def test_numbers_of_five_thousand_digits() -> None:
    """Valid by the schema, beyond what Python reads: refused, so that no box stands still for it."""
    long = "0" * 5000 + "1"
    xta, box = "http://xoev.de/transport/xta/211", "http://www.osci.eu/ws/2008/05/transport"
    message = f'<Message contentType="a" size="{long}">QUJD</Message>'
    container = parse(f'<ContentContainer xmlns="{xta}">{message}</ContentContainer>'.encode())
    request = parse(f'<MsgBoxStatusListRequest xmlns="{box}" maxListItems="{long}"/>'.encode())

    with pytest.raises(Rejected) as size:
        read_content_container(container, Octets(NO_TEXTS, {}, Spool(None)))
    with pytest.raises(Rejected) as items:
        read_status_list_request(request)

    assert ["Message/@size", "MsgBoxStatusListRequest/@maxListItems"] == [size.value.where, items.value.where]
