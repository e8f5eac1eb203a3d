"""What the writer encrypts can be decrypted with plain library calls, in every combination OSCI 1.2 knows."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from intermediary.osci.write import Cipher, KeyTransport, Symmetric, seal
from intermediary.osci.write.markup import base64_lines
from tests.unit.osci.write import plain
from tests.unit.osci.write.oracles import xmlsec_decrypts


def _opened(message, pki, *, transport=True):
    inner = plain.open_transport(message, pki.members["recipient-cipher"].private) if transport else message
    box = plain.container(inner, pki.members["reader-cipher"].private)
    return plain.contents(box), plain.attachments(inner, box)


@pytest.mark.parametrize("iv_bytes", [12, 16])
@pytest.mark.parametrize("transport", list(KeyTransport), ids=lambda transport: transport.name)
@pytest.mark.parametrize("symmetric", list(Symmetric), ids=lambda symmetric: symmetric.name)
def test_every_cipher_opens_again(pki, letter, randomness, now, symmetric, transport, iv_bytes):
    """Transport, content and attachments come back byte by byte."""
    cipher = Cipher(symmetric, iv_bytes, transport)
    letter = replace(letter, content_cipher=cipher, attachment_cipher=cipher, transport_cipher=cipher)
    message = seal(letter, parties=pki.parties, random=randomness, now=now)
    expected = {attachment.name: attachment.data for attachment in letter.attachments}

    assert (list(letter.contents), expected) == _opened(message, pki)


@pytest.mark.parametrize("transport", list(KeyTransport), ids=lambda transport: transport.name)
@pytest.mark.parametrize("symmetric", list(Symmetric), ids=lambda symmetric: symmetric.name)
def test_libxmlsec_decrypts_it(pki, letter, randomness, now, symmetric, transport):
    """Transport envelope and content container are XML encryption to another implementation."""
    cipher = Cipher(symmetric, 12, transport, base64=True)
    attachment = replace(letter.attachments[0], base64=True)
    letter = replace(
        letter, content_cipher=cipher, attachment_cipher=cipher, transport_cipher=cipher, attachments=(attachment,)
    )
    message = seal(letter, parties=pki.parties, random=randomness, now=now)
    wire = {part.name: part.body for part in plain.split(message)[1:]}
    envelope = plain.envelope(message).find(".//xenc:EncryptedData", plain.NS)
    inner = xmlsec_decrypts(envelope, pki.members["recipient-cipher"].private, wire)
    package = plain.envelope(inner).find(".//osci:ContentPackage/xenc:EncryptedData", plain.NS)
    box = xmlsec_decrypts(package, pki.members["reader-cipher"].private, {})

    assert plain.open_transport(message, pki.members["recipient-cipher"].private) == inner
    assert list(letter.contents) == plain.contents(plain.etree.fromstring(box))


def test_the_transport_envelope_can_be_base64(pki, letter, randomness, now):
    """Older senders' transfer form carries the same message, in lines of 76."""
    letter = replace(letter, transport_cipher=Cipher(base64=True))
    message = seal(letter, parties=pki.parties, random=randomness, now=now)
    part = plain.split(message)[1]

    assert {"text/base64", "7bit"} < {value for _, value in part.headers}
    assert {76} == {len(line) for line in part.body.split(b"\n")[:-1]}
    assert list(letter.contents) == _opened(message, pki)[0]


def test_every_reader_can_open(pki, letter, randomness, now):
    """One symmetric key is wrapped for each reader, also when the addressee itself is one."""
    readers = (pki.members["reader-cipher"], pki.members["recipient-cipher"])
    letter = replace(letter, transport_cipher=None)
    message = seal(letter, parties=replace(pki.parties, readers=readers), random=randomness, now=now)

    for reader in readers:
        assert list(letter.contents) == plain.contents(plain.container(message, reader.private))
    with pytest.raises(LookupError):
        plain.container(message, pki.members["originator-cipher"].private)
    listed = [element.text for element in plain.envelope(message).iterfind(".//ds:X509Certificate", plain.NS)]
    assert len(listed) == len(set(listed))


def test_the_same_arguments_give_the_same_bytes(pki, letter, now):
    """Without padding that draws its own randomness, sealing is a function of its arguments."""
    letter = replace(letter, transport_cipher=None, content_cipher=None)
    once, again, other = (
        seal(letter, parties=pki.parties, random=random.Random(seed).randbytes, now=now) for seed in (1, 1, 2)
    )

    assert once == again
    assert once != other


def test_wrapped_keys_are_all_that_differs(pki, letter, now):
    """Sealed twice alike, the decrypted container is the same and so is everything but the wrapped keys."""
    letter = replace(letter, transport_signature=None, transport_cipher=None)
    boxes, ciphertexts = [], []
    for _ in range(2):
        message = seal(letter, parties=pki.parties, random=random.Random(7).randbytes, now=now)
        encrypted = plain.envelope(message).find(".//osci:ContentPackage/xenc:EncryptedData", plain.NS)
        boxes.append(plain.decrypt(encrypted, pki.members["reader-cipher"].private))
        ciphertexts.append(encrypted.findtext("xenc:CipherData/xenc:CipherValue", namespaces=plain.NS))

    assert boxes[0] == boxes[1]
    assert ciphertexts[0] == ciphertexts[1]


@pytest.mark.parametrize(
    ("length", "is_full"), [(0, False), (54, False), (55, True), (57, True), (58, False), (114, True)]
)
def test_base64_lines_end_as_the_library_ends_them(length, is_full):
    """76 columns, LF between lines, a last LF only behind a full line."""
    lines = base64_lines(bytes(length))

    assert is_full == lines.endswith("\n")
    assert all(len(line) <= 76 for line in lines.split("\n"))
