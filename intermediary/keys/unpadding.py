"""Takes the padding off a raw RSA block in software, for tokens that only offer the bare operation.

Written constant-time in spirit: nothing branches on what a block holds before the one last decision, every check looks at
the whole block, and the comparison is the library's. The length of the content key is known from its cipher, so there is
nothing to search for.
"""

from __future__ import annotations

import hashlib
import hmac

from intermediary.keys.private import KeyTransport


def unpad(block: bytes, transport: KeyTransport, key_bytes: int, substitute: bytes) -> bytes:
    """The last `key_bytes` bytes of what was wrapped, or `substitute` when the padding around them is not exact.

    `block` is the result of the RSA operation, as long as the modulus; `substitute` has `key_bytes` bytes.
    """
    opened = _oaep(block, transport, key_bytes) if transport.scheme == "rsa-oaep" else _pkcs1(block, key_bytes)
    return (substitute, opened[0])[opened[1]]


def _oaep(block: bytes, transport: KeyTransport, key_bytes: int) -> tuple[bytes, bool]:
    """RFC 8017 §7.1.2, empty label: `00 ‖ seed ‖ (lHash ‖ 00… ‖ 01 ‖ key)`, both halves masked."""
    empty = hashlib.new(transport.digest, b"").digest()
    size = len(empty)
    room = len(block) - 2 * size - 2 - key_bytes
    if room < 0:
        return b"", False
    masked_seed, masked = block[1 : 1 + size], block[1 + size :]
    seed = _xor(masked_seed, _mgf1(masked, size, transport.mgf))
    data = _xor(masked, _mgf1(seed, len(masked), transport.mgf))
    expected = b"\0" + empty + bytes(room) + b"\1"
    return data[-key_bytes:], hmac.compare_digest(block[:1] + data[:-key_bytes], expected)


def _pkcs1(block: bytes, key_bytes: int) -> tuple[bytes, bool]:
    """RFC 8017 §7.2.2: `00 02 ‖ at least eight bytes that are not 0 ‖ 00 ‖ key`."""
    filler = block[2 : -key_bytes - 1]
    frame = block[:2] + block[-key_bytes - 1 : -key_bytes]
    is_exact = hmac.compare_digest(frame, b"\0\2\0") & (filler.count(0) == 0) & (len(filler) >= 8)
    return block[-key_bytes:], is_exact


def _mgf1(seed: bytes, length: int, digest: str) -> bytes:
    size = hashlib.new(digest).digest_size
    rounds = range((length + size - 1) // size)
    return b"".join(hashlib.new(digest, seed + i.to_bytes(4, "big")).digest() for i in rounds)[:length]


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")
