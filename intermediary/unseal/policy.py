"""The crypto policy: which algorithms and key lengths are accepted, by name, before any key is used (threats C)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.values import Befund
from intermediary.unseal import algorithms as a

PROFILES = ("strict", "osci", "legacy")
VERSION = 1
MAX_RSA_BITS = 8192
MIN_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class Policy:
    """One profile: allow-lists of algorithm URIs and least key lengths.

    Built by `profile`, handed to `unseal`, named in its result as `name@version`. `until` ends an exception: from that
    moment on every message is refused. `weak` are algorithms that verify but are reported as weak. `partner` is set in
    the exception of one partner; `lapsed` is their exception that has ended: what it would have let pass is refused as
    `policy.expired`, by name and date (`for_partner`).
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
    partner: str = ""
    lapsed: Policy | None = None
    max_key_operations: int = 8
    max_wrapped_keys: int = 64
    max_layers: int = 8
    max_references: int = 64
    max_signatures: int = 64
    max_transforms: int = 3

    @property
    def label(self) -> str:
        """The name that stands in results and in the audit trail: `osci@1`, `legacy@1 for ags:… until 2027-03-31`."""
        name = f"{self.name}@{self.version}"
        if not self.partner:
            return name
        end = f" until {self.until.date().isoformat()}" if self.until else ""
        return f"{name} for {self.partner}{end}"

    def for_partner(self, exception: Policy | None, at: datetime) -> Policy:
        """What holds for the partner of this exception at `at`: the exception, or this policy once it has ended."""
        if exception is None:
            return self
        if exception.until is None or at < exception.until:
            return exception
        return replace(self, lapsed=exception)

    def check_date(self, at: datetime) -> None:
        """Raises `Rejected("policy.expired")` once the exception has ended."""
        if self.until is not None and at >= self.until:
            raise Rejected("policy.expired", where=self.name)

    def check_cipher(self, uri: str, where: str) -> a.Cipher:
        """The cipher behind an allowed URI."""
        return a.CIPHERS[self._allowed(uri, lambda policy: policy.ciphers, where)]

    def check_iv(self, length: int, where: str) -> int:
        """The IV length of GCM if it is allowed."""
        self._demand(lambda policy: length in policy.iv_bytes, "policy.parameter", where)
        return length

    def check_oaep(self, digest: str, mgf: str, where: str) -> None:
        """Both hashes of OAEP, as `hashlib` names; the strict profile wants them equal."""
        self._demand(lambda policy: policy._allows_oaep(digest, mgf), "policy.parameter", where)

    def check_key_transport(self, uri: str, where: str) -> str:
        """The URI of a key transport if it is allowed."""
        return self._allowed(uri, lambda policy: policy.key_transports, where)

    def check_signature(self, uri: str, where: str) -> a.SignatureScheme:
        """The signature scheme behind an allowed URI."""
        return a.SIGNATURES[self._allowed(uri, lambda policy: policy.signatures, where)]

    def check_digest(self, uri: str, where: str) -> str:
        """The `hashlib` name behind an allowed URI."""
        return a.DIGESTS[self._allowed(uri, lambda policy: policy.digests, where)]

    def check_signer(self, bits: int, exponent: int, where: str) -> None:
        """The size of a signer's RSA key."""
        if bits > MAX_RSA_BITS or exponent < MIN_EXPONENT or exponent % 2 == 0:
            raise Rejected("policy.key-length", where=where)
        self._demand(lambda policy: bits >= policy.min_signer_bits, "policy.key-length", where)

    def check_reader(self, bits: int, where: str) -> None:
        """The size of the reader's RSA key that a content key is wrapped for."""
        self._demand(lambda policy: bits >= policy.min_reader_bits, "policy.key-length", where)

    def _allows_oaep(self, digest: str, mgf: str) -> bool:
        is_known = digest in self.oaep_digests and mgf in self.oaep_mgfs
        return is_known and (self.name != "strict" or digest == mgf)

    def _allowed(self, uri: str, named: Callable[[Policy], frozenset[str]], where: str) -> str:
        if uri not in named(self):
            raise self._ended(where) if self.lapsed and uri in named(self.lapsed) else not_allowed(uri, where)
        return uri

    def _demand(self, holds: Callable[[Policy], bool], code: str, where: str) -> None:
        if not holds(self):
            raise self._ended(where) if self.lapsed and holds(self.lapsed) else Rejected(code, where=where)

    def _ended(self, where: str) -> Rejected:
        """The refusal of what the exception allowed until it ended."""
        ended = self.lapsed.label.partition(" for ")[2] if self.lapsed else ""
        finding = Befund("policy.expired", path=where, rule=ended, hint=f"die Ausnahme galt: {ended}")
        return Rejected("policy.expired", where=f"{where}, {ended}", findings=(finding,))


def profile(name: str, *, until: datetime | None = None, partner: str = "") -> Policy:
    """The profile of this name; `until` is the end date of an exception (legacy), `partner` whose exception it is.

    An unknown name is `Misconfigured("policy.unknown")`.
    """
    if name not in _PROFILES:
        raise Misconfigured("policy.unknown", where=name)
    return replace(_PROFILES[name], until=until, partner=partner)


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
