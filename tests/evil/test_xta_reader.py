"""The hostile corpus at the reader of XTA (doors xta.mtom and xta.soap): what fetched or handed-in messages may hold."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.testing.xta import fetched, kept, sample_order
from intermediary.unseal import NotOpened, profile, unseal
from intermediary.unseal.xta.entity import read_entity
from intermediary.unseal.xta.message import XTA_TYPE
from intermediary.unseal.xta.names import MAX_ENTITY_BYTES
from intermediary.xta.wire.entity import SealedXml
from tests.evil.corpus import FOLDER, Attack, attacks
from tests.vectors.cases import AT

FRAMES = attacks("MC", "MM", "MB")
DOCUMENTS = [one for one in attacks("XC", "XB", "XD", "XE", "EN", "IC") if one.size <= MAX_ENTITY_BYTES]
"""One is longer than any request or answer may be: the limits of both doors have tests of their own."""
SEALED = attacks("EC", "ED")
INSTRUCTIONS = "XC-010"
"""Harmless in a payload; SOAP 1.2 allows no processing instruction (part 1, 5)."""


@pytest.mark.parametrize("attack", FRAMES, ids=str)
def test_frames(attack: Attack, tmp_path: Path) -> None:
    """Controls, with an envelope of XTA in them, are taken apart; attacks are refused, from the spool as from memory."""
    data = _with_soap_1_2(attack.data)
    began = time.process_time()
    codes = {_code_of_frame(data, Spool(None)), _code_of_frame(data, Spool(tmp_path / "spool", memory_bytes=64))}
    took = time.process_time() - began

    assert 1 == len(codes)
    (code,) = codes
    assert took < 2 * attack.seconds
    if attack.expect in ("accept", "accept-neutralised"):
        assert "" == code
    elif attack.expect == "reject":
        assert code.startswith("mime.") or attack.id == "MM-026"
        assert code


@pytest.mark.parametrize("attack", DOCUMENTS, ids=str)
def test_documents(attack: Attack) -> None:
    """A well-formed document fails for not being an envelope, everything else before that; nothing is fetched."""
    began = time.process_time()
    with pytest.raises(NotOpened) as refusal:
        unseal(MemoryContent(attack.data), content_type=XTA_TYPE, keyring=Keyring(), policy=profile("osci"), at=AT)
    took = time.process_time() - began

    assert took < attack.seconds
    assert refusal.value.known is not None
    assert "" == refusal.value.known.message_id
    if attack.id == INSTRUCTIONS:
        assert "xml.malformed" == refusal.value.code
    elif attack.expect in ("accept", "schema-invalid"):
        assert ("xta.structure", "Envelope") == (refusal.value.code, refusal.value.where)
    elif attack.expect == "reject":
        assert refusal.value.code.startswith(("xml.", "mime.", "xta.structure"))


@pytest.mark.parametrize("attack", SEALED, ids=str)
def test_sealed_containers(attack: Attack) -> None:
    """What opens is refused for not being a container of XTA, as the corpus' plaintext is none; nothing else opens."""
    sealed = attack.data.decode()
    began = time.process_time()
    with pytest.raises(NotOpened) as refusal:
        unseal(
            kept(fetched(sample_order(1, now=AT), SealedXml(sealed[sealed.index("<xenc:EncryptedData") :]))),
            content_type=XTA_TYPE,
            keyring=_keyring(),
            policy=profile("osci"),
            at=AT,
        )
    took = time.process_time() - began
    found = (refusal.value.code, refusal.value.where)

    assert took < attack.seconds
    if attack.expect == "accept":
        assert ("xta.structure", "ContentContainer") == found
    elif attack.entry.get("error_class") == "decrypt-failed":
        assert ("xta.content.undecryptable", "") == found
    else:
        assert ("xta.structure", "ContentContainer") != found or attack.id == "ED-025"


def test_the_corpus_was_found(shared: Path) -> None:
    """All cases that aim at XTA are there."""
    assert (shared / "vectors" / "hostile" / "mime").is_dir()
    assert (38, 97, 27) == (len(FRAMES), len(DOCUMENTS), len(SEALED))


def _code_of_frame(data: bytes, spool: Spool) -> str:
    try:
        read_entity(MemoryContent(data), spool)
    except Rejected as refusal:
        return refusal.code
    return ""


def _with_soap_1_2(data: bytes) -> bytes:
    """The corpus' frames hold an envelope of SOAP 1.1 as text/xml; here they hold what XTA has in its place."""
    return data.replace(
        b"http://schemas.xmlsoap.org/soap/envelope/", b"http://www.w3.org/2003/05/soap-envelope"
    ).replace(b"Content-Type: text/xml", b"Content-Type: application/xop+xml")


@cache
def _keyring() -> Keyring:
    private = load_pem_private_key((FOLDER / "keys" / "enc.TESTKEY.pem").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((FOLDER / "keys" / "enc.crt.pem").read_bytes())
    return Keyring([DecryptionKey(private, certificate)])  # type: ignore[arg-type]
