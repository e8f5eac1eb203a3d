"""The algorithm URIs of XML encryption and signature and what they stand for; what is allowed, the policy says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

XMLENC = "http://www.w3.org/2001/04/xmlenc#"
XMLENC11 = "http://www.w3.org/2009/xmlenc11#"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"


@dataclass(frozen=True, slots=True)
class Cipher:
    """A symmetric cipher in its mode; `authenticated` modes notice any change by themselves."""

    mode: Literal["gcm", "cbc"]
    family: Literal["aes", "3des"]
    key_bytes: int

    @property
    def authenticated(self) -> bool:
        return self.mode == "gcm"

    @property
    def block_bytes(self) -> int:
        return 8 if self.family == "3des" else 16


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """A signature algorithm and its hash (a `hashlib` name)."""

    kind: Literal["rsa-pkcs1", "rsa-pss", "ecdsa"]
    digest: str


RSA_15 = XMLENC + "rsa-1_5"
RSA_OAEP = XMLENC11 + "rsa-oaep"
RSA_OAEP_MGF1P = XMLENC + "rsa-oaep-mgf1p"
SHA1 = XMLDSIG + "sha1"
RSA_SHA1 = XMLDSIG + "rsa-sha1"
BASE64 = XMLDSIG + "base64"

CIPHERS = {
    XMLENC11 + "aes128-gcm": Cipher("gcm", "aes", 16),
    XMLENC11 + "aes192-gcm": Cipher("gcm", "aes", 24),
    XMLENC11 + "aes256-gcm": Cipher("gcm", "aes", 32),
    XMLENC + "aes128-cbc": Cipher("cbc", "aes", 16),
    XMLENC + "aes192-cbc": Cipher("cbc", "aes", 24),
    XMLENC + "aes256-cbc": Cipher("cbc", "aes", 32),
    XMLENC + "tripledes-cbc": Cipher("cbc", "3des", 24),
}
GCM = frozenset(uri for uri, cipher in CIPHERS.items() if cipher.mode == "gcm")
CBC = frozenset(uri for uri, cipher in CIPHERS.items() if cipher.mode == "cbc")

DIGESTS = {
    SHA1: "sha1",
    XMLENC + "sha256": "sha256",
    MORE + "sha384": "sha384",
    XMLENC + "sha512": "sha512",
    MORE_2007 + "sha3-256": "sha3_256",
    MORE_2007 + "sha3-384": "sha3_384",
    MORE_2007 + "sha3-512": "sha3_512",
}
SHA2_DIGESTS = frozenset({XMLENC + "sha256", MORE + "sha384", XMLENC + "sha512"})
SHA3_DIGESTS = frozenset(MORE_2007 + name for name in ("sha3-256", "sha3-384", "sha3-512"))

MGFS = {XMLENC11 + f"mgf1{name}": name for name in ("sha1", "sha256", "sha384", "sha512")}

SIGNATURES = {
    RSA_SHA1: SignatureScheme("rsa-pkcs1", "sha1"),
    MORE + "rsa-sha256": SignatureScheme("rsa-pkcs1", "sha256"),
    MORE + "rsa-sha384": SignatureScheme("rsa-pkcs1", "sha384"),
    MORE + "rsa-sha512": SignatureScheme("rsa-pkcs1", "sha512"),
    MORE_2007 + "sha256-rsa-MGF1": SignatureScheme("rsa-pss", "sha256"),
    MORE_2007 + "sha384-rsa-MGF1": SignatureScheme("rsa-pss", "sha384"),
    MORE_2007 + "sha512-rsa-MGF1": SignatureScheme("rsa-pss", "sha512"),
    MORE_2007 + "sha3-256-rsa-MGF1": SignatureScheme("rsa-pss", "sha3_256"),
    MORE_2007 + "sha3-384-rsa-MGF1": SignatureScheme("rsa-pss", "sha3_384"),
    MORE_2007 + "sha3-512-rsa-MGF1": SignatureScheme("rsa-pss", "sha3_512"),
    MORE + "ecdsa-sha256": SignatureScheme("ecdsa", "sha256"),
    MORE + "ecdsa-sha384": SignatureScheme("ecdsa", "sha384"),
    MORE + "ecdsa-sha512": SignatureScheme("ecdsa", "sha512"),
}
PKCS1 = frozenset({MORE + "rsa-sha256", MORE + "rsa-sha512"})
PSS = frozenset(uri for uri, scheme in SIGNATURES.items() if scheme.kind == "rsa-pss")
ECDSA = frozenset(uri for uri, scheme in SIGNATURES.items() if scheme.kind == "ecdsa")

NAMED = frozenset({*CIPHERS, *DIGESTS, *MGFS, *SIGNATURES, RSA_15, RSA_OAEP, RSA_OAEP_MGF1P, SHA1, RSA_SHA1})
"""What a refusal may call by its name."""

CURVES = frozenset({"secp256r1", "secp384r1", "secp521r1", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"})
