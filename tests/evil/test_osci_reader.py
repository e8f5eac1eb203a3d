"""Attacks on the reader of OSCI messages: what is cheap to write and dear to read, and questions to a padding."""

from __future__ import annotations

import random
import re
import tracemalloc
from dataclasses import replace

import pytest

from intermediary.core.values import MemoryContent
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.osci.write import Attachment, Cipher, Letter, SignatureMethod, seal
from intermediary.osci.write.algorithms import Symmetric
from intermediary.testing.pki import Pki
from intermediary.unseal import NotOpened, profile
from intermediary.unseal.osci.message import OsciMessage, open_message
from tests.evil.forger import NOW

OPEN = Letter(
    message_id="m/1", contents=(b"<a/>",), content_cipher=None, transport_cipher=None, transport_signature=None
)
MEGABYTE = 1024 * 1024


def opened(raw: bytes, pki: Pki, policy: str = "osci") -> OsciMessage:
    own = [pki.members[name] for name in ("recipient-cipher", "reader-cipher")]
    ring = Keyring([DecryptionKey(one.private, one.certificate) for one in own])
    return open_message(MemoryContent(raw), keyring=ring, policy=profile(policy), at=NOW)


def refusal(raw: bytes, pki: Pki, policy: str = "osci") -> tuple[str, str | None]:
    with pytest.raises(NotOpened) as caught:
        opened(raw, pki, policy)
    return caught.value.code, caught.value.osci_code


def written(letter: Letter, pki: Pki) -> bytes:
    return seal(letter, parties=pki.parties, random=random.Random(7).randbytes, now=NOW)


@pytest.mark.parametrize("signed", [True, False])
def test_blocks_behind_the_end_of_a_message_are_no_question_to_its_padding(signed: bool, pki: Pki) -> None:
    """Two blocks after a message in CBC: whether the last one is padded right must not be told (rule R3)."""
    letter = replace(OPEN, transport_cipher=Cipher(Symmetric.AES256_CBC))
    if signed:
        letter = replace(letter, transport_signature=SignatureMethod.RSA_SHA256)
    raw = written(letter, pki)
    assert "m/1" == opened(raw, pki, "legacy").order.message_id
    end = raw.rindex(b"\r\n--")
    asked, answer = raw[end - 32 : end - 16], raw[end - 16 : end]
    wrong = asked[:-1] + bytes([asked[-1] ^ 0x80])

    said = [refusal(raw[:end] + one + answer + raw[end:], pki, "legacy") for one in (asked, wrong)]

    assert [("osci.transport.undecryptable", "9202")] * 2 == said


def test_a_long_id_is_not_kept_once_for_every_content(pki: Pki) -> None:
    """Places are made of the sender's ids: a long one above many contents is refused before it fills the memory."""
    raw = written(OPEN, pki)
    many = b"".join(
        b'<osci:Content><osci:Base64Content Id="c%d">QQ==</osci:Base64Content></osci:Content>' % n for n in range(2000)
    )
    found = re.search(rb'<osci:ContentContainer[^>]*?( Id="[^"]*")?>', raw)
    assert found is not None
    tag = re.sub(rb' Id="[^"]*"', b"", found.group())
    tag = tag[:-1] + b' Id="' + b"x" * 50_000 + b'">'
    end = raw.index(b"</osci:ContentContainer>")
    raw = raw[: found.start()] + tag + many + raw[end:]

    tracemalloc.start()
    try:
        code, _ = refusal(raw, pki)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert "osci.limit" == code
    assert peak < 30 * MEGABYTE


def test_a_signature_repeated_is_not_verified_without_end(pki: Pki) -> None:
    """One good signature of a sender's own, copied a thousand times, would be hashed a thousand times."""
    raw = written(replace(OPEN, attachments=(Attachment("a", "text/plain", b"x" * 1000),)), pki)
    signature = re.search(rb"<ds:Signature[ >].*?</ds:Signature>", raw, re.DOTALL)
    assert signature is not None
    copies = re.sub(rb' Id="[^"]*"', b"", signature.group()) * 1000
    raw = raw[: signature.start()] + copies + raw[signature.end() :]

    assert "osci.limit" == refusal(raw, pki)[0]


def test_a_header_full_of_certificates_is_not_read_to_its_end(pki: Pki) -> None:
    """Each certificate may have to be judged; nobody has thousands of readers."""
    raw = written(replace(OPEN, content_cipher=Cipher()), pki)
    one = re.search(rb"<osci:CipherCertificateOtherReader .*?</osci:CipherCertificateOtherReader>", raw, re.DOTALL)
    assert one is not None
    many = b"".join(re.sub(rb' Id="[^"]*"', b' Id="r%d"' % number, one.group(), count=1) for number in range(3000))

    assert "osci.limit" == refusal(raw[: one.start()] + many + raw[one.end() :], pki)[0]
