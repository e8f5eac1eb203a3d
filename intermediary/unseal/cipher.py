"""Symmetric decryption of what XML encryption carries: GCM and CBC in the form of the OSCI digest §5."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher as Machine
from cryptography.hazmat.primitives.ciphers import algorithms as machines
from cryptography.hazmat.primitives.ciphers import modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from intermediary.unseal.algorithms import Cipher

TAG_BYTES = 16


class Undecryptable(Exception):
    """The octets do not open with this key; why is deliberately not said."""


def decrypt(octets: bytes, key: bytes, cipher: Cipher, iv_bytes: int) -> bytes:
    """The plaintext; nothing of it is released before a tag or padding is verified. Raises `Undecryptable`.

    GCM: `IV ‖ ciphertext ‖ tag`, no AAD, `iv_bytes` as declared. CBC: `IV ‖ ciphertext`, IV of one block whatever is
    declared, PKCS#7 padding.
    """
    if len(key) != cipher.key_bytes:
        raise Undecryptable
    return _gcm(octets, key, iv_bytes) if cipher.mode == "gcm" else _cbc(octets, key, cipher)


def _gcm(octets: bytes, key: bytes, iv_bytes: int) -> bytes:
    if len(octets) < iv_bytes + TAG_BYTES:
        raise Undecryptable
    view = memoryview(octets)
    try:
        return AESGCM(key).decrypt(view[:iv_bytes], view[iv_bytes:], None)
    except InvalidTag:
        raise Undecryptable from None


def _cbc(octets: bytes, key: bytes, cipher: Cipher) -> bytes:
    block = cipher.block_bytes
    if len(octets) < 2 * block or len(octets) % block:
        raise Undecryptable
    view = memoryview(octets)
    machine = machines.AES(key) if cipher.family == "aes" else TripleDES(key)
    decryptor = Machine(machine, modes.CBC(bytes(view[:block]))).decryptor()
    padded = decryptor.update(view[block:]) + decryptor.finalize()
    unpadder = padding.PKCS7(block * 8).unpadder()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise Undecryptable from None
