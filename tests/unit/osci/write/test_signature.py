"""Signatures the writer makes are good in the eyes of libxmlsec."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.osci.write import Dialog, SignatureMethod, seal
from tests.unit.osci.write import plain

RSA_METHODS = [method for method in SignatureMethod if method.family != "ECDSA"]
ECDSA_METHODS = [method for method in SignatureMethod if method.family == "ECDSA"]


def _transport_signature(message):
    return plain.envelope(message).find("soap:Header/*/ds:Signature", plain.NS)


def _wire(message):
    return {part.name: part.data for part in plain.split(message)[1:]}


@pytest.mark.parametrize("method", RSA_METHODS, ids=lambda method: method.name)
def test_transport_signatures_verify(pki, letter, randomness, now, method):
    """Every reference and the value of the transport signature verify, for the intermediary's certificate only."""
    letter = replace(letter, transport_signature=method, transport_cipher=None)
    message = seal(letter, parties=pki.parties, random=randomness, now=now)
    signer, other = pki.members["intermediary-signature"], pki.members["author-signature"]

    assert plain.is_signature_good(_transport_signature(message), signer.certificate, _wire(message))
    assert not plain.is_signature_good(_transport_signature(message), other.certificate, _wire(message))


@pytest.mark.parametrize("is_open", [True, False], ids=["open", "encrypted"])
@pytest.mark.parametrize("method", RSA_METHODS, ids=lambda method: method.name)
def test_content_signatures_verify(pki, letter, randomness, now, method, is_open):
    """The author's signature verifies over decoded data, canonical references and readable attachments."""
    letter = replace(letter, content_signatures=(method,), transport_cipher=None)
    letter = replace(letter, content_cipher=None) if is_open else letter
    message = seal(letter, parties=pki.parties, random=randomness, now=now)
    box = plain.container(message, pki.members["reader-cipher"].private)
    attached = plain.attachments(message, box)

    author = pki.members["author-signature"].certificate
    assert plain.is_signature_good(box.find("ds:Signature", plain.NS), author, attached)


@pytest.mark.parametrize("method", ECDSA_METHODS, ids=lambda method: method.name)
def test_curve_signatures_verify(pki, ec_author, letter, randomness, now, method):
    """An author's ECDSA value is r and s side by side."""
    letter = replace(letter, content_signatures=(method,), transport_cipher=None)
    message = seal(letter, parties=replace(pki.parties, authors=(ec_author,)), random=randomness, now=now)
    box = plain.container(message, pki.members["reader-cipher"].private)

    attached = plain.attachments(message, box)
    assert plain.is_signature_good(box.find("ds:Signature", plain.NS), ec_author.certificate, attached)


def test_several_authors_sign_the_same_things(pki, ec_author, letter, randomness, now):
    """Parallel signatures, one by the originator itself, cover the same references and verify each for its signer."""
    methods = (SignatureMethod.RSA_SHA256, SignatureMethod.ECDSA_SHA256, SignatureMethod.PSS_SHA512)
    authors = (pki.members["author-signature"], ec_author, pki.members["originator-signature"])
    letter = replace(letter, content_signatures=methods, signing_time=now, transport_cipher=None)
    message = seal(letter, parties=replace(pki.parties, authors=authors), random=randomness, now=now)
    box = plain.container(message, pki.members["reader-cipher"].private)
    signatures = box.findall("ds:Signature", plain.NS)
    covered = [
        [reference.get("URI") for reference in signature.iterfind("ds:SignedInfo/ds:Reference", plain.NS)][:-1]
        for signature in signatures
    ]
    attached = plain.attachments(message, box)

    assert 3 == len(signatures)
    assert [covered[0]] * 3 == covered
    for signature, author in zip(signatures, authors, strict=True):
        assert plain.is_signature_good(signature, author.certificate, attached)


def test_a_signer_without_fitting_key_is_refused(pki, letter, randomness, now):
    """Nobody signs with a method their key cannot do, and no author signs twice."""
    with pytest.raises(ValueError, match="no key for ecdsa"):
        seal(
            replace(letter, content_signatures=(SignatureMethod.ECDSA_SHA256,)),
            parties=pki.parties,
            random=randomness,
            now=now,
        )
    with pytest.raises(ValueError, match="more content signatures"):
        seal(
            replace(letter, content_signatures=(SignatureMethod.RSA_SHA256,) * 2),
            parties=pki.parties,
            random=randomness,
            now=now,
        )


@pytest.mark.parametrize(
    ("message_type", "signer", "recipient"),
    [
        ("AcceptDelivery", "intermediary", "recipient"),
        ("ProcessDelivery", "intermediary", "recipient"),
        ("ResponseToFetchDelivery", "intermediary", "recipient"),
        ("StoreDelivery", "originator", "intermediary"),
        ("ForwardDelivery", "originator", "intermediary"),
    ],
)
def test_every_message_type_goes_from_one_to_the_other(pki, letter, randomness, now, message_type, signer, recipient):
    """The transport layer is signed by the client of this type and opens for its supplier, and the order is named."""
    dialog = Dialog("1234567890", 3, b"challenge!") if message_type.startswith("ResponseTo") else None
    letter = replace(letter, message_type=message_type, dialog=dialog, content_receiver="https://a.example/?b=1&c=\t")
    message = seal(letter, parties=pki.parties, random=randomness, now=now)
    inner = plain.open_transport(message, pki.members[f"{recipient}-cipher"].private)
    root = plain.envelope(inner)
    order = root.find(f"soap:Header/osci:{message_type[0].lower()}{message_type[1:]}", plain.NS)
    receiver = root.find(".//osci:ContentReceiver", plain.NS)

    certificate = pki.members[f"{signer}-signature"].certificate
    assert plain.is_signature_good(_transport_signature(inner), certificate, _wire(inner))
    assert order is not None
    assert {f"soap{message_type}.xsd"} < set(root.get(plain.SCHEMA_LOCATION).split(" "))
    assert (message_type == "ForwardDelivery") == (receiver is not None and receiver.get("URI").endswith("c=\t"))
