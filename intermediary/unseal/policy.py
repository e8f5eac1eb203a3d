"""The crypto policy: which algorithms and key lengths are accepted, by name, before any key is used (threats C)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.values import Befund
from intermediary.unseal import algorithms as a

PROFILES = ("strict", "osci", "legacy")
VERSION = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """One profile: allow-lists of algorithm URIs and least key lengths.

    Built by `profile`, handed to `unseal`, named in its result as `name@version`. `until` ends an exception: from that
    moment on every message is refused. `weak` are algorithms that verify but are reported as weak.
    """

    name: str
    version: int
    ciphers: frozenset[str]
    key_transports: frozenset[str]
    signatures: frozenset[str]
    digests: frozenset[str]
    iv_bytes: frozenset[int]
    min_reader_bits: int
    min_signer_bits: int
    curves: frozenset[str] = a.CURVES
    oaep_digests: frozenset[str] = frozenset({"sha256", "sha384", "sha512"})
    oaep_mgfs: frozenset[str] = frozenset({"sha256", "sha384", "sha512"})
    weak: frozenset[str] = frozenset()
    weak_signer_bits: int = 3072
    until: datetime | None = None
    max_key_operations: int = 8
    max_wrapped_keys: int = 64
    max_layers: int = 8
    max_references: int = 64
    max_transforms: int = 3

    @property
    def label(self) -> str:
        """The name that stands in results and in the audit trail."""
        return f"{self.name}@{self.version}"

    def check_date(self, at: datetime) -> None:
        """Raises `Rejected("policy.expired")` once the exception has ended."""
        if self.until is not None and at >= self.until:
            raise Rejected("policy.expired", where=self.name)

    def check_cipher(self, uri: str, where: str) -> a.Cipher:
        """The cipher behind an allowed URI."""
        return a.CIPHERS[_allowed(uri, self.ciphers, where)]

    def check_iv(self, length: int, where: str) -> int:
        """The IV length of GCM if it is allowed."""
        if length not in self.iv_bytes:
            raise Rejected("policy.parameter", where=where)
        return length

    def check_oaep(self, digest: str, mgf: str, where: str) -> None:
        """Both hashes of OAEP, as `hashlib` names; the strict profile wants them equal."""
        if digest not in self.oaep_digests or mgf not in self.oaep_mgfs:
            raise Rejected("policy.parameter", where=where)
        if self.name == "strict" and digest != mgf:
            raise Rejected("policy.parameter", where=where)

    def check_key_transport(self, uri: str, where: str) -> str:
        """The URI of a key transport if it is allowed."""
        return _allowed(uri, self.key_transports, where)

    def check_signature(self, uri: str, where: str) -> a.SignatureScheme:
        """The signature scheme behind an allowed URI."""
        return a.SIGNATURES[_allowed(uri, self.signatures, where)]

    def check_digest(self, uri: str, where: str) -> str:
        """The `hashlib` name behind an allowed URI."""
        return a.DIGESTS[_allowed(uri, self.digests, where)]


def profile(name: str, *, until: datetime | None = None) -> Policy:
    """The profile of this name; `until` is the end date of an exception (legacy).

    An unknown name is `Misconfigured("policy.unknown")`.
    """
    if name not in _PROFILES:
        raise Misconfigured("policy.unknown", where=name)
    return replace(_PROFILES[name], until=until)


def _allowed(uri: str, allowed: frozenset[str], where: str) -> str:
    if uri not in allowed:
        raise not_allowed(uri, where)
    return uri


def not_allowed(uri: str, where: str) -> Rejected:
    """The refusal of an algorithm; its finding names it, unless it is none we know: then the text is the sender's."""
    name = uri.partition("#")[2] if uri in a.NAMED else "unknown"
    return Rejected("policy.algorithm", where=where, findings=(Befund("policy.algorithm", path=where, rule=name),))


_STRICT = Policy(
    name="strict",
    version=VERSION,
    ciphers=a.GCM,
    key_transports=frozenset({a.RSA_OAEP}),
    signatures=a.PSS | a.ECDSA,
    digests=a.SHA2_DIGESTS | a.SHA3_DIGESTS,
    iv_bytes=frozenset({12}),
    min_reader_bits=3072,
    min_signer_bits=3072,
)

_OSCI = replace(
    _STRICT,
    name="osci",
    signatures=_STRICT.signatures | a.PKCS1,
    iv_bytes=frozenset({12, 16}),
    min_reader_bits=2048,
)

_LEGACY = replace(
    _OSCI,
    name="legacy",
    ciphers=_OSCI.ciphers | a.CBC,
    key_transports=_OSCI.key_transports | {a.RSA_15, a.RSA_OAEP_MGF1P},
    signatures=_OSCI.signatures | {a.RSA_SHA1},
    digests=_OSCI.digests | {a.SHA1},
    oaep_mgfs=_OSCI.oaep_mgfs | {"sha1"},
    min_signer_bits=2048,
    weak=frozenset({a.RSA_SHA1, a.SHA1}),
)

_PROFILES = {policy.name: policy for policy in (_STRICT, _OSCI, _LEGACY)}
