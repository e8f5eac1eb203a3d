"""The partner directory: who hands in to us and whom we write to, as the DVDV would say it, from a file of ours."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Misconfigured
from intermediary.core.ids import Behoerdenkennung
from intermediary.keys import private
from intermediary.keys.accounts import Account, AccountReader
from intermediary.keys.entries import Anchor, Purpose
from intermediary.keys.material import MODES, Mode

_PARTNER = (
    "kennung",
    "name",
    "endpoint",
    "cipher",
    "signature",
    "intermediates",
    "trust",
    "policy",
    "policy_until",
    "reason",
    "revocation",
    "account",
)
_LISTS = ("cipher", "signature", "intermediates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """One partner. Several certificates of one role are an overlap rotation: each of them is theirs.

    `cipher` is what we encrypt for (the first), `signature` what they sign with. `policy` replaces the Mandant's crypto
    profile for them until `policy_until`; None: no exception. `revocation` replaces the keyring's mode; None: the same. With
    an `account` they may be a client of our XTA server.
    """

    kennung: str
    name: str
    endpoint: str = ""
    cipher: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    signature: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    trust: tuple[Anchor, ...] = field(default=(), repr=False)
    intermediates: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    policy: str | None = None
    policy_until: datetime | None = None
    reason: str = ""
    revocation: Mode | None = None
    account: Account | None = None

    def anchors(self, purpose: Purpose) -> tuple[x509.Certificate, ...]:
        """The trust anchors for this partner's signatures of this layer, beside those of the keyring."""
        return tuple(anchor.certificate for anchor in self.trust if purpose in anchor.purposes)


class Partners:
    """All partners of an installation, one generation of the file: never changed, shared by all threads."""

    def __init__(self, partners: Iterable[Partner] = ()) -> None:
        self._named = {partner.kennung: partner for partner in partners}
        self._by_signature = {
            certificate.public_bytes(Encoding.DER): partner
            for partner in self._named.values()
            for certificate in partner.signature
        }
        self._by_client = {
            fingerprint: partner
            for partner in self._named.values()
            if partner.account is not None
            for fingerprint in partner.account.fingerprints
        }

    @classmethod
    def load(cls, path: Path) -> Partners:
        """Reads a partner directory; paths in it are relative to the file.

        Raises `Misconfigured`: `partners.invalid` for the file's own shape, `policy.unknown`, `key.unavailable` for a
        certificate that cannot be read. Code and place are those of the first mistake; `findings` are all of them.
        """
        try:
            table = tomllib.loads(private.read_file(path, path.name).decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise Misconfigured("partners.invalid", where=path.name) from None
        return cls(_Reader(path, "partners.invalid").partners(table))

    def named(self, kennung: str) -> Partner:
        """The partner of this Behoerdenkennung, or `Misconfigured("partner.unknown")`."""
        if kennung not in self._named:
            raise Misconfigured("partner.unknown", where=kennung)
        return self._named[kennung]

    def by_signature(self, certificate_der: bytes) -> Partner | None:
        """The partner that lists exactly this signature certificate."""
        return self._by_signature.get(certificate_der)

    def by_client(self, fingerprint: str) -> Partner | None:
        """The partner whose account lists the TLS certificate with this SHA-256 (hex)."""
        return self._by_client.get(fingerprint)

    def all(self) -> tuple[Partner, ...]:
        """Every partner, in the order of the file."""
        return tuple(self._named.values())

    def __contains__(self, kennung: str) -> bool:
        return kennung in self._named

    def __repr__(self) -> str:
        return f"<directory of {len(self._named)} partners>"


def named_files(path: Path) -> tuple[Path, ...]:
    """The certificate files that a partner directory names, whether they exist or not; for whoever watches them."""
    try:
        entries = tomllib.loads(path.read_bytes().decode()).get("partner")
    except (OSError, ValueError):
        return ()
    partners = [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    lists = [one.get(name) for one in partners for name in _LISTS]
    names = [name for one in lists if isinstance(one, list) for name in one]
    trust = [anchor for one in partners if isinstance(one.get("trust"), list) for anchor in one["trust"]]
    accounts = [one["account"] for one in partners if isinstance(one.get("account"), dict)]
    names += [name for one in accounts if isinstance(one.get("client"), list) for name in one["client"]]
    names += [anchor.get("pem") for anchor in trust if isinstance(anchor, dict)]
    return tuple(path.parent / name for name in names if isinstance(name, str))


class _Reader(AccountReader):
    """Turns the parsed file into partners, and collects every mistake with its dotted path."""

    def partners(self, table: Mapping[str, Any]) -> list[Partner]:
        self._known(table, ("partner",), "")
        found = [self._partner(entry, f"partner[{i}]") for i, entry in enumerate(self._tables(table, "partner"), 1)]
        self._unique(found)
        self._check()
        return found

    def _partner(self, entry: Mapping[str, Any], place: str) -> Partner:
        self._known(entry, _PARTNER, place)
        anchors = [
            anchor
            for i, one in enumerate(self._tables(entry, "trust", place), 1)
            for anchor in self._trust(one, f"{place}.trust[{i}]")
        ]
        cipher, signature, between = (
            tuple(self._certificate_files(entry.get(name, []), f"{place}.{name}")) for name in _LISTS
        )
        policy, until, reason = self._exception(entry, place)
        kennung = self._kennung(entry, place)
        return Partner(
            kennung=kennung,
            name=self._string(entry, "name", place, "what people call this partner"),
            endpoint=self._address(entry, place),
            cipher=cipher,
            signature=signature,
            trust=tuple(anchors),
            intermediates=between,
            policy=policy,
            policy_until=until,
            reason=reason,
            revocation=self._mode(entry, place),
            account=self._account(entry, place, kennung),
        )

    def _kennung(self, entry: Mapping[str, Any], place: str) -> str:
        text = self._string(entry, "kennung", place, 'a Behoerdenkennung as "ags:05513000"')
        try:
            return Behoerdenkennung(text) if text else ""
        except ValueError as wrong:
            self._note(self._code, f"{place}.kennung", hint=str(wrong))
            return text

    def _address(self, entry: Mapping[str, Any], place: str) -> str:
        value = entry.get("endpoint", "")
        if "endpoint" in entry and not _is_address(value):
            self._note(self._code, f"{place}.endpoint", hint="an address as https://osci.example.de/entry")
            return ""
        return str(value)

    def _mode(self, entry: Mapping[str, Any], place: str) -> Mode | None:
        return self._choice(entry["revocation"], f"{place}.revocation", MODES) if "revocation" in entry else None

    def _exception(self, entry: Mapping[str, Any], place: str) -> tuple[str | None, datetime | None, str]:
        """The partner's own profile; an exception says until when, and why, or it is none."""
        for name in ("policy_until", "reason"):
            if name in entry and "policy" not in entry:
                self._note(self._code, f"{place}.{name}", hint="belongs to a `policy`")
        if "policy" not in entry:
            return None, None, ""
        policy = self._policy(entry["policy"], f"{place}.policy")
        until = self._moment(entry.get("policy_until"), f"{place}.policy_until")
        reason = entry.get("reason", "")
        if policy == "legacy" and "policy_until" not in entry:
            self._note(self._code, f"{place}.policy_until", hint="an exception ends: a moment with a time zone")
        if not isinstance(reason, str) or (policy == "legacy" and not reason.strip()):
            self._note(self._code, f"{place}.reason", hint="a text: why this exception is needed")
            reason = ""
        return policy, until, reason

    def _unique(self, partners: list[Partner]) -> None:
        """A Behoerdenkennung and a signature certificate belong to one partner each: they say who somebody is."""
        kennungen: set[str] = set()
        owners: dict[bytes, str] = {}
        for i, partner in enumerate(partners, 1):
            if partner.kennung and partner.kennung in kennungen:
                self._note(self._code, f"partner[{i}].kennung", hint="stands in the file more than once")
            kennungen.add(partner.kennung)
            for certificate in partner.signature:
                owner = owners.setdefault(certificate.public_bytes(Encoding.DER), partner.kennung)
                if owner != partner.kennung:
                    self._note(self._code, f"partner[{i}].signature", hint=f"is the certificate of {owner} too")
        self._unique_accounts(partners)

    def _unique_accounts(self, partners: list[Partner]) -> None:
        """A client certificate and an identifier lead to one account."""
        owners: dict[str, str] = {}
        for i, partner in enumerate(partners, 1):
            account = partner.account or Account()
            known = (("client", account.fingerprints), ("identifiers", account.identifiers))
            for name, values in known:
                for value in values:
                    owner = owners.setdefault(value, partner.kennung)
                    if owner != partner.kennung:
                        self._note(self._code, f"partner[{i}].account.{name}", hint=f"belongs to {owner} too")


def _is_address(value: object) -> bool:
    if not isinstance(value, str) or not (value.isascii() and value.isprintable()) or " " in value:
        return False
    try:
        parts = urlsplit(value)
        is_bare = not parts.username and not parts.fragment and parts.port != 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and is_bare
