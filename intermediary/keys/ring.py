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
from intermediary.keys import private
from intermediary.keys.private import DecryptionKey, KeyTransport

Purpose = Literal["transport", "content"]
PURPOSES: tuple[Purpose, ...] = ("transport", "content")
REQUIREMENTS = ("transport-signature", "content-signature", "trusted")

_TOP = ("policy", "policy_until", "require", "key", "trust", "fit_connect")
_KEY_SOURCES = ("p12", "pem", "jwk", "pkcs11")


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

        Raises `Misconfigured`: `keyring.invalid` for the file's own shape (with the dotted path), `key.unavailable` for
        a key, password or certificate file that cannot be opened (with the file's name).
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


class _Reader:
    """Turns the parsed file into a keyring and names the dotted path of what is wrong."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._name = path.name

    def keyring(self, table: Mapping[str, Any]) -> Keyring:
        self._known(table, _TOP, "")
        require = self._strings(table.get("require", []), "require", REQUIREMENTS)
        policy = table.get("policy", "osci")
        if not isinstance(policy, str):
            raise self._invalid("policy")
        until = table.get("policy_until")
        if until is not None and not (isinstance(until, datetime) and until.tzinfo is not None):
            raise self._invalid("policy_until")
        keys = [self._key(entry, f"key[{i}]") for i, entry in enumerate(self._tables(table, "key"))]
        anchors = [
            anchor
            for i, entry in enumerate(self._tables(table, "trust"))
            for anchor in self._trust(entry, f"trust[{i}]")
        ]
        return Keyring(keys, anchors, policy=policy, policy_until=until, require=require)

    def _key(self, entry: Mapping[str, Any], place: str) -> DecryptionKey:
        self._known(entry, (*_KEY_SOURCES, "password_file"), place)
        sources = [source for source in _KEY_SOURCES if source in entry]
        if len(sources) != 1:
            raise self._invalid(place)
        name = self._string(entry, sources[0], place)
        password = self._password(entry, place)
        if sources[0] == "p12":
            return private.from_p12(self._folder / name, password, name)
        if sources[0] == "pem":
            return private.from_pem(self._folder / name, password, name)
        raise Misconfigured("key.unsupported", where=f"{self._name}: {place}.{sources[0]}")

    def _trust(self, entry: Mapping[str, Any], place: str) -> list[Anchor]:
        self._known(entry, ("pem", "purpose"), place)
        name = self._string(entry, "pem", place)
        purposes = frozenset(self._strings(entry.get("purpose", list(PURPOSES)), f"{place}.purpose", PURPOSES))
        try:
            certificates = x509.load_pem_x509_certificates(private.read_file(self._folder / name, name))
        except ValueError:
            raise Misconfigured("key.unavailable", where=name) from None
        return [Anchor(certificate, purposes) for certificate in certificates]

    def _password(self, entry: Mapping[str, Any], place: str) -> bytes | None:
        if "password_file" not in entry:
            return None
        name = self._string(entry, "password_file", place)
        password = private.read_file(self._folder / name, name).rstrip(b"\r\n")
        if not password:
            raise Misconfigured("key.unavailable", where=name)
        return password

    def _tables(self, table: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
        entries = table.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._invalid(name)
        return entries

    def _string(self, entry: Mapping[str, Any], name: str, place: str) -> str:
        value = entry.get(name)
        if not isinstance(value, str) or not value:
            raise self._invalid(f"{place}.{name}")
        return value

    def _strings(self, value: object, place: str, allowed: tuple[str, ...]) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._invalid(place)
        for item in value:
            if item not in allowed:
                raise self._invalid(place + _suggestion(item, allowed))
        return value

    def _known(self, table: Mapping[str, Any], allowed: tuple[str, ...], place: str) -> None:
        for name in table:
            if name not in allowed:
                dotted = f"{place}.{name}" if place else name
                raise self._invalid(dotted + _suggestion(name, allowed))

    def _invalid(self, place: str) -> Misconfigured:
        return Misconfigured("keyring.invalid", where=f"{self._name}: {place}")


def _suggestion(name: str, allowed: tuple[str, ...]) -> str:
    nearest = difflib.get_close_matches(name, allowed, n=1)
    return f" (did you mean {nearest[0]}?)" if nearest else ""
