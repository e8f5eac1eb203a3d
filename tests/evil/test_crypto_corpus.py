"""The hostile corpus at the signature and encryption core (doors osci.xmldsig and osci.xmlenc)."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from intermediary.core.faults import Rejected
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Keyring
from intermediary.keys.spool import Spool
from intermediary.unseal import xmlenc
from intermediary.unseal.cipher import Undecryptable
from intermediary.unseal.policy import Policy, profile
from intermediary.xml.long import NO_TEXTS
from intermediary.xml.parser import parse
from tests.evil.corpus import FOLDER, Attack, attacks
from tests.evil.soap_profile import verified_body

SIGNED = attacks("SC", "XS", "XT", "SA", "SK")
ENCRYPTED = attacks("EC", "ED")
OSCI_PROFILE_ONLY = {"SC-004": True, "SA-011": False}
"""Cases whose outcome depends on the profile, and whether `osci` takes them; `strict` takes none."""


def test_the_corpus_was_found(shared: Path) -> None:
    """All signature and encryption cases of the corpus are there."""
    assert (shared / "vectors" / "hostile" / "xmldsig").is_dir()
    assert (len(SIGNED), len(ENCRYPTED)) == (60, 27)


@pytest.mark.parametrize("attack", SIGNED, ids=str)
@pytest.mark.parametrize("policy", ["strict", "osci"])
def test_signature(attack: Attack, policy: str) -> None:
    """What is returned as verified holds the good payload; the evil one never is, and controls pass."""
    began = time.process_time()
    try:
        body = verified_body(attack.data, FOLDER / attack.entry["trust_anchor"], profile(policy))
    except Rejected:
        body = b""

    assert time.process_time() - began < attack.seconds
    assert b"EVIL-PAYLOAD" not in body
    if attack.expect == "accept":
        assert b"GOOD-PAYLOAD" in body
    elif attack.expect == "reject":
        assert body == b""
    elif attack.expect == "policy":
        assert bool(body) is (policy == "osci" and OSCI_PROFILE_ONLY[attack.id])


@pytest.mark.parametrize("attack", ENCRYPTED, ids=str)
def test_encryption(attack: Attack) -> None:
    """Controls open; everything else is refused before a key is used, or fails as one undecryptable thing."""
    began = time.process_time()
    try:
        plain = _decrypted(attack.data, profile("strict"))
    except (Rejected, Undecryptable):
        plain = b""

    assert time.process_time() - began < attack.seconds
    if attack.expect == "accept":
        assert b"GOOD-PAYLOAD" in plain
    else:
        assert plain == b""


REFUSED_BY_NAME = [a for a in ENCRYPTED if a.expect == "reject" and a.entry.get("error_class") == "algorithm-policy"]


@pytest.mark.parametrize("attack", REFUSED_BY_NAME, ids=str)
def test_policy_comes_before_the_key(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused algorithm costs no private-key operation."""

    def used(*_arguments: object, **_named: object) -> bytes:
        raise AssertionError("the key was used")

    monkeypatch.setattr(Keyring, "decrypt_key", used)

    with pytest.raises(Rejected) as refusal:
        _decrypted(attack.data, profile("strict"))

    assert refusal.value.code.startswith("policy.")


def _decrypted(data: bytes, policy: Policy) -> bytes:
    """One EncryptedData opened as the OSCI reader does, and its plaintext parsed on its own, twelve layers deep."""
    root = parse(data)
    for _layer in range(policy.max_layers):
        plain = _one_layer(root, policy)
        root = parse(plain)
        if root.tag != xmlenc.ENCRYPTED_DATA:
            return plain
    raise Rejected("osci.limit")


def _one_layer(root: xmlenc.Element, policy: Policy) -> bytes:
    keys = xmlenc.read_keys(root, _no_reference, policy)
    own = xmlenc.own_key(keys, _keyring(), policy, "test")
    if own is None:
        raise Rejected("osci.content.no-key")
    method = xmlenc.read_method(root, policy, "test", undeclared_iv_bytes=12)
    memory = Spool(None)
    octets = xmlenc.cipher_value(root, NO_TEXTS, memory)
    return xmlenc.decrypt(octets, own, method, _keyring(), memory).read()


def _no_reference(_uri: str) -> bytes:
    raise Rejected("osci.reference")


@cache
def _keyring() -> Keyring:
    private = load_pem_private_key((FOLDER / "keys" / "enc.TESTKEY.pem").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((FOLDER / "keys" / "enc.crt.pem").read_bytes())
    return Keyring([DecryptionKey(private, certificate)])
