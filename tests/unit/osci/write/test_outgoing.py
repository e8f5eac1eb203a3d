"""What a message may say: the writer refuses what the digest forbids, before anything is signed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.osci.write import (
    OWN_FEATURES,
    Answer,
    Attachment,
    Chunk,
    Contents,
    Control,
    CryptographicStamp,
    Deposit,
    DialogRequest,
    Fetch,
    Handover,
    Inspection,
    Laufzettel,
    Outgoing,
    Package,
    Protection,
    SignatureMethod,
    Signer,
    custom_block,
    entry,
    list_certificates,
    metadata_block,
    pack_contents,
    write,
)
from intermediary.unseal.osci.partial import ChunkInformation
from intermediary.unseal.osci.selection import SelectionRule
from tests.unit.osci.write import plain

FULL = Control(response=b"r", challenge=b"c", conversation_id="1", sequence_number=0)
FEEDBACK = (entry("0801"),)
INIT = Outgoing(kind="InitDialog", control=Control(challenge=b"c"), order=DialogRequest())


@pytest.mark.parametrize(
    ("kind", "order", "reason"),
    [
        ("PostDelivery", DialogRequest(), "no such kind"),
        ("ExitDialog", Fetch(), "takes DialogRequest"),
        ("FetchDelivery", Fetch(limit=3), "has no limit"),
        ("FetchDelivery", Fetch(chunk=ChunkInformation()), "has no chunk"),
        ("PartialFetchDelivery", Fetch(), "needs chunk"),
        ("StoreDelivery", Deposit(), "needs message_id"),
        ("StoreDelivery", Deposit(message_id="a", receiver="b"), "has no receiver"),
        ("ForwardDelivery", Deposit(message_id="a"), "needs receiver"),
        ("MediateDelivery", Deposit(message_id="a"), "needs receiver"),
        ("MediateDelivery", Deposit(receiver="a", subject="b"), "subject needs a message id"),
        ("AcceptDelivery", Handover(), "needs card"),
        ("PartialStoreDelivery", Chunk(message_id=""), "needs message_id"),
        ("ResponseToExitDialog", Answer(feedback=()), "needs feedback"),
        ("ResponseToExitDialog", Answer(feedback=FEEDBACK, message_id="a"), "has no message_id"),
        ("ResponseToStoreDelivery", Answer(feedback=FEEDBACK, inside=FEEDBACK), "has no inside"),
    ],
)
def test_an_order_fits_its_kind(kind, order, reason):
    """An order of another family, with something missing or something too much is a mistake of the caller."""
    with pytest.raises(ValueError, match=reason):
        Outgoing(kind=kind, control=FULL, order=order)


@pytest.mark.parametrize(
    ("kind", "control", "reason"),
    [
        ("InitDialog", Control(), "Challenge is required"),
        ("InitDialog", FULL, "Response is forbidden"),
        ("ExitDialog", replace(FULL, conversation_id=None), "ConversationId is required"),
        ("ExitDialog", replace(FULL, sequence_number=None), "SequenceNumber is required"),
        ("ExitDialog", replace(FULL, response=b""), "Response is required"),
        ("GetMessageId", Control(challenge=b"c"), "SequenceNumber is required"),
    ],
)
def test_a_control_block_fits_its_kind(kind, control, reason):
    """What digest §7 demands of a control block or forbids is checked, and nothing else."""
    with pytest.raises(ValueError, match=reason):
        Outgoing(kind=kind, control=control, order=DialogRequest())
    assert Outgoing(kind="GetMessageId", control=Control(challenge=b"c", sequence_number=0), order=DialogRequest())


def test_only_some_carry_content():
    """A package in a message whose body is empty or an order is refused."""
    with pytest.raises(ValueError, match="carries no content"):
        replace(INIT, package=Package(None, ()))


def test_the_signer_is_the_one_of_the_role(pki, randomness):
    """A message that does not list its signer in the role that sends it is not signed by somebody else."""
    author = pki.members["author-signature"]
    missing = Protection(signer=author.key)
    listed = replace(INIT, certificates=list_certificates(originator_signature=pki.ca, authors=[author.certificate]))

    for message in (INIT, listed):
        with pytest.raises(ValueError, match="must list its signer's certificate as SignatureCertificateOriginator"):
            write(message, missing, random=randomness)


def test_nobody_signs_nothing(pki, randomness):
    """A signature without references is none; two attachments of one name are a mistake even in two containers."""
    author = pki.members["author-signature"]
    listed = list_certificates(authors=[author.certificate])
    twice = Contents(attachments=(Attachment("a", "text/plain", b"1"),))

    with pytest.raises(ValueError, match="empty container"):
        pack_contents(Contents(signers=(Signer(author.key),)), certificates=listed, random=randomness)
    with pytest.raises(ValueError, match="same name"):
        pack_contents(twice, twice, certificates=listed, random=randomness)
    with pytest.raises(LookupError, match="does not list"):
        pack_contents(Contents(data=(b"a",), readers=(pki.ca,)), certificates=listed, random=randomness)


def test_a_method_must_fit_the_key(pki, randomness):
    """An RSA key signs nothing by ECDSA."""
    signer = pki.members["originator-signature"]
    message = replace(INIT, certificates=list_certificates(originator_signature=signer.certificate))

    with pytest.raises(ValueError, match="no key for ecdsa"):
        write(message, Protection(signer=signer.key, method=SignatureMethod.ECDSA_SHA256), random=randomness)


@pytest.mark.parametrize(
    "rule",
    [
        SelectionRule(),
        SelectionRule(message_ids=("a",), received_since="2026-01-01T00:00:00+01:00"),
        SelectionRule(received_since="2026-01-01T00:00:00+01:00", modified_since="2026-01-01T00:00:00+01:00"),
    ],
)
def test_a_selection_rule_is_one_thing(randomness, rule):
    """Ids or one moment, never both and never nothing."""
    with pytest.raises(ValueError, match="either ids or one moment"):
        write(Outgoing(kind="FetchDelivery", control=FULL, order=Fetch(selection=rule)), random=randomness)


def test_sizes_are_whole_kilobytes(randomness):
    """A limit that would have to be rounded is refused."""
    with pytest.raises(ValueError, match="multiple of 1024"):
        write(replace(INIT, features=replace(OWN_FEATURES, max_chunk_bytes=1025)), random=randomness)


def test_a_challenge_comes_back_as_it_was_written(randomness):
    """Opaque text of the partner is not decoded and coded again; bytes of ours are Base64."""
    order = Answer(feedback=FEEDBACK)
    control = replace(FULL, response="a b<&", challenge=b"\xff")
    written = plain.envelope(
        write(Outgoing(kind="ResponseToGetMessageId", control=control, order=order), random=randomness)
    )

    assert ["a b<&", "/w=="] == [written.findtext(f".//osci:{name}", namespaces=plain.NS) for name in _CHALLENGES]


_CHALLENGES = ("Response", "Challenge")


def test_a_card_says_all_that_was_inspected(pki, now):
    """Every kind of result and source stands in the inspection report, time stamps plain or cryptographic."""
    one = pki.members["author-signature"].certificate
    stamp = CryptographicStamp("urn:stamp", b"token")
    card = Laufzettel(
        message_id="urn:1",
        created=stamp,
        modified=now,
        inspections=(
            Inspection(at=stamp, certificate=one, cert_type="qualified", math="corrupted", offline="invalid"),
            Inspection(at=now, certificate=one, offline="valid", online=("CRL", "revoked", "a < b")),
            Inspection(at=now, certificate=one, math="indeterminate", online=("LDAP", "ok", "")),
        ),
    )
    report = card.xml().partition("<osci:InspectionReport>")[2]

    assert 2 == card.xml().count('<osci:Cryptographic Algorithm="urn:stamp">dG9rZW4=</osci:Cryptographic>')
    assert 'RecentModification="2026-11-21T09:30:00+00:00"' in card.xml()
    assert '<osci:CertType Type="qualified"></osci:CertType><osci:MathResult Result="corrupted"></osci:MathResult>' in (
        report
    )
    assert '<osci:OnlineResult Result="revoked"><osci:CRL>a &lt; b</osci:CRL></osci:OnlineResult>' in report
    assert '<osci:OnlineResult Result="ok"><osci:LDAP></osci:LDAP></osci:OnlineResult>' in report
    assert 3 == report.count(f"<osci:X509SerialNumber>{one.serial_number}</osci:X509SerialNumber>")


def test_a_card_knows_when_it_was_modified(now):
    """A naive moment, and a card without any plain moment, are mistakes of the caller."""
    with pytest.raises(ValueError, match="aware"):
        Laufzettel(message_id="a", created=now.replace(tzinfo=None)).xml()
    with pytest.raises(ValueError, match="when it was modified"):
        Laufzettel(message_id="a", created=CryptographicStamp("urn:stamp", b"token")).xml()


def test_custom_blocks_are_signed_as_they_stand(pki, letter, randomness):
    """A block from elsewhere is taken into the header in canonical form; without Id it is refused."""
    signer = pki.members["originator-signature"]
    foreign = custom_block(b"<a:hint xmlns:a='urn:a' Id='h'><osci:x b = '1'/></a:hint>")
    message = replace(
        INIT,
        certificates=list_certificates(originator_signature=signer.certificate),
        custom=(metadata_block(letter.metadata, size=1), foreign),
    )
    written = write(message, Protection(signer=signer.key), random=randomness)
    signature = plain.envelope(written).find("soap:Header/osci:ClientSignature/ds:Signature", plain.NS)

    assert b'Id="h"><osci:x b="1"></osci:x></a:hint></soap:Header>' in written
    assert plain.is_signature_good(signature, signer.certificate, {})
    with pytest.raises(ValueError, match="needs an Id"):
        custom_block(b"<a xmlns='urn:a'/>")
