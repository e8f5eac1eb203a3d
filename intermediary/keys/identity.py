"""Own signature keys: opened from their files and used here; others get the operation, never the key object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from intermediary.core.faults import Misconfigured
from intermediary.keys.private import pair_from_p12, pair_from_pem

Family = Literal["rsa-pkcs1", "rsa-pss", "ecdsa"]

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
    "sha3-512": hashes.SHA3_512(),
}


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """How something is signed: PSS uses MGF1 of the same hash and a salt as long as the hash.

    `digest` is one of `sha256`, `sha384`, `sha512`, `sha3-256`, `sha3-384`, `sha3-512`.
    """

    family: Family
    digest: str = "sha256"


class SignatureKey(Protocol):
    """Signs in the name of one certificate, wherever the key itself lives (a file, a token).

    May be called from several threads at once.
    """

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate whose public key verifies what is signed here."""

    def sign(self, data: bytes, scheme: SignatureScheme) -> bytes:
        """The signature value over `data`, hashed here, as XML signatures carry it: the RSA block, or r‖s of fixed length.

        ValueError if this key cannot do the scheme (the caller chose a method that does not fit the certificate);
        `Misconfigured("key.unavailable")` if the key cannot be reached.
        """


class HeldKey:
    """A key pair held in memory, with its certificate; only the certificate can be read."""

    __slots__ = ("_certificate", "_private")

    def __init__(self, private: object, certificate: x509.Certificate) -> None:
        self._private = private
        self._certificate = certificate

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of the key."""
        return self._certificate

    def sign(self, data: bytes, scheme: SignatureScheme) -> bytes:
        """See `SignatureKey`. ECDSA is deterministic (RFC 6979); the salts of PSS come from the system's randomness."""
        hasher, key = _HASHES[scheme.digest], self._private
        if isinstance(key, rsa.RSAPrivateKey) and scheme.family == "rsa-pkcs1":
            return key.sign(data, padding.PKCS1v15(), hasher)
        if isinstance(key, rsa.RSAPrivateKey) and scheme.family == "rsa-pss":
            return key.sign(data, padding.PSS(padding.MGF1(hasher), hasher.digest_size), hasher)
        if isinstance(key, ec.EllipticCurvePrivateKey) and scheme.family == "ecdsa":
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hasher, deterministic_signing=True)))
            size = (key.key_size + 7) // 8
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        raise ValueError(f"the signer has no key for {scheme.family}")

    def __repr__(self) -> str:
        return "<signature key>"


def from_p12(path: Path, password: bytes | None, where: str) -> HeldKey:
    """The key and its certificate in a PKCS#12 file; `where` names the file in `Misconfigured("key.unavailable")`."""
    return _signer(*pair_from_p12(path, password, where), where)


def from_pem(path: Path, password: bytes | None, where: str) -> HeldKey:
    """The key and the first certificate in a PEM file that holds both; faults as in `from_p12`."""
    return _signer(*pair_from_pem(path, password, where), where)


def _signer(private: object, certificate: x509.Certificate, where: str) -> HeldKey:
    """Refuses a key that is neither RSA nor on a curve."""
    if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Misconfigured("key.unavailable", where=where)
    return HeldKey(private, certificate)
