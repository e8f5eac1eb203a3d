"""Whatever comes in, the simulator answers with an OSCI message, and what it refuses changes nothing."""

from __future__ import annotations

import random as dice
from dataclasses import replace

import pytest

from intermediary.core.values import MemoryContent
from intermediary.osci.write import Dialog, DialogRequest, Fetch, seal
from intermediary.testing.pki import Pki
from intermediary.testing.samples import sample_letter
from intermediary.testing.simulate.osci.journal import JOURNAL
from intermediary.unseal.osci.message import open_message
from intermediary.unseal.policy import profile
from intermediary.unseal.refusal import NotOpened
from tests.unit.testing.simulate.conftest import Rig


def _mutated(body: bytes, seed: int) -> bytes:
    """One flipped bit, one cut, one doubled piece, or a tag that lost its end."""
    throw = dice.Random(seed)
    place = throw.randrange(len(body))
    match seed % 4:
        case 0:
            return body[:place] + bytes([body[place] ^ (1 << throw.randrange(8))]) + body[place + 1 :]
        case 1:
            return body[:place]
        case 2:
            return body[:place] + body[max(0, place - 40) :]
        case _:
            return body[:place] + body[place:].replace(b"</", b"<", 1)


@pytest.mark.parametrize("kind", ["InitDialog", "StoreDelivery", "FetchDelivery"])
def test_mutated_requests_are_answered_and_change_nothing(rig: Rig, kind: str) -> None:
    """400 mutations of a signed request in the open: each is refused by a fault or by feedback, or was not touched."""
    client = rig.client("originator", is_encrypted=False)
    if kind == "FetchDelivery":
        client.init()
    body = client.request("InitDialog", DialogRequest()) if kind == "InitDialog" else b""
    if kind == "FetchDelivery":
        body = client.request(kind, Fetch())
    if kind == "StoreDelivery":
        body = _store(rig, client.new_id())
    before = (rig.folder / JOURNAL).read_bytes()
    executed = 0
    for seed in range(400):
        answer = rig.desk.answer(_mutated(body, seed)).body
        executed += not _is_refusal(answer, rig)

    assert executed <= _journal_growth(rig, before)
    assert executed < 40


def _store(rig: Rig, message_id: str) -> bytes:
    letter = replace(
        sample_letter(1, now=rig.now), message_type="StoreDelivery", message_id=message_id, transport_cipher=None
    )
    return seal(letter, parties=rig.pki.parties, random=rig.random, now=rig.now)


def _is_refusal(answer: bytes, rig: Rig) -> bool:
    keyring = rig.client("originator").keyring
    try:
        message = open_message(MemoryContent(answer), keyring=keyring, policy=profile("osci"), at=rig.now)
    except NotOpened as refusal:
        assert refusal.code == "osci.fault-received", refusal.code
        return True
    return any(code.startswith("9") for code in message.order.feedback)


def _journal_growth(rig: Rig, before: bytes) -> int:
    after = (rig.folder / JOURNAL).read_bytes()
    assert after.startswith(before)
    return after[len(before) :].count(b"\n")


@pytest.mark.parametrize("kind", ["AcceptDelivery", "ResponseToFetchDelivery"])
def test_what_is_no_request_to_an_intermediary_is_refused(rig: Rig, pki: Pki, kind: str) -> None:
    """9300 for a message of a passive recipient's and for an answer."""
    letter = replace(
        sample_letter(1, now=rig.now),
        message_type=kind,
        transport_cipher=None,
        dialog=Dialog("1", 0, b"x" * 10) if kind.startswith("Resp") else None,
    )
    answer = rig.desk.answer(seal(letter, parties=pki.parties, random=rig.random, now=rig.now)).body

    assert b"<osci:Code>9300</osci:Code>" in answer


def test_what_is_for_somebody_else_cannot_be_read(rig: Rig, pki: Pki) -> None:
    """9200 when the transport encryption is not for the intermediary."""
    client = rig.client()
    members = dict(pki.members) | {"intermediary-cipher": pki.members["originator-cipher"]}
    client.pki = Pki(pki.ca, members)

    assert b"<osci:Code>9200</osci:Code>" in rig.desk.answer(client.request("InitDialog", DialogRequest())).body
