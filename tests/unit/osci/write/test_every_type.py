"""Every type of message, whatever it says: our strict reader takes it, and so do libxmlsec and signxml."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intermediary.core.values import MemoryContent
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.osci.write import Control, Deposit, Laufzettel, Protection, SignatureMethod, write
from intermediary.osci.write.markup import base64_lines
from intermediary.testing.pki import Pki
from intermediary.unseal import profile
from intermediary.unseal.osci.cards import ProcessCard
from intermediary.unseal.osci.message import OsciMessage, open_message
from intermediary.unseal.osci.names import KINDS
from intermediary.unseal.policy import Policy
from tests.unit.osci.write import plain
from tests.unit.osci.write.drafts import READERS, Draft, Plan, drafts, plans, signer_of
from tests.unit.osci.write.letters import methods
from tests.unit.osci.write.oracles import signxml_verifies

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
STRICT = replace(profile("strict"), max_key_operations=100)
OSCI = profile("osci")
LEGACY = replace(profile("legacy"), max_key_operations=100)
EXAMPLES = 25


@pytest.fixture(scope="session")
def keyring(pki: Pki) -> Keyring:
    """The keys of everybody who is written to, with the CA as anchor."""
    own = [pki.members[name] for name in (*READERS, "originator-cipher")]
    anchor = Anchor(pki.ca, frozenset({"transport", "content"}))
    return Keyring([DecryptionKey(one.private, one.certificate) for one in own], [anchor])


def _read(message: bytes, keyring: Keyring, policy: Policy) -> OsciMessage:
    return open_message(MemoryContent(message), keyring=keyring, policy=policy, at=NOW)


def _protected(draft: Draft, pki: Pki, method: SignatureMethod, *, is_signed: bool, is_encrypted: bool) -> Protection:
    recipient = "originator-cipher" if KINDS[draft.kind].is_response else "intermediary-cipher"
    return Protection(
        signer=pki.members[f"{signer_of(draft.kind)}-signature"].key if is_signed else None,
        method=method,
        recipient=pki.members[recipient].certificate if is_encrypted else None,
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), method=methods, is_signed=st.booleans(), is_encrypted=st.booleans(), seed=st.integers(0, 1000))
def test_what_was_said_is_read(pki, keyring, kind, data, method, is_signed, is_encrypted, seed):
    """Control block, order, features and signature come back from the reader as they were given to the writer."""
    draft = replace(data.draw(drafts(kind)), plans=())
    protection = _protected(draft, pki, method, is_signed=is_signed, is_encrypted=is_encrypted)
    randomness = random.Random(seed).randbytes
    message = write(draft.outgoing(pki, randomness), protection, random=randomness)
    read = _read(message, keyring, STRICT if method.family == "PSS" or not is_signed else OSCI)

    assert kind == read.opened.message_type
    assert is_encrypted == read.encrypted
    assert _control(draft) == (
        read.control.response,
        read.control.challenge,
        read.control.conversation_id,
        read.control.sequence_number,
    )
    assert _said(draft) == _order(read)
    assert draft.features == read.order.features
    assert ([] if draft.chunk is None else [draft.chunk]) == [one.content.read() for one in read.opened.attachments]
    signer = pki.members[f"{signer_of(kind)}-signature"].certificate.subject.rfc4514_string()
    assert [(signer, True, True, True, True)] * is_signed == [
        (fact.signer, fact.intact, fact.valid, fact.complete, fact.trusted) for fact in read.opened.signatures
    ]


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), method=methods, seed=st.integers(0, 1000))
def test_independent_oracles_verify_the_transport(pki, kind, data, method, seed):
    """libxmlsec and signxml verify the signature for the role that sends this kind of message, and for no other."""
    draft = data.draw(drafts(kind))
    protection = _protected(draft, pki, method, is_signed=True, is_encrypted=False)
    randomness = random.Random(seed).randbytes
    message = write(draft.outgoing(pki, randomness), protection, random=randomness)
    wire = {part.name: part.data for part in plain.split(message)[1:]}
    root = plain.envelope(message)
    side = "Supplier" if kind.startswith("ResponseTo") else "Client"
    signature = root.find(f"soap:Header/osci:{side}Signature/ds:Signature", plain.NS)
    signer = pki.members[f"{signer_of(kind)}-signature"].certificate
    other = pki.members["author-signature"].certificate

    assert 1 == list(root.find("soap:Header", plain.NS)).index(signature.getparent())
    assert plain.is_signature_good(signature, signer, wire)
    assert not plain.is_signature_good(signature, other, wire)
    assert signxml_verifies(signature, signer, wire)
    assert not signxml_verifies(signature, other, wire)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(plans(plans(plans())), min_size=1, max_size=2).map(tuple), seed=st.integers(0, 1000))
def test_contents_of_any_nesting_come_back(pki, keyring, chosen, seed):
    """Data and attachments at any depth are equal, and every author's signature is valid and complete."""
    draft = _stored(*chosen)
    randomness = random.Random(seed).randbytes
    message = write(draft.outgoing(pki, randomness), random=randomness)
    read = _read(message, keyring, LEGACY)
    expected = [_everything(plan) for plan in chosen]

    assert sorted(data for one in expected for data in one[0]) == sorted(
        part.content.read() for part in read.opened.contents
    )
    assert sorted(data for one in expected for data in one[1]) == sorted(
        part.content.read() for part in read.opened.attachments
    )
    assert sum(one[2] for one in expected) == len(read.opened.signatures)
    for fact in read.opened.signatures:
        assert (True, True, True, True) == (fact.intact, fact.valid, fact.complete, fact.trusted)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=plans(), seed=st.integers(0, 1000))
def test_independent_oracles_verify_the_content(pki, plan, seed):
    """libxmlsec and signxml verify every author's signature over data, references, readable attachments and times."""
    readers = ("reader-cipher",) if plan.readers else ()
    plan = replace(plan, readers=readers, data=tuple(b"x" + data for data in plan.data))  # signxml knows no empty data
    draft = _stored(plan)
    randomness = random.Random(seed).randbytes
    message = write(draft.outgoing(pki, randomness), random=randomness)
    box = plain.container(message, pki.members["reader-cipher"].private)
    attached = plain.attachments(message, box)

    for signature, (name, _method) in zip(box.findall("ds:Signature", plain.NS), plan.signers, strict=True):
        signer = pki.members[name].certificate
        assert plain.is_signature_good(signature, signer, attached)
        assert signxml_verifies(signature, signer, attached)


def _stored(*chosen: Plan) -> Draft:
    """A StoreDelivery with these contents."""
    control = Control(challenge=b"1234567890", sequence_number=0)
    return Draft("StoreDelivery", control, Deposit(message_id="urn:1"), None, chosen)


def _control(draft: Draft) -> tuple:
    control = draft.control
    return (
        None if control.response is None else base64_lines(control.response).strip(),
        None if control.challenge is None else base64_lines(control.challenge).strip(),
        control.conversation_id,
        control.sequence_number,
    )


def _said(draft: Draft) -> dict[str, object]:
    """What the order says, in the reader's words; empty things left out."""
    order = draft.order
    said = {one.name: getattr(order, one.name) for one in fields(order)}
    said["entries"] = said.pop("feedback", ())
    cards = said.pop("cards", ()) or tuple(card for card in (said.pop("card", None),) if card)
    said["cards"] = tuple(_card(card) for card in cards)
    if cards:
        said |= {"message_id": cards[-1].message_id, "subject": cards[-1].subject}
    if draft.kind in ("ResponseToStoreDelivery", "ResponseToForwardDelivery", "ResponseToPartialStoreDelivery"):
        said |= {"message_id": "", "subject": ""}
    if draft.kind == "ResponseToFetchProcessCard":
        said |= {"message_id": "", "subject": ""}
    said["info_only"] = draft.kind == "PartialStoreDelivery" and said["chunk"] is None
    return {name: value for name, value in said.items() if value and name not in ("creation", "reception", "card")}


def _order(read: OsciMessage) -> dict[str, object]:
    said = {one.name: getattr(read.order, one.name) for one in fields(read.order) if one.name != "features"}
    return {name: value for name, value in said.items() if value}


def _card(card: Laufzettel) -> ProcessCard:
    written = ["" if moment is None else moment.isoformat() for moment in (card.created, card.forwarded, card.received)]
    modified = [moment for moment in written if moment][-1]
    return ProcessCard(card.name, card.message_id, *written, card.subject, modified)


def _everything(plan: Plan) -> tuple[list[bytes], list[bytes], int]:
    """All data and files of a plan and of those inside it, and how many signatures there are."""
    inside = [_everything(one) for one in plan.inside]
    return (
        [*plan.data, *(data for one in inside for data in one[0])],
        [*(file.data for file in plan.files), *(data for one in inside for data in one[1])],
        len(plan.signers) + sum(one[2] for one in inside),
    )
