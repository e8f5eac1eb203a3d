"""A reader's private key on a PKCS#11 token: it never leaves the token; the padding is taken off there, or here."""

from __future__ import annotations

import os
from enum import Enum
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.mechanisms import MGF, Mechanism
from pkcs11.types import DecryptMixin

from intermediary.keys.pin import PinFile
from intermediary.keys.pkcs11_uri import KeyUri
from intermediary.keys.private import KeyTransport, fitting, oaep_or_pkcs1
from intermediary.keys.tokens import TokenKey, Unusable
from intermediary.keys.unpadding import unpad

_REFUSALS = (pkcs11.EncryptedDataInvalid, pkcs11.EncryptedDataLenRange, pkcs11.DataInvalid, pkcs11.DataLenRange)
"""How a token says clearly that a block is wrong."""

_HASHES = {
    "sha1": Mechanism.SHA_1,
    "sha256": Mechanism.SHA256,
    "sha384": Mechanism.SHA384,
    "sha512": Mechanism.SHA512,
}
_MGFS = {"sha1": MGF.SHA1, "sha256": MGF.SHA256, "sha384": MGF.SHA384, "sha512": MGF.SHA512}
_TRIAL_BYTES = 32


class _Way(Enum):
    """How one key transport is done on one token."""

    CLEAR = "by the token, which says clearly when a block is wrong"
    RAW = "the bare operation by the token, the padding here"
    DOUBTFUL = "by the token, whose refusal could mean as well that it is broken: it is looked at after every block"


class TokenReaderKey:
    """A reader's key on a token; a `ReaderKey`. Made without touching the token: that is opened at the first use.

    How a key transport is done is found out once per opening, by blocks made here with the public key and never by a
    citizen's; they also prove that the key is the certificate's.
    """

    __slots__ = ("_key", "_public", "certificate", "der")

    def __init__(
        self, uri: KeyUri, module: str, pin: PinFile | None, certificate: x509.Certificate, *, where: str
    ) -> None:
        self.certificate = certificate
        self.der = certificate.public_bytes(Encoding.DER)
        self._public = certificate.public_key()
        self._key: TokenKey[dict[KeyTransport, _Way]] = TokenKey(uri, module, pin, where=where, found=lambda _: {})

    @property
    def bits(self) -> int:
        """The length of the modulus, or 0 for a key that cannot decrypt."""
        return self._public.key_size if isinstance(self._public, rsa.RSAPublicKey) else 0

    def unwrap(self, wrapped: bytes, transport: KeyTransport, key_bytes: int) -> bytes:
        """See `ReaderKey`."""
        substitute, public = os.urandom(key_bytes), self._public
        if not isinstance(public, rsa.RSAPublicKey):
            return substitute
        block, fits = fitting(wrapped, public)

        def work(key: Any, ways: dict[KeyTransport, _Way]) -> bytes:
            way = _known(key, ways, public, transport)
            return _opened(key, block, transport, way, key_bytes, substitute)

        opened = self._key.use(work)
        return (substitute, opened)[fits]

    def prove(self) -> None:
        """Open a block made here, in the way of OSCI; raises the fault that a message would get now."""
        public, transport = self._public, KeyTransport("rsa-oaep")
        if isinstance(public, rsa.RSAPublicKey):
            self._key.use(lambda key, ways: _prove(key, public, transport, _known(key, ways, public, transport)))

    def __repr__(self) -> str:
        return "<decryption key on a token>"


def certificate_on_token(uri: KeyUri, module: str, pin: PinFile | None, *, where: str) -> x509.Certificate:
    """The certificate that lies beside the key (with its CKA_ID); opens the token. Faults as those of a key."""
    key: TokenKey[None] = TokenKey(uri, module, pin, where=where, found=lambda _: None)
    return key.use(lambda found, _: _beside(found))


def _beside(key: Any) -> x509.Certificate:
    searched = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.ID: key[Attribute.ID]}
    found = list(key.session.get_objects(searched))
    if len(found) != 1:
        raise Unusable("no certificate with the id of the key on the token: name its file by pem")
    try:
        return x509.load_der_x509_certificate(bytes(found[0][Attribute.VALUE]))
    except ValueError:
        raise Unusable("the certificate on the token cannot be read: name its file by pem") from None


def _known(key: Any, ways: dict[KeyTransport, _Way], public: rsa.RSAPublicKey, transport: KeyTransport) -> _Way:
    if transport not in ways:
        if not isinstance(key, DecryptMixin):
            raise Unusable("the key on the token may not decrypt (CKA_DECRYPT)")
        ways[transport] = _found_out(key, public, transport)
    return ways[transport]


def _found_out(key: Any, public: rsa.RSAPublicKey, transport: KeyTransport) -> _Way:
    """The best way this token has: its own if it refuses clearly, else the bare operation, else its own with a look.

    RSA-1.5 is done bare wherever that is possible: a token would tell a wrong padding by an error.
    """
    own = None if transport.scheme == "rsa-1_5" else _own_way(key, public, transport)
    if own is _Way.CLEAR:
        return own
    if _does(key, public, transport, _Way.RAW):
        return _Way.RAW
    own = own or _own_way(key, public, transport)
    if own is None:
        raise Unusable(f"the key is not that of the certificate, or the token cannot do {transport.scheme}")
    return own


def _own_way(key: Any, public: rsa.RSAPublicKey, transport: KeyTransport) -> _Way | None:
    """Whether the token does the padding itself, and how it says that a block is wrong."""
    if not _does(key, public, transport, _Way.DOUBTFUL):
        return None
    wrong = pow(int.from_bytes(os.urandom(_TRIAL_BYTES), "big"), 65537, public.public_numbers().n)
    block = wrong.to_bytes((public.key_size + 7) // 8, "big")
    try:
        key.decrypt(block, mechanism=_mechanism(transport), mechanism_param=_parameter(transport))
    except _REFUSALS:
        return _Way.CLEAR
    except pkcs11.PKCS11Error:
        _look(key)
        return _Way.DOUBTFUL
    return _Way.CLEAR  # it gives something else instead: implicit rejection of its own


def _does(key: Any, public: rsa.RSAPublicKey, transport: KeyTransport, way: _Way) -> bool:
    """Whether a block made here comes out right."""
    known = os.urandom(_TRIAL_BYTES)
    block = public.encrypt(known, oaep_or_pkcs1(transport))
    try:
        return _opened(key, block, transport, way, _TRIAL_BYTES, b"") == known
    except pkcs11.PKCS11Error:
        _look(key)  # a token that is gone cannot do anything, and that says nothing about it
        return False


def _prove(key: Any, public: rsa.RSAPublicKey, transport: KeyTransport, way: _Way) -> None:
    if not _does(key, public, transport, way):
        raise Unusable("the token does not open any more what it opened before")


def _opened(key: Any, block: bytes, transport: KeyTransport, way: _Way, key_bytes: int, substitute: bytes) -> bytes:
    if way is _Way.RAW:
        raw = key.decrypt(block, mechanism=Mechanism.RSA_X_509)
        return unpad(raw.rjust(len(block), b"\0"), transport, key_bytes, substitute)
    refusals = _REFUSALS if way is _Way.CLEAR else (pkcs11.PKCS11Error,)
    try:
        opened = key.decrypt(block, mechanism=_mechanism(transport), mechanism_param=_parameter(transport))
    except refusals:
        opened = b""
    if way is _Way.DOUBTFUL:
        _look(key)
    return opened if len(opened) == key_bytes else substitute


def _look(key: Any) -> None:
    """Raises an error of the library if the key cannot be reached any more."""
    _ = key[Attribute.KEY_TYPE]


def _mechanism(transport: KeyTransport) -> Mechanism:
    return Mechanism.RSA_PKCS if transport.scheme == "rsa-1_5" else Mechanism.RSA_PKCS_OAEP


def _parameter(transport: KeyTransport) -> tuple[Mechanism, MGF, None] | None:
    if transport.scheme == "rsa-1_5":
        return None
    return _HASHES[transport.digest], _MGFS[transport.mgf], None
