"""Sending: an id first, each message at most once under it, and every ambiguity named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.osci.client.send import Posting, Sender
from intermediary.osci.client.send_chunks import make_parcel, send_parcel
from intermediary.osci.write import Answer, Attachment, Contents, Signer, entry
from intermediary.testing.pki import Pki
from intermediary.unseal.osci.message import open_message
from tests.unit.osci.client.conftest import MakeLine
from tests.unit.osci.client.partner import NOW, Reply


def posting(pki: Pki, message_id: str = "id/1", size: int = 40) -> Posting:
    """Content signed by us and sealed for a reader."""
    reader = pki.members["originator-cipher"].certificate
    signer = pki.members["recipient-signature"].key
    assert signer is not None
    contents = Contents(
        data=(b'{"status": "accepted"}',),
        attachments=(Attachment("anlage.bin", "application/octet-stream", b"\x00\xff" * size),),
        signers=(Signer(signer),),
        readers=(reader,),
    )
    return Posting(message_id=message_id, subject="Quittung", addressee=reader, contents=(contents,))


def feedback(*codes: str) -> Callable[[Reply], Reply]:
    """A twist that changes the feedback of an answer."""
    return lambda reply: replace(reply, order=replace(reply.order, feedback=tuple(entry(code) for code in codes)))


def test_store_under_a_new_id(make_line: MakeLine, pki: Pki) -> None:
    """GetMessageId, then StoreDelivery with that id, each in a dialog; the process card proves it."""
    line, fake = make_line()
    sender = Sender(line)
    own_id = sender.new_id()
    sent = sender.store(posting(pki, own_id))

    dialog = ["InitDialog", "{}", "ExitDialog"]
    assert [one.format(kind) for kind in ("GetMessageId", "StoreDelivery") for one in dialog] == fake.seen
    assert ("id/1", ("0801",), False) == (sent.message_id, sent.codes, sent.is_repeated)
    assert sent.card is not None
    (stored,) = fake.stored.values()
    assert "Quittung" == stored.order.subject
    assert all(signature.valid for signature in stored.opened.signatures)


def test_a_repetition_arrives_once(make_line: MakeLine, pki: Pki) -> None:
    """The answer was lost after the commit: the same posting again meets 9801, and the process card shows it is there."""
    line, fake = make_line()
    sender = Sender(line)
    own_id = sender.new_id()
    fake.twist(4, lambda reply: Unclear("dialog.no-answer"))
    with pytest.raises(Unclear):
        sender.store(posting(pki, own_id))
    again = sender.store(posting(pki, own_id))

    assert again.is_repeated
    assert [own_id] == list(fake.stored)
    assert ["InitDialog", "StoreDelivery", "FetchProcessCard", "ExitDialog"] == fake.seen[-4:]


def test_an_id_the_intermediary_does_not_know(make_line: MakeLine, pki: Pki) -> None:
    """9801 and no process card: nothing is there, and another id is needed."""
    line, fake = make_line()
    with pytest.raises(Transient) as caught:
        Sender(line).store(posting(pki, "erfunden"))

    assert "dialog.message-id" == caught.value.code
    assert {} == fake.stored


def test_a_forwarding_that_is_not_received_yet_is_unclear(make_line: MakeLine, pki: Pki) -> None:
    """The intermediary has it, the passive recipient may not: neither sent nor unsent."""
    line, fake = make_line()
    sender = Sender(line)
    one = replace(posting(pki, sender.new_id()), receiver="https://empfaenger.example.org/osci")
    sender.forward(one)
    with pytest.raises(Unclear):
        sender.forward(one)

    assert fake.orders[-3].receiver == one.receiver


@pytest.mark.parametrize(
    ("codes", "kind", "code"),
    [
        (("9805",), Rejected, "target.refused"),
        (("9706",), Misconfigured, "dialog.certificate.recipient"),
        (("9600",), Misconfigured, "dialog.certificate.own"),
        (("9809",), Transient, "dialog.busy"),
        (("9808",), Unclear, "dialog.no-answer"),
        (("0801", "9811"), Unclear, "dialog.no-answer"),
        (("3700",), Unclear, "dialog.no-answer"),
    ],
)
def test_a_refusal_says_who_can_heal_it(
    codes: tuple[str, ...], kind: type[Fault], code: str, make_line: MakeLine, pki: Pki
) -> None:
    """The table of verdicts decides; a warning alone is no success."""
    line, fake = make_line()
    sender = Sender(line)
    one = replace(posting(pki, sender.new_id()), receiver="https://empfaenger.example.org/osci")
    fake.twist(4, feedback(*codes))
    with pytest.raises(kind) as caught:
        sender.forward(one)

    assert code == caught.value.code


def test_delivered_although_the_intermediary_failed(make_line: MakeLine, pki: Pki) -> None:
    """9810 says that the recipient has it: that is a success."""
    line, fake = make_line()
    sender = Sender(line)
    one = replace(posting(pki, sender.new_id()), receiver="https://empfaenger.example.org/osci")
    fake.twist(4, feedback("9810"))

    assert ("9810",) == sender.forward(one).codes


@pytest.mark.parametrize("codes", [("9805",), ("3802",)])
def test_a_mediation_brings_a_reply_or_says_why_not(codes: tuple[str, ...], make_line: MakeLine, pki: Pki) -> None:
    """The recipient's content comes back; a refusal or a warning alone is a fault, and the dialog is left in order."""
    line, fake = make_line()
    one = replace(posting(pki, ""), subject="", receiver="https://empfaenger.example.org/osci")
    answer = Sender(line).mediate(one)
    reply = open_message(answer.raw, keyring=line.party.keyring, policy=line.party.policy, at=NOW, role="client")
    assert [b"<antwort/>"] == [part.content.read() for part in reply.opened.contents]

    fake.twist(4, feedback(*codes))
    with pytest.raises((Rejected, Unclear)):
        Sender(line).mediate(one)
    assert ["InitDialog", "MediateDelivery", "ExitDialog"] * 2 == fake.seen


def test_a_lost_goodbye_changes_nothing(make_line: MakeLine, pki: Pki) -> None:
    """The message was confirmed: that ExitDialog is not answered is no failure of it."""
    line, fake = make_line()
    sender = Sender(line)
    own_id = sender.new_id()
    fake.twist(5, lambda reply: Unclear("dialog.no-answer"))

    assert ("0801",) == sender.store(posting(pki, own_id)).codes


def test_a_probe_opens_and_closes(make_line: MakeLine) -> None:
    """It proves addresses and certificates, and sends nothing."""
    line, fake = make_line()
    Sender(line).probe()
    assert ["InitDialog", "ExitDialog"] == fake.seen
    fake.twist(2, lambda reply: replace(reply, order=Answer(feedback=(entry("9502"),))))
    with pytest.raises(Misconfigured):
        Sender(line).probe()


def test_a_large_message_goes_in_chunks(make_line: MakeLine, pki: Pki) -> None:
    """It is cut, sent in order and put together; the inside feedback concludes it."""
    line, fake = make_line(max_chunk_kilobytes=8)
    own_id = Sender(line).new_id()
    parcel = make_parcel(line, posting(pki, own_id, size=10_000), chunk_bytes=8 * 1024)
    sent = send_parcel(line, parcel, pause=pytest.fail)

    assert parcel.total > 2
    assert [own_id] == list(fake.stored)
    assert (own_id, ("0800",)) == (sent.message_id, sent.codes)
    asked = [one for one in fake.orders if one.message_id == own_id + "_Partial"]
    assert [True] + [False] * parcel.total == [one.info_only for one in asked]
    assert list(range(1, parcel.total + 1)) == [one.chunk.number for one in asked if one.chunk is not None]


def test_an_interrupted_parcel_goes_on(make_line: MakeLine, pki: Pki) -> None:
    """After a crash only what has not arrived is sent again, and the whole arrives once."""
    line, fake = make_line(max_chunk_kilobytes=8)
    own_id = Sender(line).new_id()
    parcel = make_parcel(line, posting(pki, own_id, size=10_000), chunk_bytes=8 * 1024)
    fake.twist(6, lambda reply: Unclear("dialog.no-answer"))
    with pytest.raises(Unclear):
        send_parcel(line, parcel, pause=pytest.fail)
    send_parcel(line, parcel, pause=pytest.fail)

    asked = [one.chunk.number for one in fake.orders if one.chunk is not None and not one.info_only]
    assert list(range(1, parcel.total + 1)) == asked
    assert [own_id] == list(fake.stored)
    assert ("0800",) == send_parcel(line, parcel, pause=pytest.fail).codes
    assert asked == [one.chunk.number for one in fake.orders if one.chunk is not None and not one.info_only]


def test_a_message_in_processing_is_asked_for(make_line: MakeLine, pki: Pki) -> None:
    """3952: the whole is being worked on; it is asked again after a pause, and given back when that takes too long."""
    line, fake = make_line(max_chunk_kilobytes=100)
    own_id = Sender(line).new_id()
    parcel = make_parcel(line, posting(pki, own_id), chunk_bytes=100 * 1024)

    def working(reply: Reply) -> Reply:
        return replace(reply, order=replace(reply.order, inside=(), feedback=(entry("0801"), entry("3952"))))

    pauses: list[float] = []
    for number in (5, 6):
        fake.twist(number, working)
    assert ("0800",) == send_parcel(line, parcel, pause=pauses.append).codes
    assert [2.0, 2.0] == pauses

    other = make_parcel(line, posting(pki, Sender(line).new_id()), chunk_bytes=100 * 1024)
    for number in range(len(fake.seen), len(fake.seen) + 20):
        fake.twist(number, lambda reply: working(reply) if "Partial" in reply.kind else reply)
    with pytest.raises(Transient) as caught:
        send_parcel(line, other, pause=pauses.append, looks=2)
    assert "dialog.busy" == caught.value.code


def test_an_intermediary_without_chunks(make_line: MakeLine, pki: Pki) -> None:
    """Nothing is announced, so nothing is cut: the operator is told."""
    line, fake = make_line()
    parcel = make_parcel(line, posting(pki), chunk_bytes=8 * 1024)
    with pytest.raises(Misconfigured) as caught:
        send_parcel(line, parcel, pause=pytest.fail)

    assert "dialog.chunks" == caught.value.code
    assert "PartialStoreDelivery" not in fake.seen
