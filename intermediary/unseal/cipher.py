"""Symmetric decryption of what XML encryption carries: GCM and CBC in the form of the OSCI digest §5."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher as Machine
from cryptography.hazmat.primitives.ciphers import algorithms as machines
from cryptography.hazmat.primitives.ciphers import modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from intermediary.core.section import pieces
from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spool import Arriving, Spool
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


def decrypt_content(
    octets: Content, key: bytes, cipher: Cipher, iv_bytes: int, spool: Spool, *, hashed: bool = True
) -> Content:
    """The same for content of any length: what is not small goes to the spool, and is content only once it is verified.

    `hashed`: the plaintext is hashed on the way, for who will ask. Raises OSError when the disk has no room.
    """
    if spool.is_small(octets.length):
        return MemoryContent(decrypt(octets.read(), key, cipher, iv_bytes))
    if len(key) != cipher.key_bytes:
        raise Undecryptable
    with spool.receive(hashed=hashed) as arriving:
        if cipher.mode == "gcm":
            _gcm_pieces(octets, key, iv_bytes, arriving)
        else:
            _cbc_pieces(octets, key, cipher, arriving)
        return arriving.finish()


def _gcm_pieces(octets: Content, key: bytes, iv_bytes: int, arriving: Arriving) -> None:
    begin, end = iv_bytes, octets.length - TAG_BYTES
    if end < begin:
        raise Undecryptable
    iv, tag = _slice(octets, 0, begin), _slice(octets, end, octets.length)
    decryptor = Machine(machines.AES(key), modes.GCM(iv)).decryptor()
    try:
        for piece in pieces(octets, begin, end):
            arriving.write(decryptor.update(piece))
        arriving.write(decryptor.finalize_with_tag(tag))
    except InvalidTag:
        raise Undecryptable from None


def _cbc_pieces(octets: Content, key: bytes, cipher: Cipher, arriving: Arriving) -> None:
    block = cipher.block_bytes
    if octets.length < 2 * block or octets.length % block:
        raise Undecryptable
    decryptor = Machine(_block_cipher(key, cipher), modes.CBC(_slice(octets, 0, block))).decryptor()
    unpadder = padding.PKCS7(block * 8).unpadder()
    for piece in pieces(octets, block):
        arriving.write(unpadder.update(decryptor.update(piece)))
    try:
        arriving.write(unpadder.update(decryptor.finalize()) + unpadder.finalize())
    except ValueError:
        raise Undecryptable from None


def _slice(octets: Content, begin: int, end: int) -> bytes:
    return b"".join(pieces(octets, begin, end))


def _block_cipher(key: bytes, cipher: Cipher) -> machines.AES | TripleDES:
    return machines.AES(key) if cipher.family == "aes" else TripleDES(key)


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
    decryptor = Machine(_block_cipher(key, cipher), modes.CBC(bytes(view[:block]))).decryptor()
    padded = decryptor.update(view[block:]) + decryptor.finalize()
    unpadder = padding.PKCS7(block * 8).unpadder()
    try:
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        raise Undecryptable from None
