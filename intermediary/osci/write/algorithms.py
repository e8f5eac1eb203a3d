"""Names of the algorithms OSCI 1.2 knows (digest §13), as the writer offers them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from cryptography.hazmat.primitives import hashes

from intermediary.keys.identity import Family, SignatureScheme

C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
BASE64 = "http://www.w3.org/2000/09/xmldsig#base64"
RSA_OAEP = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
RSA_1_5 = "http://www.w3.org/2001/04/xmlenc#rsa-1_5"


class Symmetric(StrEnum):
    """Content ciphers by URI; everything that is not GCM is legacy."""

    AES256_GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
    AES192_GCM = "http://www.w3.org/2009/xmlenc11#aes192-gcm"
    AES128_GCM = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
    AES256_CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
    AES192_CBC = "http://www.w3.org/2001/04/xmlenc#aes192-cbc"
    AES128_CBC = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
    TRIPLEDES_CBC = "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"

    @property
    def is_gcm(self) -> bool:
        return self.value.endswith("-gcm")

    @property
    def key_bytes(self) -> int:
        if self is Symmetric.TRIPLEDES_CBC:
            return 24
        return int(self.value.rpartition("aes")[2][:3]) // 8


class Digest(StrEnum):
    """Digest methods by URI; SHA-1 and RIPEMD-160 are not offered."""

    SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
    SHA512 = "http://www.w3.org/2001/04/xmlenc#sha512"
    SHA3_256 = "http://www.w3.org/2007/05/xmldsig-more#sha3-256"
    SHA3_384 = "http://www.w3.org/2007/05/xmldsig-more#sha3-384"
    SHA3_512 = "http://www.w3.org/2007/05/xmldsig-more#sha3-512"

    @property
    def hash(self) -> hashes.HashAlgorithm:
        return _HASHES[self]


_HASHES: dict[Digest, hashes.HashAlgorithm] = {
    Digest.SHA256: hashes.SHA256(),
    Digest.SHA512: hashes.SHA512(),
    Digest.SHA3_256: hashes.SHA3_256(),
    Digest.SHA3_384: hashes.SHA3_384(),
    Digest.SHA3_512: hashes.SHA3_512(),
}


class SignatureMethod(StrEnum):
    """Signature methods by URI: PKCS#1 v1.5, PSS with MGF1 of the same hash, and ECDSA as r‖s."""

    RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
    RSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
    PSS_SHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
    PSS_SHA512 = "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1"
    PSS_SHA3_256 = "http://www.w3.org/2007/05/xmldsig-more#sha3-256-rsa-MGF1"
    PSS_SHA3_384 = "http://www.w3.org/2007/05/xmldsig-more#sha3-384-rsa-MGF1"
    PSS_SHA3_512 = "http://www.w3.org/2007/05/xmldsig-more#sha3-512-rsa-MGF1"
    ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
    ECDSA_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"

    @property
    def digest(self) -> Digest:
        """The hash inside the method, which the library also takes for the references."""
        return Digest[self.name.partition("_")[2]]

    @property
    def family(self) -> str:
        """`RSA`, `PSS` or `ECDSA`."""
        return self.name.partition("_")[0]

    @property
    def scheme(self) -> SignatureScheme:
        """What a `SignatureKey` is asked to do for this method."""
        return SignatureScheme(_FAMILIES[self.family], self.digest.name.lower().replace("_", "-"))


_FAMILIES: dict[str, Family] = {"RSA": "rsa-pkcs1", "PSS": "rsa-pss", "ECDSA": "ecdsa"}


class KeyTransport(Enum):
    """How the symmetric key is wrapped for a reader: OAEP with one hash for label and mask, or RSA 1.5 (legacy)."""

    OAEP_SHA256 = "sha256"
    OAEP_SHA512 = "sha512"
    RSA_1_5 = ""


@dataclass(frozen=True, slots=True)
class Cipher:
    """How one thing is encrypted.

    `iv_bytes` counts for GCM only: 12 is announced in an IvLength element, 16 is what its absence means (§5). For CBC
    it only decides whether that (meaningless) element is written, as the library does. `base64` is the transfer form
    of the transport envelope of older senders; elsewhere it has no effect.
    """

    symmetric: Symmetric = Symmetric.AES256_GCM
    iv_bytes: int = 12
    key_transport: KeyTransport = KeyTransport.OAEP_SHA256
    base64: bool = False

    def __post_init__(self) -> None:
        if self.iv_bytes not in (12, 16):
            raise ValueError("OSCI 1.2 knows initialisation vectors of 12 and 16 bytes")
