"""Trouble on command: every knob does what its line says, to the requests it is meant for, as often as it was told."""

from __future__ import annotations

import pytest

from intermediary.core.values import MemoryContent
from intermediary.osci.write import Fetch
from intermediary.testing.simulate.osci.facts import Troubled
from intermediary.testing.simulate.osci.journal import entries
from intermediary.testing.simulate.osci.trouble import KNOBS, Knob, Trouble
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.policy import profile
from intermediary.unseal.refusal import NotOpened
from tests.unit.testing.simulate.client import SmallClient
from tests.unit.testing.simulate.conftest import Rig


def _in_dialog(rig: Rig, knob: str) -> SmallClient:
    client = rig.client()
    client.init()
    rig.turn(f"{knob}@FetchDelivery=next1")
    return client


@pytest.mark.parametrize(
    "words", ["delay=0.5", "delay:20=1", "fault:9503@InitDialog=next3", "drop-after@FetchDelivery=0.01"]
)
def test_knobs_are_read(words: str) -> None:
    """Name, argument, kind, and a probability or a number of times."""
    knob = Knob.parse(words)

    assert knob.name in KNOBS
    assert (knob.probability > 0) != (knob.count > 0)


@pytest.mark.parametrize("words", ["", "drop", "drop-after", "drop-after=2", "nonsense=1", "delay:x=1", "fault=next"])
def test_other_words_are_no_knobs(words: str) -> None:
    """A mistake is told, with what is allowed."""
    with pytest.raises(ValueError, match=r"knob is|probability"):
        Knob.parse(words)


def test_dice_are_seeded_and_fair() -> None:
    """The same seed makes the same trouble; 0.3 is three in ten; other kinds of request are left alone."""
    draws = [
        [bool(trouble.draw("FetchDelivery")) for _ in range(2000)]
        for trouble in (Trouble([Knob.parse("fault@FetchDelivery=0.3")], seed=5) for _ in range(2))
    ]

    assert draws[0] == draws[1]
    assert 500 < sum(draws[0]) < 700
    assert {} == Trouble([Knob.parse("fault@FetchDelivery=1")], seed=5).draw("ExitDialog")


def test_next_is_counted() -> None:
    """`next2` makes trouble twice and is used up; `calm` takes everything away."""
    trouble = Trouble([Knob.parse("plain=next2")], seed=0)

    assert [True, True, False] == [bool(trouble.draw("InitDialog")) for _ in range(3)]
    trouble.turn(Knob.parse("plain=1"))
    trouble.calm()
    assert {} == trouble.draw("InitDialog")


@pytest.mark.parametrize(
    ("knob", "name"),
    [
        ("wrong-response", "response"),
        ("wrong-conversation", "conversation_id"),
        ("wrong-sequence", "sequence_number"),
    ],
)
def test_the_control_block_lies(rig: Rig, knob: str, name: str) -> None:
    """Exactly one value of the answer is wrong, under a signature that holds; the delivery is not acknowledged."""
    (message_id,) = rig.fill(1)
    client = _in_dialog(rig, knob)
    control = client.fetch().control
    right = {
        "response": client.asked.challenge,
        "conversation_id": client.conversation,
        "sequence_number": client.asked.sequence_number,
    }

    assert {name} == {one for one, value in right.items() if getattr(control, one) != value}
    assert [message_id] == rig.waiting()


def test_an_undecryptable_answer(rig: Rig) -> None:
    """Encrypted for the client, but nobody can decrypt it."""
    rig.fill(1)
    client = _in_dialog(rig, "undecryptable")
    with pytest.raises(NotOpened) as refused:
        client.fetch()

    assert "osci.transport.undecryptable" == refused.value.code


def test_a_plain_answer_to_an_encrypted_request(rig: Rig) -> None:
    """The answer is readable for everybody."""
    rig.fill(1)

    assert not _in_dialog(rig, "plain").fetch().encrypted


def test_an_unsigned_answer_to_a_signed_request(rig: Rig) -> None:
    """The answer has no transport signature, and names no intermediary."""
    rig.fill(1)
    answer = _in_dialog(rig, "unsigned").fetch()

    assert [] == [fact for fact in answer.opened.signatures if fact.layer == "transport"]
    assert "SignatureCertificateIntermediary" not in answer.certificates


def test_a_fault_of_choice_executes_nothing(rig: Rig) -> None:
    """The code is the argument's; dialog and box are as before."""
    (message_id,) = rig.fill(1)
    client = _in_dialog(rig, "fault:9503")
    with pytest.raises(NotOpened) as refused:
        client.fetch()

    assert "9503" == refused.value.osci_code
    assert message_id == client.fetch().order.message_id


def test_delay_waits_as_long_as_it_says(rig: Rig) -> None:
    """The argument is in milliseconds."""
    _in_dialog(rig, "delay:250").fetch()

    assert [0.25] == rig.waited


def test_dropped_before_the_commit_nothing_happened(rig: Rig) -> None:
    """The connection ends; the same request again is executed."""
    rig.fill(1)
    client = _in_dialog(rig, "drop-before")
    body = client.request("FetchDelivery", Fetch())

    assert "dropped" == rig.desk.answer(body).ending
    assert "whole" == rig.desk.answer(body).ending


def test_dropped_after_the_commit_it_has_happened(rig: Rig) -> None:
    """The connection ends; the dialog has moved on, the delivery was served and is not received."""
    (message_id,) = rig.fill(1)
    client = _in_dialog(rig, "drop-after")
    reply = rig.desk.answer(client.request("FetchDelivery", Fetch()))
    (dialog,) = rig.desk.books.dialogs.values()

    assert ("dropped", b"") == (reply.ending, reply.body)
    assert (1, message_id) == (dialog.sequence, dialog.pending)
    assert [message_id] == rig.waiting()


def test_a_truncated_answer_is_a_whole_one_cut(rig: Rig) -> None:
    """The body is complete, but marked to be cut on the line."""
    rig.fill(1)
    client = _in_dialog(rig, "truncate")
    reply = rig.desk.answer(client.request("FetchDelivery", Fetch()))

    assert "truncated" == reply.ending
    assert open_message(
        MemoryContent(reply.body), keyring=client.keyring, policy=profile("osci"), at=rig.now, role="client"
    )


def test_trouble_is_on_record(rig: Rig) -> None:
    """Each piece of trouble stands in the journal with the kind of request it met."""
    rig.fill(1)
    _in_dialog(rig, "plain").fetch()
    facts = [fact for entry in entries(rig.folder) for fact in entry.facts if isinstance(fact, Troubled)]

    assert [Troubled(knob="plain", kind="FetchDelivery")] == facts
