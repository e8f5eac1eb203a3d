"""Forwarding to a passive recipient: what it is handed, what its answers are called towards the sender."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from cryptography import x509

from intermediary.core.values import MemoryContent
from intermediary.keys.identity import SignatureKey
from intermediary.osci.write import (
    Answer,
    Contents,
    Control,
    Letter,
    Outgoing,
    Package,
    Protection,
    Signer,
    entry,
    list_certificates,
    pack_contents,
    seal,
    write,
    write_fault,
)
from intermediary.testing.simulate.osci.forwarding import Unreachable
from intermediary.unseal.osci.message import OsciMessage, open_message
from intermediary.unseal.osci.selection import SelectionRule
from intermediary.unseal.policy import profile
from tests.unit.testing.simulate.client import SmallClient
from tests.unit.testing.simulate.conftest import Rig

URI = "https://empfaenger.example/osci"
REPLY = b"<bescheid/>"


@dataclass
class Recipient:
    """A passive recipient that keeps what it is handed and answers as it is told."""

    rig: Rig
    codes: tuple[str, ...] = ("0800",)
    is_signed: bool = True
    is_encrypted: bool = True
    has_reply: bool = True
    spoil: Callable[[bytes], bytes] = lambda body: body
    calls: list[tuple[str, OsciMessage]] = field(default_factory=list)

    def __call__(self, uri: str, body: bytes) -> bytes:
        keyring = SmallClient(self.rig.pki, bytes, self.rig.random, self.rig.now).keyring
        message = open_message(
            MemoryContent(body), keyring=keyring, policy=profile("osci"), at=self.rig.now, role="passive"
        )
        self.calls.append((uri, message))
        return self.spoil(self._answer(message))

    def _answer(self, message: OsciMessage) -> bytes:
        kind = message.opened.message_type
        signer = self._key("recipient-signature")
        feedback = tuple(entry(code) for code in self.codes)
        order, package = Answer(feedback=feedback), None
        listed = list_certificates(addressee_signature=signer.certificate if self.is_signed else None)
        if kind == "ProcessDelivery":
            order = Answer(feedback=feedback, message_id=message.order.message_id_response, subject="Antwort")
            author, reader = self._key("author-signature"), self._certificate("originator-cipher")
            listed = list_certificates(
                originator_cipher=self._certificate("recipient-cipher"),
                originator_signature=signer.certificate if self.is_signed else None,
                addressee_cipher=reader,
                authors=[author.certificate],
            )
            contents = Contents(data=(REPLY,), signers=(Signer(author),), readers=(reader,))
            package = self._package(contents, listed) if self.has_reply else None
        return write(
            Outgoing(
                kind=f"ResponseTo{kind}",
                control=Control(response=message.control.challenge),
                order=order,
                certificates=listed,
                package=package,
            ),
            Protection(
                signer=signer if self.is_signed else None,
                recipient=self._certificate("intermediary-cipher") if self.is_encrypted else None,
            ),
            random=self.rig.random,
        )

    def _package(self, contents: Contents, listed: object) -> Package:
        return pack_contents(contents, certificates=listed, random=self.rig.random)  # type: ignore[arg-type]

    def _certificate(self, name: str) -> x509.Certificate:
        return self.rig.pki.members[name].certificate

    def _key(self, name: str) -> SignatureKey:
        key = self.rig.pki.members[name].key
        assert key is not None
        return key


@pytest.fixture
def recipient(rig: Rig) -> Recipient:
    """A recipient that the rig's desk reaches under every address."""
    rig.post = Recipient(rig)
    return rig.post


def _forward(rig: Rig, letter: Letter, **options: object) -> OsciMessage:
    """One letter as ForwardDelivery of the originator, in an implicit dialog."""
    client = rig.client("originator")
    sent = replace(letter, message_type="ForwardDelivery", message_id=client.new_id(), content_receiver=URI, **options)  # type: ignore[arg-type]
    body = seal(sent, parties=rig.pki.parties, random=rig.random, now=rig.now)
    return open_message(
        MemoryContent(rig.desk.answer(body).body),
        keyring=client.keyring,
        policy=profile("osci"),
        at=rig.now,
        role="client",
    )


def _mediate(rig: Rig, *, with_id: bool = True) -> OsciMessage:
    """A request to a passive recipient by MediateDelivery, with or without putting it on record."""
    client = rig.client("originator")
    client.init()
    message_id = client.new_id() if with_id else ""
    members = rig.pki.members
    listed = list_certificates(
        originator_signature=members["originator-signature"].certificate,
        addressee_cipher=members["recipient-cipher"].certificate,
        readers=[members["reader-cipher"].certificate],
        authors=[members["author-signature"].certificate],
    )
    signer = members["author-signature"].key
    assert signer is not None
    contents = Contents(
        data=(b"<anfrage/>",), signers=(Signer(signer),), readers=(members["reader-cipher"].certificate,)
    )
    package = pack_contents(contents, certificates=listed, random=rig.random)
    return client.deposit("MediateDelivery", message_id, package, receiver=URI)


def test_a_forwarded_letter_arrives_whole(rig: Rig, letter: Letter, recipient: Recipient) -> None:
    """AcceptDelivery at the address of the request: content signature valid, metadata, card with both moments."""
    answer = _forward(rig, letter)
    ((uri, message),) = recipient.calls
    (content,) = [fact for fact in message.opened.signatures if fact.layer == "content"]
    (card,) = message.order.cards

    assert URI == uri
    assert (True, True) == (content.valid, message.encrypted)
    assert [letter.contents[0]] == [part.content.read() for part in message.opened.contents]
    assert "urn:example:musterland:bewohnerparken:1.0" == message.opened.facts["service"]
    assert (rig.now.isoformat(), rig.now.isoformat(), "") == (card.creation, card.forwarding, card.reception)
    assert (("0800",), message.order.message_id) == (answer.order.feedback, answer.order.cards[0].message_id)
    assert rig.now.isoformat() == answer.order.cards[0].reception


def test_the_sender_finds_the_reception_later(rig: Rig, letter: Letter, recipient: Recipient) -> None:
    """The process card of a forwarded message is kept, over a restart too."""
    message_id = _forward(rig, letter).order.cards[0].message_id
    rig.start()
    client = rig.client("originator")
    client.init()
    (card,) = client.cards(SelectionRule(message_ids=(message_id,))).order.cards

    assert rig.now.isoformat() == card.reception


def _fault(_body: bytes) -> bytes:
    return write_fault("9100", server=False)


def _internal(_body: bytes) -> bytes:
    return write_fault("9000", server=True)


def _tampered(body: bytes) -> bytes:
    return body.replace(b"<osci:Code>0800", b"<osci:Code>0801")


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"codes": ("9811",)}, ("9805",)),
        ({"is_signed": False}, ("0800", "3802")),
        ({"is_encrypted": False}, ("0800", "3803")),
        ({"is_encrypted": False, "spoil": _tampered}, ("9807",)),
        ({"spoil": _fault}, ("9805",)),
        ({"spoil": _internal}, ("9808",)),
        ({"spoil": lambda _: b"nothing of OSCI"}, ("9810",)),
    ],
)
def test_answers_of_the_recipient_have_their_codes(
    rig: Rig, letter: Letter, recipient: Recipient, change: dict[str, object], codes: tuple[str, ...]
) -> None:
    """Refused, unsigned, in the open, tampered with, a fault, an internal error, nonsense."""
    for name, value in change.items():
        setattr(recipient, name, value)
    answer = _forward(rig, letter)

    assert codes == answer.order.feedback
    assert ("0" == codes[0][0]) == bool(answer.order.cards[0].reception)


def test_an_unreachable_recipient_is_9809(rig: Rig, letter: Letter) -> None:
    """Tried twice, then "not delivered"; the card stays without Reception."""
    tried: list[str] = []

    def nobody(uri: str, _body: bytes) -> bytes:
        tried.append(uri)
        raise Unreachable

    rig.post = nobody
    answer = _forward(rig, letter)

    assert [URI, URI] == tried
    assert (("9809",), "") == (answer.order.feedback, answer.order.cards[0].reception)


def test_an_answer_to_something_else_is_no_answer(rig: Rig, letter: Letter, recipient: Recipient) -> None:
    """The Response must be the challenge that was sent: otherwise 9810."""
    _forward(rig, letter)
    earlier = recipient._answer(recipient.calls[0][1])
    recipient.spoil = lambda _: earlier

    assert ("9810",) == _forward(rig, letter).order.feedback


def test_the_letter_is_in_the_open_if_it_came_so(rig: Rig, letter: Letter, recipient: Recipient) -> None:
    """Neither signed nor encrypted towards the recipient when the sender did neither."""
    _forward(rig, letter, transport_cipher=None, transport_signature=None)
    ((_, message),) = recipient.calls

    assert not message.encrypted
    assert {"content"} == {fact.layer for fact in message.opened.signatures}


def test_an_exchange_brings_the_reply_back(rig: Rig, recipient: Recipient) -> None:
    """ProcessDelivery with an id for the answer; the reply's content comes back with both cards."""
    answer = _mediate(rig)
    ((_, message),) = recipient.calls
    requested, replied = answer.order.cards
    (content,) = [fact for fact in answer.opened.signatures if fact.layer == "content"]

    assert ("ProcessDelivery", ("0801",)) == (message.opened.message_type, answer.order.feedback)
    assert [REPLY] == [part.content.read() for part in answer.opened.contents]
    assert content.valid
    assert ("RequestProcessCardBundle", "ReplyProcessCardBundle") == (requested.kind, replied.kind)
    assert message.order.message_id_response == replied.message_id
    assert (rig.now.isoformat(), "Antwort") == (requested.reception, replied.subject)


def test_an_exchange_off_the_record(rig: Rig, recipient: Recipient) -> None:
    """Without an id there are no cards, here or there; the reply comes back all the same."""
    answer = _mediate(rig, with_id=False)
    ((_, message),) = recipient.calls

    assert ((), ()) == (answer.order.cards, message.order.cards)
    assert [REPLY] == [part.content.read() for part in answer.opened.contents]
    assert {} == rig.desk.books.cards


def test_an_exchange_without_reply_is_9806(rig: Rig, recipient: Recipient) -> None:
    """Accepted, but nothing in the answer."""
    recipient.has_reply = False

    assert ("9806",) == _mediate(rig).order.feedback


def test_an_exchange_with_nobody_is_9809(rig: Rig) -> None:
    """The request's card comes back without Reception."""
    answer = _mediate(rig)

    assert (("9809",), [""]) == (answer.order.feedback, [card.reception for card in answer.order.cards])


def test_forwarding_needs_an_id_of_ones_own(rig: Rig, letter: Letter, recipient: Recipient) -> None:
    """9801 before anybody is called."""
    client = rig.client("originator")
    sent = replace(letter, message_type="ForwardDelivery", message_id="urn:x", content_receiver=URI)
    body = seal(sent, parties=rig.pki.parties, random=rig.random, now=rig.now)
    answer = open_message(
        MemoryContent(rig.desk.answer(body).body), keyring=client.keyring, policy=profile("osci"), at=rig.now
    )

    assert (("9801",), []) == (answer.order.feedback, recipient.calls)
