"""Post boxes and process cards: storing, fetching by rule, what is carried, what the cards say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.osci.write import Cipher, Letter, SignatureMethod
from intermediary.testing.simulate.osci.filling import NotStored
from intermediary.unseal.osci.message import OsciMessage
from intermediary.unseal.osci.selection import SelectionRule
from tests.unit.testing.simulate.conftest import Rig


def _fetched(rig: Rig, letter: Letter, **options: bool) -> OsciMessage:
    rig.store(letter)
    client = rig.client(**options)
    client.init()
    return client.fetch()


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("signed_by", [SignatureMethod.RSA_SHA256, SignatureMethod.PSS_SHA512])
def test_content_travels_byte_for_byte(rig: Rig, letter: Letter, *, is_open: bool, signed_by: SignatureMethod) -> None:
    """What was stored comes out with its content signature valid and complete, container encrypted or in the open."""
    letter = replace(letter, content_cipher=None if is_open else letter.content_cipher, content_signatures=(signed_by,))
    opened = _fetched(rig, letter).opened
    (content,) = [fact for fact in opened.signatures if fact.layer == "content"]

    assert (True, True, True, True) == (content.intact, content.valid, content.complete, content.trusted)
    assert [letter.contents[0]] == [part.content.read() for part in opened.contents]
    assert [one.data for one in letter.attachments] == [part.content.read() for part in opened.attachments]
    assert [one.name for one in letter.attachments] == [part.name for part in opened.attachments]


def test_headers_of_the_sender_travel_along(rig: Rig, letter: Letter) -> None:
    """The metadata block and the subject reach the recipient; the card names the id the intermediary gave."""
    message = _fetched(rig, letter)

    assert letter.metadata is not None
    assert letter.metadata.service == message.opened.facts["service"]
    assert letter.subject == message.opened.subject
    assert rig.waiting() == [message.opened.message_id]


def test_the_answer_is_protected_as_the_request_was(rig: Rig, letter: Letter) -> None:
    """Signed and encrypted, only signed, only encrypted, neither."""
    for is_signed in (True, False):
        for is_encrypted in (True, False):
            message = _fetched(rig, letter, is_signed=is_signed, is_encrypted=is_encrypted)
            transport = [fact for fact in message.opened.signatures if fact.layer == "transport"]

            assert is_encrypted == message.encrypted
            assert [True] * is_signed == [fact.valid and fact.complete for fact in transport]


def test_the_oldest_delivery_comes_first_and_more_are_announced(rig: Rig) -> None:
    """Without a rule the intermediary chooses; 3800 as long as another one waits behind it; then 9803."""
    ids = rig.fill(3)
    client = rig.client()
    client.init()
    answers = [client.fetch() for _ in range(4)]

    assert [*ids, ""] == [answer.order.message_id for answer in answers]
    assert [("0801", "3800"), ("0801", "3800"), ("0801",), ("9803",)] == [one.order.feedback for one in answers]


def test_a_delivery_is_fetched_by_its_id(rig: Rig) -> None:
    """The rule is repeated in the answer; an id that is not in the box is 9803."""
    ids = rig.fill(3)
    client = rig.client()
    client.init()
    answer = client.fetch(ids[1])

    assert ids[1] == answer.order.message_id
    assert SelectionRule(message_ids=(ids[1],)) == answer.order.selection
    assert ("9803",) == client.fetch("urn:gibt:es:nicht").order.feedback
    assert [ids[0], ids[2]] == rig.waiting()


def test_deliveries_are_fetched_by_date(rig: Rig) -> None:
    """ "Received since" leaves older ones in the box."""
    rig.fill(1)
    rig.pass_time(3600)
    (later,) = rig.fill(1)
    client = rig.client()
    client.init()

    assert later == client.fetch(since=rig.now.isoformat()).order.message_id
    rig.pass_time(3600)
    assert ("9803",) == client.fetch(since=rig.now.isoformat()).order.feedback


def test_boxes_are_private(rig: Rig) -> None:
    """The sender's own box is empty, whatever lies in the recipient's."""
    (message_id,) = rig.fill(1)
    client = rig.client("originator")
    client.init()

    assert ("9803",) == client.fetch().order.feedback
    assert ("9803",) == client.fetch(message_id).order.feedback


def test_an_id_is_used_once_and_by_its_owner(rig: Rig, letter: Letter) -> None:
    """9800 without an id, 9801 for one that was not issued, is somebody else's, or is used up."""
    foreign = rig.client().new_id()
    used = rig.store(letter).order.cards[0].message_id
    for message_id in (foreign, used, "urn:selbst:gemacht"):
        rig_filler = rig.filler
        rig_filler.new_id = lambda message_id=message_id: message_id  # type: ignore[method-assign]
        with pytest.raises(NotStored, match="9801"):
            rig_filler.store(letter)


def test_the_card_of_a_store_says_when(rig: Rig, letter: Letter) -> None:
    """ResponseToStoreDelivery has the card with Creation alone, and its inspections name the certificates."""
    answer = rig.store(letter)
    (card,) = answer.order.cards

    assert ("0800",) == answer.order.feedback
    assert (rig.now.isoformat(), "", "") == (card.creation, card.forwarding, card.reception)
    assert letter.subject == card.subject


def test_cards_follow_a_delivery(rig: Rig) -> None:
    """Creation, then Forwarding when it goes out, then Reception with the next request; sender and recipient see it."""
    created = rig.now
    (message_id,) = rig.fill(1)
    rig.pass_time(10)
    client = rig.client()
    client.init()
    forwarded = rig.now
    (shown,) = client.fetch().order.cards

    assert (created.isoformat(), forwarded.isoformat(), "") == (shown.creation, shown.forwarding, shown.reception)

    rig.pass_time(10)
    (seen,) = client.cards(SelectionRule(message_ids=(message_id,))).order.cards
    sender = rig.client("originator")
    sender.init()
    (proof,) = sender.cards().order.cards

    assert (created.isoformat(), forwarded.isoformat()) == (seen.creation, seen.forwarding)
    assert (rig.now.isoformat(), rig.now.isoformat()) == (seen.reception, seen.modified)
    assert proof == seen


def test_cards_are_chosen_by_role_reception_and_change(rig: Rig) -> None:
    """Role, NoReception and "modified since" narrow the cards; none is 9804, more than the limit 3801."""
    ids = rig.fill(3)
    since = rig.now.isoformat()
    client = rig.client()
    client.init()
    client.fetch(ids[0])
    rig.pass_time(60)
    everything = client.cards()
    unseen = client.cards(SelectionRule(received_since=since, role="Addressee", no_reception=True))
    changed = client.cards(SelectionRule(modified_since=rig.now.isoformat()))
    first = client.cards(limit=2)

    assert {*ids} == {card.message_id for card in everything.order.cards}
    assert {*ids[1:]} == {card.message_id for card in unseen.order.cards}
    assert [ids[0]] == [card.message_id for card in changed.order.cards]
    assert (2, 2, ("0801", "3801")) == (len(first.order.cards), first.order.limit, first.order.feedback)
    assert ("9804",) == client.cards(SelectionRule(received_since=since, role="Originator")).order.feedback


def test_out_of_date_certificates_are_said(rig: Rig, letter: Letter) -> None:
    """Executed all the same; 3500, 3700 and the like beside 0800 say which certificates are out of their period."""
    rig.now = rig.pki.ca.not_valid_after_utc.replace(year=rig.pki.ca.not_valid_after_utc.year + 1)
    answer = rig.store(letter)

    assert ("0800", "3500", "3700", "3701", "3705", "3706") == answer.order.feedback
    assert 1 == len(rig.waiting())


def test_old_partners_get_what_they_can_read(rig: Rig, letter: Letter) -> None:
    """A request in CBC from a partner that announces GCM is answered in AES-256-GCM."""
    answer = rig.store(replace(letter, transport_cipher=Cipher(symmetric=_CBC)))

    assert "http://www.w3.org/2009/xmlenc11#aes256-gcm" in answer.opened.algorithms


_CBC = next(one for one in type(Cipher().symmetric) if one.name == "AES256_CBC")
