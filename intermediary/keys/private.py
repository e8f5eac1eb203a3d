"""Private decryption keys: opened from their files and used here, never handed out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12

from intermediary.core.faults import Misconfigured

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


@dataclass(frozen=True, slots=True)
class KeyTransport:
    """How a content key was wrapped, already accepted by the crypto policy; hash names as in `hashlib`."""

    scheme: Literal["rsa-1_5", "rsa-oaep"]
    digest: str = "sha256"
    mgf: str = "sha256"


class DecryptionKey:
    """One RSA key pair with its certificate; only the certificate can be read."""

    __slots__ = ("_private", "certificate", "der")

    def __init__(self, private: object, certificate: x509.Certificate) -> None:
        self._private = private
        self.certificate = certificate
        self.der = certificate.public_bytes(Encoding.DER)

    @property
    def bits(self) -> int:
        """The length of the modulus, or 0 for a key that cannot decrypt."""
        return self._private.key_size if isinstance(self._private, rsa.RSAPrivateKey) else 0

    def unwrap(self, wrapped: bytes, transport: KeyTransport, key_bytes: int) -> bytes:
        """The wrapped content key, or random bytes of the same length when there is none.

        Implicit rejection: a wrong block, a wrong length and a foreign key all give a key that opens nothing, so that
        nobody outside can tell them apart (threat T6, rule R3).
        """
        substitute = os.urandom(key_bytes)
        if not isinstance(self._private, rsa.RSAPrivateKey):
            return substitute
        try:
            key = self._private.decrypt(wrapped, _padding(transport))
        except ValueError:
            return substitute
        return key if len(key) == key_bytes else substitute

    def __repr__(self) -> str:
        return "<decryption key>"


def from_p12(path: Path, password: bytes | None, where: str) -> DecryptionKey:
    """The key and its certificate in a PKCS#12 file; `where` names the file in the fault."""
    data = read_file(path, where)
    try:
        private, certificate, _others = pkcs12.load_key_and_certificates(data, password)
    except (ValueError, TypeError):
        raise Misconfigured("key.unavailable", where=where) from None
    if private is None or certificate is None:
        raise Misconfigured("key.unavailable", where=where)
    return DecryptionKey(private, certificate)


def from_pem(path: Path, password: bytes | None, where: str) -> DecryptionKey:
    """The key and the first certificate in a PEM file that holds both."""
    data = read_file(path, where)
    try:
        private = load_pem_private_key(data, password)
        certificate = x509.load_pem_x509_certificates(data)[0]
    except (ValueError, TypeError):
        raise Misconfigured("key.unavailable", where=where) from None
    if private.public_key() != certificate.public_key():
        raise Misconfigured("key.unavailable", where=where)
    return DecryptionKey(private, certificate)


def read_file(path: Path, where: str) -> bytes:
    """The bytes of a key, password or certificate file, or `Misconfigured("key.unavailable")`."""
    try:
        return path.read_bytes()
    except OSError:
        raise Misconfigured("key.unavailable", where=where) from None


def _padding(transport: KeyTransport) -> padding.AsymmetricPadding:
    if transport.scheme == "rsa-1_5":
        return padding.PKCS1v15()
    return padding.OAEP(padding.MGF1(_HASHES[transport.mgf]()), _HASHES[transport.digest](), None)
