"""Symmetric decryption: what opens, and that nothing else does."""

from __future__ import annotations

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher as Machine
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from intermediary.unseal.algorithms import CIPHERS, Cipher
from intermediary.unseal.cipher import Undecryptable, decrypt

PLAIN = b"Antrag" * 11


def key(cipher: Cipher) -> bytes:
    return bytes(range(cipher.key_bytes))


def sealed(cipher: Cipher, iv_bytes: int) -> bytes:
    if cipher.mode == "gcm":
        iv = b"i" * iv_bytes
        return iv + AESGCM(key(cipher)).encrypt(iv, PLAIN, None)
    iv = b"i" * cipher.block_bytes
    padder = padding.PKCS7(cipher.block_bytes * 8).padder()
    machine = algorithms.AES(key(cipher)) if cipher.family == "aes" else TripleDES(key(cipher))
    encryptor = Machine(machine, modes.CBC(iv)).encryptor()
    return iv + encryptor.update(padder.update(PLAIN) + padder.finalize()) + encryptor.finalize()


CASES = [(cipher, iv) for cipher in CIPHERS.values() for iv in ((12, 16) if cipher.mode == "gcm" else (12,))]


@pytest.mark.parametrize(("cipher", "iv_bytes"), CASES)
def test_opens(cipher: Cipher, iv_bytes: int) -> None:
    """Every cipher of OSCI opens in its form; for CBC the declared IV length means nothing (digest §5)."""
    assert decrypt(sealed(cipher, iv_bytes), key(cipher), cipher, iv_bytes) == PLAIN


@pytest.mark.parametrize(("cipher", "iv_bytes"), CASES)
def test_damage(cipher: Cipher, iv_bytes: int) -> None:
    """Cut, empty, a wrong key, a last bit flipped: one failure without a reason."""
    good = sealed(cipher, iv_bytes)
    broken = [b"", good[:5], good[:-1], good[: cipher.block_bytes], good[:-1] + bytes([good[-1] ^ 1])]
    for octets in broken:
        with pytest.raises(Undecryptable) as failure:
            decrypt(octets, key(cipher), cipher, iv_bytes)
        assert str(failure.value) == ""
    with pytest.raises(Undecryptable):
        decrypt(good, key(cipher)[:-1], cipher, iv_bytes)


def test_gcm_with_the_other_iv_length() -> None:
    """An IV length that was not the sender's does not open."""
    cipher = CIPHERS["http://www.w3.org/2009/xmlenc11#aes256-gcm"]

    with pytest.raises(Undecryptable):
        decrypt(sealed(cipher, 12), key(cipher), cipher, 16)
