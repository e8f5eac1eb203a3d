"""The box: every message is kept once and closed when it is durable, whatever the gateway does meanwhile."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from intermediary.core.faults import Misconfigured, Transient, Unclear
from intermediary.core.values import MemoryContent
from intermediary.ingress.fetching.box import Delivery, Visit
from intermediary.ingress.taking import GivenBack
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.testing.xta import READER, sample_container, sample_order
from intermediary.unseal.xta.values import MessageMetaData, MsgIdentification, Party, ProcessId
from intermediary.xta.client import mailbox
from intermediary.xta.client.client import Fetched, XtaClient
from intermediary.xta.client.http import Address, HttpExchange, HttpLimits
from intermediary.xta.client.mailbox import MailBox, Visiting, delivery_of
from intermediary.xta.vorgang import vorgang_of
from tests.unit.testing.conftest import NOW
from tests.unit.xta.gateway import Certificates, Gateway, Trouble, after, before, plain, refuse


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
    """A gateway that shows two entries at a time."""
    with Gateway(certificates, page=2) as one:
        yield one


class Desk:
    """A box at the gateway, what was kept of it, and a clock of its own."""

    def __init__(self, gateway: Gateway, own: TlsFiles, certificates: Certificates) -> None:
        self.gateway = gateway
        spool = Spool(None)
        limits = HttpLimits(connect_seconds=5, idle_seconds=5, total_seconds=20)
        exchange = HttpExchange(
            Address(gateway.url, certificates.ca_file), own, where="test", spool=spool, limits=limits
        )
        exchanges = {"management": exchange, "send": exchange, "msgbox": exchange}
        client = XtaClient(exchanges, READER, where="test", spool=spool, random=secrets.token_bytes)  # type: ignore[arg-type]
        self.now = 0.0
        self.kept: list[Delivery] = []
        self.code = ""
        self.box = MailBox("musterstadt/1", "musterstadt", lambda: client, Visiting(most=4), ticks=lambda: self.now)

    def fill(self, count: int) -> list[str]:
        """Lay so many messages into the box."""
        return [self.gateway.put(sample_order(seed, now=NOW), sample_container(seed, now=NOW)) for seed in range(count)]

    def keep(self, delivery: Delivery) -> str:
        """Durable, unless this one cannot be kept."""
        if not self.code:
            self.kept.append(delivery)
        return self.code

    def visit(self) -> Visit:
        """One visit."""
        found = self.box.visit(self.keep)
        assert found is not None
        return found

    @property
    def ids(self) -> list[str]:
        """What was kept, in order."""
        return [one.message_id for one in self.kept]


@pytest.fixture
def desk(gateway: Gateway, own: TlsFiles, certificates: Certificates) -> Desk:
    """Our side of the box."""
    return Desk(gateway, own, certificates)


def test_a_box_is_emptied_in_its_order(desk: Desk) -> None:
    """Page by page, four in one visit; each is closed before the next one is fetched; then there is nothing."""
    ids = desk.fill(5)
    first, second, third = desk.visit(), desk.visit(), desk.visit()

    assert [Visit(4, has_more=True), Visit(1, has_more=False), Visit(0, has_more=False)] == [first, second, third]
    assert ids == desk.ids
    assert {} == desk.gateway.waiting
    seen = desk.gateway.seen
    assert ["getStatusList", "getNextStatusList"] == seen[:2]
    assert ["getMessage", "close"] * 4 == seen[2:10]


def test_nothing_is_closed_that_is_not_durable(desk: Desk) -> None:
    """While the store is away the visit ends, and everything still lies there."""
    desk.fill(2)

    def away(_delivery: Delivery) -> str:
        raise GivenBack

    with pytest.raises(GivenBack):
        desk.box.visit(away)
    assert 2 == len(desk.gateway.waiting)
    assert "close" not in desk.gateway.seen


@pytest.mark.parametrize(
    ("operation", "troubles"),
    [
        ("getStatusList", lambda _: [before(), refuse("9030")]),
        ("getNextStatusList", lambda _: [before(), refuse("9030")]),
        ("getMessage", lambda _: [before(), refuse("9030")]),
        ("getMessage", lambda _: [before(plain(503)), before(plain(500))]),
        ("getMessage", lambda _: [refuse("9070")]),
        ("close", lambda gateway: [before(), refuse("9030"), after(gateway)]),
        ("close", lambda gateway: [after(gateway), after(gateway)]),
    ],
    ids=["list", "next list", "message", "web server", "gone", "close", "close done"],
)
def test_after_any_trouble_each_message_is_there(
    operation: str, troubles: Callable[[Gateway], list[Trouble]], desk: Desk
) -> None:
    """Nothing is lost; what was not closed comes again under its id and with the same content."""
    ids = desk.fill(5)
    desk.gateway.meets(operation, *troubles(desk.gateway))
    for _ in range(8):
        try:
            desk.visit()
        except (Transient, Unclear):
            continue

    assert set(ids) == set(desk.ids)
    assert {} == desk.gateway.waiting
    assert 5 == len({(one.message_id, one.same_sha256) for one in desk.kept})


def test_a_message_that_cannot_be_read_stands_in_nobody_s_way(desk: Desk) -> None:
    """It stays in the box, all others are fetched; it is tried again, ever more seldom, and taken when it is well."""
    ids = desk.fill(3)
    order, container = desk.gateway.waiting[ids[0]]
    assert not isinstance(container, str)
    desk.gateway.waiting[ids[0]] = (replace(order, identification=MsgIdentification("urn:another")), container)
    visit = desk.visit()

    assert Visit(2, has_more=False, stuck=1) == visit
    assert ids[1:] == desk.ids
    assert [ids[0]] == list(desk.gateway.waiting)
    asked = desk.gateway.seen.count("getMessage")
    assert Visit(0, has_more=False, stuck=1) == desk.visit()
    assert asked == desk.gateway.seen.count("getMessage")
    desk.now += 61
    desk.visit()
    assert asked + 1 == desk.gateway.seen.count("getMessage")
    desk.gateway.waiting[ids[0]] = (order, container)
    desk.now += 121
    assert Visit(1, has_more=False) == desk.visit()
    assert set(ids) == set(desk.ids)


def test_a_message_that_ends_every_visit_is_passed_by(desk: Desk) -> None:
    """Three times silence on the same message: then the others come first."""
    ids = desk.fill(3)
    for _ in range(3):
        desk.gateway.meets("getMessage", before())
    for _ in range(2):
        with pytest.raises(Unclear):
            desk.visit()

    assert Visit(2, has_more=False, stuck=1) == desk.visit()
    assert ids[1:] == desk.ids


def test_a_defect_of_ours_in_reading_one_message_stops_no_box(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected of one message passes it by; the others are fetched, and it is told and tried again."""
    first, second = desk.fill(2)

    def reading(order: MessageMetaData) -> str:
        if order.message_id == first:
            raise OverflowError("synthetic")
        return ""

    monkeypatch.setattr(mailbox, "vorgang_of", reading)
    visit = desk.visit()

    assert [second] == desk.ids
    assert (1, 1) == (visit.kept, visit.stuck)
    assert [first] == list(desk.gateway.waiting)


def test_what_the_channel_refuses_stays(desk: Desk) -> None:
    """A delivery that cannot be kept, by its code, is not closed and not given up."""
    desk.fill(2)
    desk.code = "intake.size.exceeded"

    assert Visit(0, has_more=False, stuck=2) == desk.visit()
    assert 2 == len(desk.gateway.waiting)
    assert 2 == desk.box.stuck


def test_a_refused_account_ends_the_visit(desk: Desk) -> None:
    """What concerns the account is told as such and not as a message's fault."""
    desk.fill(1)
    desk.gateway.meets("getMessage", refuse("9011"))
    with pytest.raises(Misconfigured) as caught:
        desk.visit()

    assert "xta.account.locked" == caught.value.code
    assert 0 == desk.box.stuck


def test_a_stop_is_heard_between_messages(desk: Desk) -> None:
    """Nothing more is asked for, and what is durable already is closed by the next visit."""
    desk.fill(3)
    desk.box.visit(desk.keep, should_stop=lambda: bool(desk.kept))

    assert 1 == len(desk.kept)
    assert 3 == len(desk.gateway.waiting)


def test_a_delivery_names_its_way_back_and_its_vorgang(desk: Desk) -> None:
    """ReplyTo comes before the author; the process before what is answered; our account goes along."""
    desk.fill(1)
    desk.visit()
    (delivery,) = desk.kept
    order = sample_order(0, now=NOW)
    answered = MsgIdentification("urn:m", ("urn:first", "urn:second"))

    assert "VG-000000" == delivery.vorgang == delivery.correlation_id
    assert delivery.reply_to.startswith("xta:?type=xoev&id=prt%3A0000000001&")
    assert delivery.reply_to.endswith("own_type=xoev&own_id=ags%3A05999044")
    assert "urn:first" == vorgang_of(replace(order, identification=answered))
    assert "" == vorgang_of(replace(order, identification=MsgIdentification("urn:m", (), ProcessId("a\x01b"))))
    assert "" == vorgang_of(replace(order, identification=MsgIdentification("urn:m", ("u" * 257,))))
    fetched = Fetched(replace(order, reply_to=Party("prt:7", "xoev")), MemoryContent(b"x"), "0" * 64)
    assert "prt%3A7" in delivery_of(fetched, READER).reply_to
