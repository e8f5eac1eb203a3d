"""Requests of an account that are well-formed and meant to hurt: terms beyond any calendar, ids by the hundred thousand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from intermediary.core.faults import Rejected
from intermediary.keys.spool import Spool
from intermediary.testing.pki import Pki
from intermediary.testing.xta import sample_container
from intermediary.unseal.xta.container import read_content_container
from intermediary.unseal.xta.entity import Octets
from intermediary.unseal.xta.values import DeliveryAttributes, moment_of
from intermediary.wiring import utc_now
from intermediary.xml.long import NO_TEXTS
from intermediary.xml.parser import parse
from intermediary.xta.server.iterators import MOST_KEYS, Found
from intermediary.xta.wire.box import SEARCH_ARGS_INVALID, Selector, read_status_list_request
from tests.acceptance.xta_office import Office

BEYOND = ("9999-12-31T24:00:00Z", "10000-01-01T00:00:00Z")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Iterator[Office]:
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


def test_ids_by_the_ten_thousand(office: Office) -> None:
    """More received ids than any iterator has are refused before the store is asked; nothing leaves the box by it."""
    office.fill(1, begin=911)
    reader = office.client("reader")
    listed = reader.status_list()
    (message_id,) = listed.listed.message_ids
    many = [message_id] * (MOST_KEYS + 1)

    assert "soap:Sender" == reader.next_message(listed.box.request_id, *many).number
    assert "soap:Sender" == reader.next_list(listed.box.request_id, *many).number
    assert "soap:Sender" == reader.close(listed.box.request_id, *many).number
    assert (message_id,) == reader.status_list().listed.message_ids


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
