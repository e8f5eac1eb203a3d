"""Padding taken off in software: against the library, for every hash, and with everything broken."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from intermediary.keys.private import KeyTransport, fitting, oaep_or_pkcs1
from intermediary.keys.unpadding import unpad

HASHES = ("sha1", "sha256", "sha384", "sha512")
TRANSPORTS = [KeyTransport("rsa-1_5"), *(KeyTransport("rsa-oaep", digest, mgf) for digest in HASHES for mgf in HASHES)]
OAEP, OLD = KeyTransport("rsa-oaep"), KeyTransport("rsa-1_5")
SUBSTITUTE = b"?" * 32


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """A key of the least length that any policy lets through."""
    return rsa.generate_private_key(65537, 2048)


def raw(key: rsa.RSAPrivateKey, block: bytes) -> bytes:
    """The bare RSA operation."""
    numbers = key.private_numbers()
    return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(256, "big")


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda t: f"{t.scheme} {t.digest} {t.mgf}")
@pytest.mark.parametrize("length", [16, 24, 32])
def test_what_the_library_wraps_is_opened(key: rsa.RSAPrivateKey, transport: KeyTransport, length: int) -> None:
    """Every pair of hashes, and PKCS#1 v1.5, for every length of a content key."""
    content_key = os.urandom(length)
    block = key.public_key().encrypt(content_key, oaep_or_pkcs1(transport))

    assert content_key == unpad(raw(key, block), transport, length, b"?" * length)


@pytest.mark.parametrize("transport", [OAEP, OLD], ids=["oaep", "rsa-1_5"])
def test_every_byte_of_the_padding_counts(key: rsa.RSAPrivateKey, transport: KeyTransport) -> None:
    """A change anywhere in an OAEP block, and in the frame of a PKCS#1 block, gives the substitute."""
    good = raw(key, key.public_key().encrypt(b"k" * 32, oaep_or_pkcs1(transport)))
    places = range(256 - 32) if transport is OAEP else (0, 1, 256 - 33)
    for place in places:
        broken = good[:place] + bytes([good[place] ^ 0x55]) + good[place + 1 :]

        assert SUBSTITUTE == unpad(broken, transport, 32, SUBSTITUTE), place


@pytest.mark.parametrize("place", [2, 9, 100, 221])
def test_a_zero_in_the_filler_ends_the_padding_early(key: rsa.RSAPrivateKey, place: int) -> None:
    """A PKCS#1 block whose key would be longer than the cipher's is not taken for one of the right length."""
    good = b"\0\2" + b"\x11" * 221 + b"\0" + b"k" * 32

    assert b"k" * 32 == unpad(good, OLD, 32, SUBSTITUTE)
    assert SUBSTITUTE == unpad(good[:place] + b"\0" + good[place + 1 :], OLD, 32, SUBSTITUTE)


@pytest.mark.parametrize("transport", [OAEP, OLD], ids=["oaep", "rsa-1_5"])
@pytest.mark.parametrize("length", [0, 16, 31, 33, 48])
def test_a_key_of_another_length_is_none(key: rsa.RSAPrivateKey, transport: KeyTransport, length: int) -> None:
    """A well-padded key that does not fit the cipher counts as broken."""
    block = raw(key, key.public_key().encrypt(b"k" * length, oaep_or_pkcs1(transport)))

    assert SUBSTITUTE == unpad(block, transport, 32, SUBSTITUTE)


def test_a_filler_of_seven_bytes_is_too_short() -> None:
    """PKCS#1 v1.5 demands eight."""
    block = b"\0\2" + b"\x11" * 7 + b"\0" + b"k" * 246

    assert b"?" * 246 == unpad(block, OLD, 246, b"?" * 246)


@given(st.binary(min_size=256, max_size=256), st.sampled_from(TRANSPORTS))
def test_no_block_is_an_error(block: bytes, transport: KeyTransport) -> None:
    """Whatever a block holds, something of the right length comes out."""
    assert 32 == len(unpad(block, transport, 32, SUBSTITUTE))


@pytest.mark.parametrize("length", [0, 1, 255, 257])
def test_a_block_of_another_length_is_replaced(key: rsa.RSAPrivateKey, length: int) -> None:
    """The work is done all the same, on a block the key accepts, so that nobody measures the difference."""
    block, fits = fitting(b"\1" * length, key.public_key())

    assert not fits
    assert int.from_bytes(block, "big") < key.public_key().public_numbers().n
    assert 256 == len(block)


def test_a_block_beyond_the_modulus_is_replaced(key: rsa.RSAPrivateKey) -> None:
    """The modulus itself is too large, the number before it is not."""
    modulus = key.public_key().public_numbers().n
    last = (modulus - 1).to_bytes(256, "big")

    assert (last, True) == fitting(last, key.public_key())
    assert not fitting(modulus.to_bytes(256, "big"), key.public_key())[1]
