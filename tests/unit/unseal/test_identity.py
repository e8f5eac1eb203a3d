"""The identity of a delivery: what an intermediary delivers again is recognised, what is different is told apart."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from intermediary.core.values import MemoryContent
from intermediary.keys.ring import Keyring
from intermediary.osci.write import Attachment, Cipher, Letter, Symmetric, seal
from intermediary.testing.pki import Pki
from intermediary.unseal.osci.message import NotDelivered, open_message, open_transport
from intermediary.unseal.policy import profile
from tests.unit.unseal.conftest import NOW

LETTER = Letter(
    message_id="portal/1",
    contents=(b"<a/>",),
    content_cipher=None,
    content_signatures=(),
    attachments=(Attachment("plan.pdf", "application/pdf", b"%PDF-1"),),
)


def identity(letter: Letter, pki: Pki, keyring: Keyring) -> str:
    raw = MemoryContent(seal(letter, parties=pki.parties, random=secrets.token_bytes, now=NOW))
    return open_transport(raw, keyring=keyring, policy=profile("osci"), at=NOW).same_sha256


@pytest.mark.parametrize(
    "again",
    [
        LETTER,
        replace(LETTER, transport_cipher=None),
        replace(LETTER, transport_signature=None),
        replace(LETTER, transport_cipher=Cipher(symmetric=Symmetric.AES128_GCM)),
        replace(LETTER, features=False),
        replace(LETTER, attachments=(replace(LETTER.attachments[0], base64=True),)),
    ],
)
def test_another_transport_is_the_same_delivery(again: Letter, pki: Pki, keyring: Keyring) -> None:
    """Fresh challenge, keys, signature, headers and transfer encoding change nothing."""
    assert identity(LETTER, pki, keyring) == identity(again, pki, keyring) != ""


@pytest.mark.parametrize(
    "other",
    [
        replace(LETTER, contents=(b"<b/>",)),
        replace(LETTER, contents=(b"<a/>", b"<a/>")),
        replace(LETTER, attachments=(Attachment("plan.pdf", "application/pdf", b"%PDF-2"),)),
        replace(LETTER, attachments=(Attachment("plan2.pdf", "application/pdf", b"%PDF-1"),)),
        replace(LETTER, attachments=()),
    ],
)
def test_other_content_is_another_delivery(other: Letter, pki: Pki, keyring: Keyring) -> None:
    """Each content, and each attachment's name and octets, count."""
    assert identity(LETTER, pki, keyring) != identity(other, pki, keyring)


def test_a_refusal_after_the_frame_can_be_answered(pki: Pki, keyring: Keyring) -> None:
    """A wrong transport signature still tells challenge and certificates: the answer can be signed and sealed."""
    raw = seal(replace(LETTER, transport_cipher=None), parties=pki.parties, random=secrets.token_bytes, now=NOW)
    broken = MemoryContent(raw.replace(b"%PDF-1", b"%PDF-0"))
    with pytest.raises(NotDelivered) as caught:
        open_message(broken, keyring=keyring, policy=profile("osci"), at=NOW)

    assert "9601" == caught.value.osci_code
    assert caught.value.message.control.challenge
    assert "CipherCertificateIntermediary" in caught.value.message.certificates
