"""How a key transport is done on tokens that SoftHSM is not: by what a made-up token says to good and bad blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pkcs11.mechanisms import Mechanism
from pkcs11.types import DecryptMixin

from intermediary.core.faults import Misconfigured, Transient
from intermediary.keys import tokens
from intermediary.keys.pkcs11 import TokenReaderKey
from intermediary.keys.pkcs11_uri import KeyUri
from intermediary.keys.private import KeyTransport, oaep_or_pkcs1
from tests.unit.keys.certificates import certificate_of

OAEP, OLD = KeyTransport("rsa-oaep"), KeyTransport("rsa-1_5")
CONTENT_KEY = b"k" * 32


class MadeUpKey(DecryptMixin):
    """Decrypts as told: `own` by its own padding, `raw` the bare operation; a wrong block is said by `refusal`."""

    __slots__ = ("asked", "is_gone", "looks", "own", "private", "raw", "refusal")

    def __init__(self, private: rsa.RSAPrivateKey, *, own: bool, raw: bool, refusal: type[Exception]) -> None:
        self.private, self.own, self.raw, self.refusal = private, own, raw, refusal
        self.asked: list[Mechanism] = []
        self.is_gone = False
        self.looks = 0

    def decrypt(self, data: Any, **kwargs: Any) -> bytes:
        """See `DecryptMixin`."""
        mechanism = kwargs["mechanism"]
        self.asked.append(mechanism)
        if self.is_gone:
            raise pkcs11.DeviceError
        if mechanism is Mechanism.RSA_X_509:
            if not self.raw:
                raise pkcs11.MechanismInvalid
            numbers = self.private.private_numbers()
            whole = pow(int.from_bytes(data, "big"), numbers.d, numbers.public_numbers.n)
            return whole.to_bytes(256, "big").lstrip(b"\0")  # some tokens leave leading zeros out
        if not self.own:
            raise pkcs11.MechanismParamInvalid
        transport = OLD if mechanism is Mechanism.RSA_PKCS else OAEP
        try:
            return self.private.decrypt(data, oaep_or_pkcs1(transport))
        except ValueError:
            raise self.refusal from None

    def __getitem__(self, _attribute: object) -> int:
        self.looks += 1
        if self.is_gone:
            raise pkcs11.DeviceRemoved
        return 0


class Session:
    """Nothing to close."""

    def close(self) -> None:
        """See `pkcs11.Session`."""


Using = Callable[[MadeUpKey], TokenReaderKey]


@pytest.fixture
def using(monkeypatch: pytest.MonkeyPatch, other_key: rsa.RSAPrivateKey) -> Using:
    """A reader's key whose token is the made-up one."""

    def make(key: MadeUpKey) -> TokenReaderKey:
        def opened(module: Any, *_: object) -> tuple[Any, Any]:
            login = tokens._Login(Session(), b"", key)
            module.logins[b"", "x"] = login
            return key, login

        monkeypatch.setattr(tokens._Module, "open", opened)
        uri = KeyUri(token="x", label="y")
        return TokenReaderKey(uri, "/no/such.so", None, certificate_of(other_key), where="y on x")

    return make


def sealed(key: rsa.RSAPrivateKey, transport: KeyTransport = OAEP) -> bytes:
    return key.public_key().encrypt(CONTENT_KEY, oaep_or_pkcs1(transport))


@pytest.mark.parametrize(
    ("own", "raw", "refusal", "transport", "expected"),
    [
        (True, True, pkcs11.EncryptedDataInvalid, OAEP, Mechanism.RSA_PKCS_OAEP),
        (True, False, pkcs11.EncryptedDataInvalid, OAEP, Mechanism.RSA_PKCS_OAEP),
        (False, True, pkcs11.EncryptedDataInvalid, OAEP, Mechanism.RSA_X_509),
        (True, True, pkcs11.GeneralError, OAEP, Mechanism.RSA_X_509),
        (True, False, pkcs11.GeneralError, OAEP, Mechanism.RSA_PKCS_OAEP),
        (True, True, pkcs11.EncryptedDataInvalid, OLD, Mechanism.RSA_X_509),
    ],
)
def test_the_way(
    using: Using,
    other_key: rsa.RSAPrivateKey,
    own: bool,
    raw: bool,
    refusal: type[Exception],
    transport: KeyTransport,
    expected: Mechanism,
) -> None:
    """Its own padding if it refuses clearly, else the bare operation, else its own with a look; decided once."""
    made_up = MadeUpKey(other_key, own=own, raw=raw, refusal=refusal)
    key = using(made_up)
    good = sealed(other_key, transport)
    wrong = bytes([good[0] ^ 1]) + good[1:]

    assert CONTENT_KEY == key.unwrap(good, transport, 32)
    del made_up.asked[:]
    assert CONTENT_KEY == key.unwrap(good, transport, 32)
    assert key.unwrap(wrong, transport, 32) not in (CONTENT_KEY, key.unwrap(wrong, transport, 32))
    assert [expected] * 3 == made_up.asked


def test_a_doubtful_token_is_looked_at_after_every_block(using: Using, other_key: rsa.RSAPrivateKey) -> None:
    """After a good one too, so that nobody measures a difference."""
    made_up = MadeUpKey(other_key, own=True, raw=False, refusal=pkcs11.GeneralError)
    key, good = using(made_up), sealed(other_key)
    key.unwrap(good, OAEP, 32)
    looks = []
    for block in (good, good[:-1] + bytes([good[-1] ^ 1])):
        before = made_up.looks
        key.unwrap(block, OAEP, 32)
        looks.append(made_up.looks - before)

    assert [1, 1] == looks


@pytest.mark.parametrize("refusal", [pkcs11.GeneralError, pkcs11.EncryptedDataInvalid])
@pytest.mark.parametrize("raw", [True, False])
def test_a_token_that_goes_is_no_wrong_block(
    using: Using, other_key: rsa.RSAPrivateKey, refusal: type[Exception], raw: bool
) -> None:
    """However it refuses wrong blocks: once it is gone, a fault says so."""
    made_up = MadeUpKey(other_key, own=True, raw=raw, refusal=refusal)
    key, good = using(made_up), sealed(other_key)
    assert CONTENT_KEY == key.unwrap(good, OAEP, 32)
    made_up.is_gone = True
    with pytest.raises((Misconfigured, Transient)):
        key.unwrap(good, OAEP, 32)
    made_up.is_gone = False

    assert CONTENT_KEY == key.unwrap(good, OAEP, 32)


def test_a_token_that_can_nothing(using: Using, other_key: rsa.RSAPrivateKey) -> None:
    """Neither way: an operator has to look, and no citizen's message is judged by it."""
    key = using(MadeUpKey(other_key, own=False, raw=False, refusal=pkcs11.GeneralError))
    with pytest.raises(Misconfigured) as fault:
        key.unwrap(sealed(other_key), OAEP, 32)

    assert "cannot do rsa-oaep" in fault.value.where


def test_another_key_in_its_place(using: Using, other_key: rsa.RSAPrivateKey, reader_key: rsa.RSAPrivateKey) -> None:
    """After an opening the key is tried again: one that was exchanged meanwhile is found by a block made here."""
    made_up = MadeUpKey(other_key, own=True, raw=True, refusal=pkcs11.EncryptedDataInvalid)
    key, good = using(made_up), sealed(other_key)
    assert CONTENT_KEY == key.unwrap(good, OAEP, 32)
    made_up.private = rsa.generate_private_key(65537, 2048)
    tokens.forget_sessions()
    with pytest.raises(Misconfigured) as fault:
        key.unwrap(good, OAEP, 32)

    assert "not that of the certificate" in fault.value.where


def test_a_key_that_may_not_decrypt(using: Using, other_key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    """CKA_DECRYPT is what the operator has to set."""
    key = using(object())  # type: ignore[arg-type]
    with pytest.raises(Misconfigured) as fault:
        key.unwrap(sealed(other_key), OAEP, 32)

    assert "CKA_DECRYPT" in fault.value.where
