"""The keyring: which keys open a Mandant's messages, which anchors are trusted, what the policy demands (DESIGN §5)."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from cryptography import x509

from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from intermediary.keys import private
from intermediary.keys.private import DecryptionKey, KeyTransport

Purpose = Literal["transport", "content"]
PURPOSES: tuple[Purpose, ...] = ("transport", "content")
POLICIES = ("strict", "osci", "legacy")
REQUIREMENTS = ("transport-signature", "content-signature", "trusted")

_TOP = ("policy", "policy_until", "require", "key", "trust", "fit_connect")
_KEY_SOURCES = ("p12", "pem", "jwk", "pkcs11")
_FILES = ("p12", "pem", "jwk", "password_file")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A certificate that ends a path, and what it is trusted for."""

    certificate: x509.Certificate
    purposes: frozenset[str]


class Keyring:
    """The keys and anchors of one Mandant. Several keys at once are an overlap rotation: each opens what is for it.

    `policy` is the name of the default crypto profile and `policy_until` the moment it ends (for exceptions), `require`
    what must be present in a message (`transport-signature`, `content-signature`, `trusted`). Certificates go in and
    out as DER or `x509.Certificate`; private keys do not come out.
    """

    def __init__(
        self,
        keys: Iterable[DecryptionKey] = (),
        anchors: Iterable[Anchor] = (),
        *,
        policy: str = "osci",
        policy_until: datetime | None = None,
        require: Iterable[str] = (),
    ) -> None:
        self._keys = {key.der: key for key in keys}
        self._anchors = tuple(anchors)
        self.policy = policy
        self.policy_until = policy_until
        self.require = frozenset(require)

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """Reads a keyring file; paths in it are relative to the file.

        Raises `Misconfigured`: `keyring.invalid` for the file's own shape (with the dotted path), `policy.unknown` for
        a profile that does not exist, `key.unavailable` for a key, password or certificate file that cannot be opened
        (with the file's name). Code and place are those of the first mistake; `findings` are all of them.
        """
        try:
            table = tomllib.loads(private.read_file(path, path.name).decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            raise Misconfigured("keyring.invalid", where=path.name) from None
        return _Reader(path).keyring(table)

    def has_key(self, certificate_der: bytes) -> bool:
        """Whether something encrypted for this certificate can be opened."""
        return self.key_bits(certificate_der) > 0

    def key_bits(self, certificate_der: bytes) -> int:
        """The modulus length of our key to this certificate; 0 if there is none."""
        key = self._keys.get(certificate_der)
        return 0 if key is None else key.bits

    def decrypt_key(self, certificate_der: bytes, wrapped: bytes, transport: KeyTransport, *, key_bytes: int) -> bytes:
        """The content key of `key_bytes` bytes. A failure gives a random key, never an error (`DecryptionKey.unwrap`).

        Call only if `has_key`, and only with a `transport` the policy has accepted.
        """
        return self._keys[certificate_der].unwrap(wrapped, transport, key_bytes)

    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The certificates of all keys, in the order of the file."""
        return tuple(key.certificate for key in self._keys.values())

    def anchors(self, purpose: Purpose) -> tuple[x509.Certificate, ...]:
        """The trust anchors for signatures of this layer."""
        return tuple(anchor.certificate for anchor in self._anchors if purpose in anchor.purposes)

    def __repr__(self) -> str:
        return f"<keyring of {len(self._keys)} keys>"


def named_files(path: Path) -> tuple[Path, ...]:
    """The key, password and certificate files that a keyring file names, whether they exist or not.

    For whoever watches them; never raises. Of a file that is no keyring at all, or cannot be read, none.
    """
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except (OSError, ValueError):
        return ()
    entries = [one for part in ("key", "trust") if isinstance(table.get(part), list) for one in table[part]]
    names = [entry.get(name) for entry in entries if isinstance(entry, dict) for name in _FILES]
    return tuple(path.parent / name for name in names if isinstance(name, str))


class _Reader:
    """Turns the parsed file into a keyring, and collects every mistake with its dotted path."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._name = path.name
        self._faults: list[Misconfigured] = []

    def keyring(self, table: Mapping[str, Any]) -> Keyring:
        self._known(table, _TOP, "")
        require = self._strings(table.get("require", []), "require", REQUIREMENTS)
        policy = self._policy(table.get("policy", "osci"))
        until = table.get("policy_until")
        if until is not None and not (isinstance(until, datetime) and until.tzinfo is not None):
            self._note("keyring.invalid", "policy_until", hint="a moment with a time zone")
        keys = [self._key(entry, f"key[{i}]") for i, entry in enumerate(self._tables(table, "key"))]
        anchors = [
            anchor
            for i, entry in enumerate(self._tables(table, "trust"))
            for anchor in self._trust(entry, f"trust[{i}]")
        ]
        if self._faults:
            findings = tuple(finding for fault in self._faults for finding in fault.findings)
            raise Misconfigured(self._faults[0].code, where=self._faults[0].where, findings=findings)
        opened = [key for key in keys if key is not None]
        return Keyring(opened, anchors, policy=policy, policy_until=until, require=require)

    def _policy(self, value: object) -> str:
        if not isinstance(value, str):
            self._note("keyring.invalid", "policy", hint=_allowed(POLICIES))
            return ""
        if value not in POLICIES:
            self._note("policy.unknown", "policy", near=_nearest(value, POLICIES), hint=_allowed(POLICIES))
        return value

    def _key(self, entry: Mapping[str, Any], place: str) -> DecryptionKey | None:
        self._known(entry, (*_KEY_SOURCES, "password_file"), place)
        sources = [source for source in _KEY_SOURCES if source in entry]
        if len(sources) != 1:
            self._note("keyring.invalid", place, hint=f"exactly one of {', '.join(_KEY_SOURCES)}")
            return None
        place_of_key = f"{place}.{sources[0]}"
        name = self._string(entry, sources[0], place)
        if sources[0] not in ("p12", "pem"):
            self._note("key.unsupported", place_of_key)
            return None
        is_protected = "password_file" in entry
        password = self._password(entry, place) if is_protected else None
        if not name or (is_protected and password is None):
            return None
        read = private.from_p12 if sources[0] == "p12" else private.from_pem
        try:
            return read(self._folder / name, password, name)
        except Misconfigured:
            self._unavailable(name, place_of_key)
            return None

    def _trust(self, entry: Mapping[str, Any], place: str) -> list[Anchor]:
        self._known(entry, ("pem", "purpose"), place)
        name = self._string(entry, "pem", place)
        purposes = frozenset(self._strings(entry.get("purpose", list(PURPOSES)), f"{place}.purpose", PURPOSES))
        if not name:
            return []
        try:
            certificates = x509.load_pem_x509_certificates(private.read_file(self._folder / name, name))
        except (ValueError, Misconfigured):
            self._unavailable(name, f"{place}.pem")
            return []
        return [Anchor(certificate, purposes) for certificate in certificates]

    def _password(self, entry: Mapping[str, Any], place: str) -> bytes | None:
        name = self._string(entry, "password_file", place)
        if not name:
            return None
        try:
            password = private.read_file(self._folder / name, name).rstrip(b"\r\n")
        except Misconfigured:
            password = b""
        if not password:
            self._unavailable(name, f"{place}.password_file")
            return None
        return password

    def _tables(self, table: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
        entries = table.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._note("keyring.invalid", name, hint=f"written as [[{name}]]")
            return []
        return entries

    def _string(self, entry: Mapping[str, Any], name: str, place: str) -> str:
        """The name of a file; empty when it was none, which is noted then."""
        value = entry.get(name)
        if not isinstance(value, str) or not value:
            self._note("keyring.invalid", f"{place}.{name}", hint="the name of a file, relative to the keyring")
            return ""
        return value

    def _strings(self, value: object, place: str, allowed: tuple[str, ...]) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._note("keyring.invalid", place, hint=f"a list; {_allowed(allowed)}")
            return []
        for item in value:
            if item not in allowed:
                self._note("keyring.invalid", place, near=_nearest(item, allowed), hint=_allowed(allowed))
        return value

    def _known(self, table: Mapping[str, Any], allowed: tuple[str, ...], place: str) -> None:
        for name in table:
            if name not in allowed:
                dotted = f"{place}.{name}" if place else name
                self._note("keyring.invalid", dotted, near=_nearest(name, allowed), hint=_allowed(allowed))

    def _unavailable(self, name: str, place: str) -> None:
        finding = Befund(
            "key.unavailable", path=place, hint=f"check {self._folder / name}, its password and its rights"
        )
        self._faults.append(Misconfigured("key.unavailable", where=name, findings=(finding,)))

    def _note(self, code: str, place: str, *, near: str = "", hint: str = "") -> None:
        question = f"did you mean {near}?" if near else ""
        where = f"{self._name}: {place}" + (f" ({question})" if question else "")
        finding = Befund(code, path=place, hint=" ".join(part for part in (question, hint) if part))
        self._faults.append(Misconfigured(code, where=where, findings=(finding,)))


def _nearest(name: str, allowed: tuple[str, ...]) -> str:
    return next(iter(difflib.get_close_matches(name, allowed, n=1)), "")


def _allowed(names: tuple[str, ...]) -> str:
    return f"allowed: {', '.join(names)}"
