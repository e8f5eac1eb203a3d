"""A signer's private key on a PKCS#11 token: what is signed is hashed here, the token gets the hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from pkcs11.constants import Attribute
from pkcs11.mechanisms import MGF, Mechanism
from pkcs11.types import SignMixin

from intermediary.keys.identity import SignatureScheme
from intermediary.keys.pin import PinFile
from intermediary.keys.pkcs11_uri import KeyUri
from intermediary.keys.tokens import TokenKey, Unusable

_INCAPABLE = (
    pkcs11.ArgumentsBad,
    pkcs11.FunctionNotSupported,
    pkcs11.KeySizeRange,
    pkcs11.KeyTypeInconsistent,
    pkcs11.MechanismInvalid,
    pkcs11.MechanismParamInvalid,
)


@dataclass(frozen=True, slots=True)
class _Digest:
    """A hash as everybody here knows it; `oid` is the last byte of its identifier 2.16.840.1.101.3.4.2.x."""

    name: str
    algorithm: hashes.HashAlgorithm
    oid: int
    mechanism: Mechanism
    mgf: MGF

    @property
    def info(self) -> bytes:
        """What stands before the hash in a PKCS#1 v1.5 signature (RFC 8017 §9.2)."""
        size = self.algorithm.digest_size
        identifier = bytes.fromhex("06096086480165030402") + bytes([self.oid])
        return bytes([0x30, 17 + size, 0x30, 13]) + identifier + bytes([5, 0, 4, size])


_DIGESTS = {
    "sha256": _Digest("sha256", hashes.SHA256(), 1, Mechanism.SHA256, MGF.SHA256),
    "sha384": _Digest("sha384", hashes.SHA384(), 2, Mechanism.SHA384, MGF.SHA384),
    "sha512": _Digest("sha512", hashes.SHA512(), 3, Mechanism.SHA512, MGF.SHA512),
    "sha3-256": _Digest("sha3_256", hashes.SHA3_256(), 8, Mechanism.SHA3_256, MGF.SHA3_256),
    "sha3-384": _Digest("sha3_384", hashes.SHA3_384(), 9, Mechanism.SHA3_384, MGF.SHA3_384),
    "sha3-512": _Digest("sha3_512", hashes.SHA3_512(), 10, Mechanism.SHA3_512, MGF.SHA3_512),
}


@dataclass(frozen=True, slots=True)
class _Task:
    """What the token is asked, and how the answer is verified and written."""

    text: bytes
    mechanism: Mechanism
    parameter: tuple[Mechanism, MGF, int] | None
    verify: Callable[[bytes], None]


class TokenSignatureKey:
    """A signer's key on a token; a `SignatureKey`. Made without touching the token: that is opened at the first use.

    Every signature is verified before it is given away: a token that errs, or a certificate that is another key's, is found
    here and not by the receiver.
    """

    __slots__ = ("_certificate", "_key", "_public")

    def __init__(
        self, uri: KeyUri, module: str, pin: PinFile | None, certificate: x509.Certificate, *, where: str
    ) -> None:
        self._certificate = certificate
        self._public = certificate.public_key()
        self._key: TokenKey[None] = TokenKey(uri, module, pin, where=where, found=lambda _: None)

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of the key."""
        return self._certificate

    def sign(self, data: bytes, scheme: SignatureScheme) -> bytes:
        """See `SignatureKey`; also `Transient("key.token.failed")` where time may heal what the token has."""
        task = self._task(data, scheme)
        return self._key.use(lambda key, _: _signed(key, task, scheme.family))

    def prove(self) -> None:
        """Sign something that means nothing; raises the fault that a message would get now."""
        self.sign(b"", SignatureScheme("rsa-pss" if isinstance(self._public, rsa.RSAPublicKey) else "ecdsa"))

    def _task(self, data: bytes, scheme: SignatureScheme) -> _Task:
        digest, public = _DIGESTS[scheme.digest], self._public
        octets = hashlib.new(digest.name, data).digest()
        hashed = utils.Prehashed(digest.algorithm)
        if isinstance(public, rsa.RSAPublicKey) and scheme.family == "rsa-pkcs1":
            pkcs1 = padding.PKCS1v15()
            return _Task(
                digest.info + octets,
                Mechanism.RSA_PKCS,
                None,
                lambda value: public.verify(value, octets, pkcs1, hashed),
            )
        if isinstance(public, rsa.RSAPublicKey) and scheme.family == "rsa-pss":
            pss = padding.PSS(padding.MGF1(digest.algorithm), len(octets))
            parameter = (digest.mechanism, digest.mgf, len(octets))
            return _Task(
                octets, Mechanism.RSA_PKCS_PSS, parameter, lambda value: public.verify(value, octets, pss, hashed)
            )
        if isinstance(public, ec.EllipticCurvePublicKey) and scheme.family == "ecdsa":
            return _Task(
                octets[: (public.key_size + 7) // 8],
                Mechanism.ECDSA,
                None,
                lambda value: public.verify(_der(value, public), octets, ec.ECDSA(hashed)),
            )
        raise ValueError(f"the signer has no key for {scheme.family}")

    def __repr__(self) -> str:
        return "<signature key on a token>"


def _signed(key: Any, task: _Task, family: str) -> bytes:
    if not isinstance(key, SignMixin):
        raise Unusable("the key on the token may not sign (CKA_SIGN)")
    try:
        value = key.sign(task.text, mechanism=task.mechanism, mechanism_param=task.parameter)
    except _INCAPABLE:
        _ = key[Attribute.KEY_TYPE]  # raises if it is the token that is gone
        raise Unusable(f"the token cannot do {family} as it is asked to") from None
    try:
        task.verify(value)
    except (InvalidSignature, ValueError):
        raise Unusable("the signature is not that of the certificate's key") from None
    return value


def _der(value: bytes, public: ec.EllipticCurvePublicKey) -> bytes:
    half = (public.key_size + 7) // 8
    if len(value) != 2 * half:
        raise ValueError("length")
    return utils.encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
