"""The desk when something is away or broken: what the client reads, what the door shows, that nobody is told why."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured, Transient
from intermediary.core.values import Befund, Eingang, MemoryContent
from intermediary.ingress.doors import DoorRules
from intermediary.ingress.https.failures import FAILURES_PER_HOUR
from intermediary.keys.accounts import Account
from intermediary.keys.partners import Partners
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.store.records import Taken
from intermediary.testing.simulate.xta.shelf import Shelf, ShelfBoxes, ShelfSubmissions
from intermediary.testing.xta import AUTHOR, sample_container, sample_order
from intermediary.unseal.xta.entity import entity_head, read_entity
from intermediary.xta.server.allowances import Allowances
from intermediary.xta.server.calls import Answer, Arrived
from intermediary.xta.server.clients import Client
from intermediary.xta.server.desk import Desk, Naming, Waiting
from intermediary.xta.server.house import House, Standing
from intermediary.xta.server.managing import Readers
from intermediary.xta.server.records import record
from intermediary.xta.server.refusal import LATER_SECONDS
from intermediary.xta.server.settings import ServerSettings
from intermediary.xta.wire.entity import OutgoingMessage, request_addressing, write_entity
from intermediary.xta.wire.faults import read_fault
from intermediary.xta.wire.markup import leaf
from intermediary.xta.wire.metadata import write_metadata
from intermediary.xta.wire.operations import (
    CANCEL_MESSAGE,
    CLOSE,
    CREATE_MESSAGE_ID,
    GET_MESSAGE,
    GET_NEXT_MESSAGE,
    GET_NEXT_STATUS_LIST,
    GET_STATUS_LIST,
    GET_TRANSPORT_REPORT,
    SEND_MESSAGE,
    Operation,
)
from intermediary.xta.wire.report import RED

CLIENT = Client("prt:1", "00", Account((), (AUTHOR.identifier,)))


class Failing(ShelfSubmissions):
    """Submissions that fail as told."""

    failure: Exception | None = None

    def take(self, eingang: Eingang) -> Taken:
        if self.failure is not None:
            raise self.failure
        return super().take(eingang)


class Rig:
    """A desk over a folder, and what its door was told."""

    def __init__(self, folder: Path, now: datetime) -> None:
        spool = Spool(folder / "spool")
        self.now = now
        self.submissions = Failing(Shelf(folder / "sent"), spool)
        self.boxes = ShelfBoxes(Shelf(folder / "box"), "prt:1", spool)
        self.told: list[str] = []
        self.house = House(
            submissions=self.submissions,
            boxes=self.boxes,
            partners=Partners,
            marks=lambda text: (text.encode().hex() * 9,),
            check=lambda _element: (),
            offers=lambda _mandant, _service: True,
            spool=spool,
            clock=lambda: now,
            random=secrets.token_bytes,
        )
        self.desk = self.made(self.house)

    def made(self, house: House) -> Desk:
        rules = DoorRules(channel="xta", mandanten=("m",))
        tls = TlsFiles(Path("c"), Path("k"), Path("ca"))
        allowances = Allowances("xta", ServerSettings("localhost", 0, tls), ticks=lambda: 0.0)
        return Desk(house, rules, Readers(("m",), {}), Naming("demo", "demo"), allowances, on_holding=self.told.append)

    def arrived(self, operation: Operation, body: str = "", *, is_send: bool = False, seed: int = 1) -> Arrived:
        addressing = request_addressing(action=operation.action, to="", message_id="urn:uuid:1")
        message = OutgoingMessage(addressing, body=body)
        if is_send:
            order = write_metadata(sample_order(seed, now=self.now))
            message = replace(message, headers=(order,), container=sample_container(1, now=self.now))
        entity = write_entity(message, random=secrets.token_bytes)
        content = MemoryContent(entity.content.read())
        return Arrived(CLIENT, operation.port, entity.content_type, content, self.now)


@pytest.fixture
def rig(tmp_path: Path, now: datetime) -> Rig:
    return Rig(tmp_path, now)


def number(answer: Answer | Waiting | None) -> str:
    assert isinstance(answer, Answer)
    head = entity_head(answer.entity.content_type)
    fault = read_fault(read_entity(MemoryContent(head + answer.entity.content.read())))
    assert fault is not None
    return fault.error.number if fault.error is not None else fault.code


@pytest.mark.parametrize(
    ("failure", "status", "held"),
    [
        (lambda: Transient("store.unavailable"), 503, ["store.unavailable"]),
        (lambda: Misconfigured("key.unavailable"), 503, ["key.unavailable"]),
        (lambda: OSError(28, "no space"), 503, ["OSError"]),
        (lambda: ZeroDivisionError("secret"), 500, []),  # a defect of ours
    ],
)
def test_what_cannot_be_made_durable_comes_again(
    rig: Rig, failure: Callable[[], Exception], status: int, held: list[str]
) -> None:
    """9030 with a time to come again, and the door shows why; a defect says nothing of itself and holds nothing."""
    rig.submissions.failure = failure()

    answer = rig.desk.take_up(rig.arrived(SEND_MESSAGE, is_send=True))

    assert isinstance(answer, Answer)
    assert (status, "9030") == (answer.status, number(answer))
    assert (LATER_SECONDS if status == 503 else None) == answer.retry_after
    assert b"secret" not in answer.entity.content.read()
    assert held == rig.told
    rig.submissions.failure = None
    assert isinstance(rig.desk.take_up(rig.arrived(SEND_MESSAGE, is_send=True)), Waiting)
    assert "" == rig.told[-1]


def test_one_message_that_cannot_be_handed_out_holds_nothing(rig: Rig, now: datetime) -> None:
    """What is wrong with a content in the box concerns its reader; the door goes on taking."""
    rig.boxes.lay(sample_order(1, now=now), sample_container(1, now=now))

    def broken(*_: object) -> None:
        raise Misconfigured("output.changed")

    rig.boxes.content = broken  # type: ignore[assignment]
    answer = rig.desk.take_up(rig.arrived(GET_MESSAGE, "<osci:MsgBoxFetchRequest/>"))

    assert ("9030", []) == (number(answer), rig.told)


@pytest.mark.parametrize(
    ("operation", "body", "number_"),
    [
        (GET_STATUS_LIST, "<osci:MsgBoxStatusListRequest><osci:Unknown/></osci:MsgBoxStatusListRequest>", "Sender"),
        (GET_NEXT_STATUS_LIST, "<osci:MsgBoxGetNextRequest/>", "Sender"),
        (GET_MESSAGE, '<osci:MsgBoxFetchRequest MsgPart="Tail"/>', "Sender"),
        (GET_NEXT_MESSAGE, "<osci:MsgBoxGetNextRequest/>", "Sender"),
        (CLOSE, "<osci:MsgBoxCloseRequest/>", "Sender"),
        (GET_TRANSPORT_REPORT, "<wsa:MessageID><wsa:To/></wsa:MessageID>", "Sender"),
        (CANCEL_MESSAGE, "<wsa:MessageID><wsa:To/></wsa:MessageID>", "9022"),
    ],
)
def test_a_malformed_request_is_its_clients_to_heal(rig: Rig, operation: Operation, body: str, number_: str) -> None:
    """No time heals it, so it is not 9030: 9022 where the operation knows that, else a fault of SOAP as for any non-call."""
    answer = rig.desk.take_up(rig.arrived(operation, body))

    assert isinstance(answer, Answer)
    assert (400, number_, None) == (answer.status, number(answer), answer.retry_after)


def test_a_directory_that_cannot_be_read_lets_nobody_in(rig: Rig) -> None:
    """Neither open to all nor closed for good: 503."""

    def broken() -> Partners:
        raise Misconfigured("partners.invalid", where="partners.toml")

    answer = rig.made(replace(rig.house, partners=broken)).let_in("00", "management", CREATE_MESSAGE_ID.action)

    assert isinstance(answer, Answer)
    assert (503, "9030") == (answer.status, number(answer))


def test_reports_tell_of_failed_decryptions_no_oftener_than_answers(rig: Rig, now: datetime) -> None:
    """What was sent to be judged later is no way around rule R3: each counts when it is told first, and no more are told."""
    error = record(now, "xta.content.undecryptable", "")
    rig.submissions.standing = lambda *_: Standing(RED, now, errors=(error,))  # type: ignore[method-assign]
    reports = []
    for seed in range(FAILURES_PER_HOUR + 1):
        rig.desk.take_up(rig.arrived(SEND_MESSAGE, is_send=True, seed=seed))
        message_id = sample_order(seed, now=now).message_id
        reports += [rig.arrived(GET_TRANSPORT_REPORT, leaf("wsa:MessageID", message_id)) for _ in range(2)]

    statuses = [answer.status for answer in map(rig.desk.take_up, reports) if isinstance(answer, Answer)]

    last = FAILURES_PER_HOUR * 2 - 1  # told once, it is all the same whether it is told again
    assert [200] * last + [503] * 3 == statuses


def test_the_schema_has_a_word(rig: Rig) -> None:
    """What the official schema finds wrong is 9050 before anything is taken."""
    desk = rig.made(replace(rig.house, check=lambda _element: (Befund("validate.input.invalid"),)))

    assert "9050" == number(desk.take_up(rig.arrived(SEND_MESSAGE, is_send=True)))
    assert 0 == rig.submissions.count
