"""Private decryption keys: opened from their files and used here, never handed out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
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


class ReaderKey(Protocol):
    """Opens what was sealed for one certificate, wherever the key itself lives (a file, a token).

    May be called from several threads at once.
    """

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate that senders seal for."""

    @property
    def der(self) -> bytes:
        """The certificate in DER form."""

    @property
    def bits(self) -> int:
        """The length of the modulus, or 0 for a key that cannot decrypt."""

    def unwrap(self, wrapped: bytes, transport: KeyTransport, key_bytes: int) -> bytes:
        """The wrapped content key, or random bytes of the same length when there is none.

        Implicit rejection: a wrong block, a wrong length and a foreign key all give a key that opens nothing, so that
        nobody outside can tell them apart (threat T6, rule R3). A key that cannot be reached is no wrong block: it raises
        `Misconfigured("key.unavailable")` or `Transient("key.token.failed")`, and nobody is turned away.
        """


class DecryptionKey:
    """One RSA key pair held in memory, with its certificate; only the certificate can be read."""

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
        """See `ReaderKey`."""
        substitute = os.urandom(key_bytes)
        if not isinstance(self._private, rsa.RSAPrivateKey):
            return substitute
        block, fits = fitting(wrapped, self._private.public_key())
        try:
            key = self._private.decrypt(block, oaep_or_pkcs1(transport))
        except ValueError:
            return substitute
        return key if fits and len(key) == key_bytes else substitute

    def __repr__(self) -> str:
        return "<decryption key>"


def from_p12(path: Path, password: bytes | None, where: str) -> DecryptionKey:
    """The key and its certificate in a PKCS#12 file; `where` names the file in the fault."""
    return DecryptionKey(*pair_from_p12(path, password, where))


def from_pem(path: Path, password: bytes | None, where: str) -> DecryptionKey:
    """The key and the first certificate in a PEM file that holds both."""
    return DecryptionKey(*pair_from_pem(path, password, where))


def pair_from_p12(path: Path, password: bytes | None, where: str) -> tuple[PrivateKeyTypes, x509.Certificate]:
    """A private key and its own certificate, for the rooms in `keys`; otherwise `Misconfigured("key.unavailable")`."""
    try:
        private, certificate, _others = pkcs12.load_key_and_certificates(read_file(path, where), password)
    except (ValueError, TypeError):
        raise Misconfigured("key.unavailable", where=where) from None
    return _belonging(private, certificate, where)


def pair_from_pem(path: Path, password: bytes | None, where: str) -> tuple[PrivateKeyTypes, x509.Certificate]:
    """The same from a PEM file that holds both; of several certificates the first counts."""
    data = read_file(path, where)
    try:
        private = load_pem_private_key(data, password)
        certificate = x509.load_pem_x509_certificates(data)[0]
    except (ValueError, TypeError):
        raise Misconfigured("key.unavailable", where=where) from None
    return _belonging(private, certificate, where)


def _belonging(
    private: PrivateKeyTypes | None, certificate: x509.Certificate | None, where: str
) -> tuple[PrivateKeyTypes, x509.Certificate]:
    if private is None or certificate is None or private.public_key() != certificate.public_key():
        raise Misconfigured("key.unavailable", where=where)
    return private, certificate


def read_file(path: Path, where: str) -> bytes:
    """The bytes of a key, password or certificate file, or `Misconfigured("key.unavailable")`."""
    try:
        return path.read_bytes()
    except OSError:
        raise Misconfigured("key.unavailable", where=where) from None


def fitting(wrapped: bytes, public: rsa.RSAPublicKey) -> tuple[bytes, bool]:
    """The block if the key can work on it, otherwise a random one that it can, and which of the two.

    A block of the wrong length, or not below the modulus, would be refused without work: whoever measures could tell.
    """
    length = (public.key_size + 7) // 8
    fits = len(wrapped) == length and int.from_bytes(wrapped, "big") < public.public_numbers().n
    return (wrapped if fits else b"\0" + os.urandom(length - 1)), fits


def oaep_or_pkcs1(transport: KeyTransport) -> padding.AsymmetricPadding:
    """The padding of a key transport as the library knows it."""
    if transport.scheme == "rsa-1_5":
        return padding.PKCS1v15()
    return padding.OAEP(padding.MGF1(_HASHES[transport.mgf]()), _HASHES[transport.digest](), None)
