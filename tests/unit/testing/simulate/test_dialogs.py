"""The dialog rules of the simulated intermediary: challenges, numbers, conversations, and when a delivery is received."""

from __future__ import annotations

from typing import Any

import pytest

from intermediary.osci.write import DialogRequest, Fetch
from intermediary.unseal.refusal import NotOpened
from tests.unit.testing.simulate.conftest import Rig


def test_an_explicit_dialog_opens_and_closes(rig: Rig) -> None:
    """InitDialog gives a conversation of digits and a challenge; ExitDialog ends with 0800 and without one."""
    client = rig.client()
    opened = client.init()

    assert ("0801",) == opened.order.feedback
    assert opened.control.response == client.asked.challenge
    assert (opened.control.conversation_id or "").isdigit()
    assert opened.control.sequence_number is None

    closed = client.exit()

    assert ("0800",) == closed.order.feedback
    assert (client.asked.challenge, None) == (closed.control.response, closed.control.challenge)
    assert (client.conversation, 0) == (closed.control.conversation_id, closed.control.sequence_number)
    assert {} == rig.desk.books.dialogs


def test_every_answer_repeats_number_and_conversation(rig: Rig) -> None:
    """Requests are numbered from 0; each answer has the request's number, its challenge and a fresh one of its own."""
    client = rig.client()
    client.init()
    seen = {client.partner_challenge}
    for number in range(3):
        answer = client.cards()
        seen.add(answer.control.challenge)

        assert (client.conversation, number) == (answer.control.conversation_id, answer.control.sequence_number)
        assert client.asked.challenge == answer.control.response
    assert 4 == len(seen)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence_number": 1},
        {"sequence_number": 7},
        {"response": "AAAAAAAAAAAAAA=="},
        {"conversation_id": "4711"},
    ],
)
def test_a_wrong_control_block_is_a_fault_and_acknowledges_nothing(rig: Rig, wrong: dict[str, Any]) -> None:
    """9400 as a SOAP fault; the delivery stays in the box, and the dialog goes on where it was."""
    (message_id,) = rig.fill(1)
    client = rig.client()
    client.init()
    before = client.sequence, client.partner_challenge
    with pytest.raises(NotOpened) as refused:
        client.ask("FetchDelivery", Fetch(), **wrong)

    assert "9400" == refused.value.osci_code
    assert [message_id] == rig.waiting()

    client.sequence, client.partner_challenge = before

    assert ("0801",) == client.fetch().order.feedback


def test_a_dialog_belongs_to_the_one_who_opened_it(rig: Rig) -> None:
    """Another client's cipher certificate inside the dialog is 9400."""
    client, other = rig.client(), rig.client("originator")
    client.init()
    stolen = other.request(
        "FetchProcessCard",
        Fetch(),
        conversation_id=client.conversation,
        sequence_number=0,
        response=client.partner_challenge,
    )
    client.send = lambda _: rig.desk.answer(stolen).body
    with pytest.raises(NotOpened) as refused:
        client.cards()

    assert "9400" == refused.value.osci_code


def test_a_delivery_is_received_by_the_next_request_and_not_before(rig: Rig) -> None:
    """After the answer it still lies in the box without Reception; any other request of the dialog takes it away."""
    (message_id,) = rig.fill(1)
    client = rig.client()
    client.init()
    client.fetch()

    assert [message_id] == rig.waiting()
    assert rig.desk.books.cards[message_id].reception is None

    rig.pass_time(5)
    client.cards()

    assert [] == rig.waiting()
    assert rig.now == rig.desk.books.cards[message_id].reception


def test_exit_dialog_acknowledges_too(rig: Rig) -> None:
    """ExitDialog is another request in the same dialog."""
    rig.fill(1)
    client = rig.client()
    client.init()
    client.fetch()
    client.exit()

    assert [] == rig.waiting()


def test_a_dialog_left_alone_acknowledges_nothing(rig: Rig) -> None:
    """Who fetched and fell silent finds the delivery again in the next dialog."""
    (message_id,) = rig.fill(1)
    for _ in range(3):
        client = rig.client()
        client.init()

        assert message_id == client.fetch().order.message_id
    assert [message_id] == rig.waiting()


def test_a_request_with_a_broken_signature_acknowledges_nothing(rig: Rig) -> None:
    """9601 stands in an ordinary answer; what an outsider may have changed moves neither dialog nor box."""
    (message_id,) = rig.fill(1)
    client = rig.client(is_encrypted=False)
    client.init()
    client.fetch()
    send = client.send
    client.send = lambda body: send(body.replace(b'LanguagesList="de"', b'LanguagesList="en"'))
    answer = client.cards()

    assert ("9601",) == answer.order.feedback
    assert [message_id] == rig.waiting()


@pytest.mark.parametrize("kind", ["FetchDelivery", "FetchProcessCard"])
def test_a_fetch_outside_of_a_dialog_is_told_so(rig: Rig, kind: str) -> None:
    """9802: an explicit dialog is required."""
    client = rig.client(is_signed=False, is_encrypted=False)
    body = client.request(kind, Fetch(), conversation_id="4711", response="AAAA", sequence_number=0)
    outside = body.replace(b' ConversationId="4711"', b"").replace(b"<osci:Response>AAAA</osci:Response>", b"")
    client.send = lambda _: rig.desk.answer(outside).body

    assert ("9802",) == client.ask("GetMessageId", DialogRequest()).order.feedback


def test_an_implicit_dialog_has_a_conversation_in_its_answer(rig: Rig) -> None:
    """GetMessageId without InitDialog: number 0, 0800, and no dialog is left open."""
    client = rig.client()
    answer = client.ask("GetMessageId", DialogRequest())

    assert ("0800",) == answer.order.feedback
    assert 0 == answer.control.sequence_number
    assert (answer.control.conversation_id or "").isdigit()
    assert {} == rig.desk.books.dialogs


def test_an_implicit_dialog_begins_with_zero(rig: Rig) -> None:
    """Any other number without a conversation is 9400."""
    with pytest.raises(NotOpened) as refused:
        rig.client().ask("GetMessageId", DialogRequest(), sequence_number=3)

    assert "9400" == refused.value.osci_code


def test_without_a_cipher_certificate_nobody_can_be_answered(rig: Rig) -> None:
    """A first request without CipherCertificateOriginator is 9500."""
    client = rig.client(is_signed=False, is_encrypted=False)
    body = client.request("InitDialog", DialogRequest())
    begin = body.index(b"<osci:NonIntermediaryCertificates")
    end = body.index(b"</osci:NonIntermediaryCertificates>") + len(b"</osci:NonIntermediaryCertificates>")
    client.send = lambda _: rig.desk.answer(body[:begin] + body[end:]).body
    with pytest.raises(NotOpened) as refused:
        client.init()

    assert "9500" == refused.value.osci_code


def test_forgotten_dialogs_are_wrong_dialogs(rig: Rig) -> None:
    """After `forget-dialogs` a client that goes on gets 9400 and nothing is acknowledged."""
    rig.fill(1)
    client = rig.client()
    client.init()
    client.fetch()

    assert 1 == rig.desk.forget_dialogs()
    with pytest.raises(NotOpened) as refused:
        client.fetch()
    assert "9400" == refused.value.osci_code
    assert 1 == len(rig.waiting())
