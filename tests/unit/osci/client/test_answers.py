"""Quittungen by OSCI: signed by us, sealed for the reader, and once although an attempt was unclear."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Misconfigured, Transient, Unclear
from intermediary.core.values import Opened
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.osci.client.answers import OsciAnswers
from intermediary.osci.client.line import Line
from intermediary.osci.write import Answer, entry
from intermediary.testing.pki import Pki
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.policy import profile
from tests.unit.osci.client.conftest import MakeLine
from tests.unit.osci.client.partner import NOW, FakeIntermediary

QUITTUNG = json.dumps({"version": 1, "quittungId": "q-1", "mandant": "musterstadt", "status": "accepted"}).encode()


def answers_by(line: Line, pki: Pki) -> OsciAnswers:
    """The way back over this line, to the originator's post box."""

    def line_of(mandant: str) -> Line:
        assert mandant == "musterstadt"
        return line

    reader = pki.members["originator-cipher"].certificate
    return OsciAnswers(line=line_of, reader=lambda: reader, mandant="musterstadt")


def hand_over(answers: OsciAnswers) -> dict[str, str]:
    """One Quittung, handed over as the worker does."""
    return dict(answers.answer(QUITTUNG, quittung_id="q-1", message_id="a/1", correlation_id="", reply_to=""))


def opened_by_reader(fake: FakeIntermediary, pki: Pki) -> Opened:
    """What the reader finds, who for this test also holds the intermediary's key."""
    own = [pki.members[name] for name in ("intermediary-cipher", "originator-cipher")]
    keyring = Keyring([DecryptionKey(one.private, one.certificate) for one in own])
    return open_message(fake.raw["id/1"], keyring=keyring, policy=profile("osci"), at=NOW).opened


def test_a_quittung_lies_in_the_post_box(make_line: MakeLine, pki: Pki) -> None:
    """Signed by the Mandant's key, encrypted for the reader alone, found by its subject; the proof names it."""
    line, fake = make_line()
    proof = hand_over(answers_by(line, pki))

    (stored,) = fake.stored.values()
    assert ("Quittung q-1", "id/1") == (stored.order.subject, stored.order.message_id)
    assert ("05999001", "id/1", "0801") == (
        proof["osci_partner"],
        proof["osci_message_id"],
        proof["osci_feedback"],
    )
    (data,) = opened_by_reader(fake, pki).contents
    assert QUITTUNG == data.content.read()
    assert ((1,),) == data.covered_by
    assert (pki.members["originator-cipher"].certificate.public_bytes(Encoding.DER),) == (
        stored.certificates["CipherCertificateAddressee"]
    )


def test_after_an_unclear_attempt_it_goes_out_under_the_same_id(make_line: MakeLine, pki: Pki) -> None:
    """The worker tries again: one Quittung lies there."""
    line, fake = make_line()
    answers = answers_by(line, pki)
    fake.twist(4, lambda reply: Unclear("dialog.no-answer"))
    with pytest.raises(Transient) as caught:
        hand_over(answers)
    proof = hand_over(answers)

    assert "receipt.unreachable" == caught.value.code
    assert ["id/1"] == list(fake.stored) == fake.issued
    assert "9801" == proof["osci_feedback"]


def test_an_id_that_is_not_accepted_is_replaced(make_line: MakeLine, pki: Pki) -> None:
    """The intermediary has forgotten the id it gave out: the next attempt asks for another."""
    line, fake = make_line()
    answers = answers_by(line, pki)
    fake.twist(4, lambda reply: (fake.stored.clear(), replace(reply, order=Answer(feedback=(entry("9801"),))))[1])
    with pytest.raises(Transient):
        hand_over(answers)
    hand_over(answers)

    assert ["id/2"] == list(fake.stored)


@pytest.mark.parametrize("code", ["9706", "9805"])
def test_what_only_people_can_heal_waits_for_them(code: str, make_line: MakeLine, pki: Pki) -> None:
    """A refused certificate or recipient is Misconfigured: it waits without using up attempts, and says where."""
    line, fake = make_line()
    fake.twist(4, lambda reply: replace(reply, order=Answer(feedback=(entry(code),))))
    with pytest.raises(Misconfigured) as caught:
        hand_over(answers_by(line, pki))

    assert code in caught.value.where


def test_a_probe_meets_what_an_answer_would(make_line: MakeLine, pki: Pki) -> None:
    """Nothing is sent; a missing reader is found."""
    line, fake = make_line()
    answers_by(line, pki).probe()
    assert ["InitDialog", "ExitDialog"] == fake.seen

    def no_reader() -> None:
        raise Misconfigured("partner.unknown", where="05999044")

    missing = OsciAnswers(line=lambda _: line, reader=no_reader, mandant="musterstadt")  # type: ignore[arg-type]
    with pytest.raises(Misconfigured):
        missing.probe()
