"""The keyring: which keys open a Mandant's messages, which anchors are trusted, what the policy demands (DESIGN §5)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from intermediary.core.faults import Misconfigured
from intermediary.keys import private
from intermediary.keys.entries import POLICIES, PURPOSES, Anchor, EntryReader, Purpose
from intermediary.keys.material import GRACE, MODES, Material, Revocation, material_files
from intermediary.keys.private import DecryptionKey, KeyTransport

__all__ = ["POLICIES", "PURPOSES", "REQUIREMENTS", "Anchor", "Keyring", "Purpose", "named_files"]

REQUIREMENTS = ("transport-signature", "content-signature", "trusted")

_TOP = (
    "policy",
    "policy_until",
    "require",
    "revocation",
    "revocation_folder",
    "revocation_grace_hours",
    "intermediates",
    "key",
    "trust",
    "fit_connect",
)
_KEY_SOURCES = ("p12", "pem", "jwk", "pkcs11")
_FILES = ("p12", "pem", "jwk", "password_file")


class Keyring:
    """The keys and anchors of one Mandant. Several keys at once are an overlap rotation: each opens what is for it.

    `policy` is the name of the default crypto profile and `policy_until` the moment it ends (for exceptions), `require`
    what must be present in a message (`transport-signature`, `content-signature`, `trusted`). `intermediates` may stand
    in a path but end none. Certificates go in and out as DER or `x509.Certificate`; private keys do not come out.
    """

    def __init__(
        self,
        keys: Iterable[DecryptionKey] = (),
        anchors: Iterable[Anchor] = (),
        *,
        policy: str = "osci",
        policy_until: datetime | None = None,
        require: Iterable[str] = (),
        revocation: Revocation | None = None,
        intermediates: Iterable[x509.Certificate] = (),
    ) -> None:
        self._keys = {key.der: key for key in keys}
        self._anchors = tuple(anchors)
        self.policy = policy
        self.policy_until = policy_until
        self.require = frozenset(require)
        self.revocation = revocation or Revocation()
        self.intermediates = tuple(intermediates)

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
    """The key, password, certificate and revocation files that a keyring file names, whether they exist or not.

    For whoever watches them; never raises. Of a file that is no keyring at all, or cannot be read, none.
    """
    try:
        table = tomllib.loads(path.read_bytes().decode())
    except (OSError, ValueError):
        return ()
    entries = [one for part in ("key", "trust") if isinstance(table.get(part), list) for one in table[part]]
    names = [entry.get(name) for entry in entries if isinstance(entry, dict) for name in _FILES]
    names += listed if isinstance(listed := table.get("intermediates"), list) else []
    found = [path.parent / name for name in names if isinstance(name, str)]
    folder = table.get("revocation_folder")
    if isinstance(folder, str):
        found += [path.parent / folder, *material_files(path.parent / folder)]
    return tuple(found)


class _Reader(EntryReader):
    """Turns the parsed file into a keyring, and collects every mistake with its dotted path."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "keyring.invalid")

    def keyring(self, table: Mapping[str, Any]) -> Keyring:
        self._known(table, _TOP, "")
        require = self._strings(table.get("require", []), "require", REQUIREMENTS)
        policy = self._policy(table.get("policy", "osci"))
        until = self._moment(table.get("policy_until"), "policy_until")
        revocation = self._revocation(table)
        intermediates = self._certificate_files(table.get("intermediates", []), "intermediates")
        keys = [self._key(entry, f"key[{i}]") for i, entry in enumerate(self._tables(table, "key"))]
        anchors = [
            anchor
            for i, entry in enumerate(self._tables(table, "trust"))
            for anchor in self._trust(entry, f"trust[{i}]")
        ]
        self._check()
        opened = [key for key in keys if key is not None]
        return Keyring(
            opened,
            anchors,
            policy=policy,
            policy_until=until,
            require=require,
            revocation=revocation,
            intermediates=intermediates,
        )

    def _revocation(self, table: Mapping[str, Any]) -> Revocation:
        mode = self._choice(table.get("revocation", "off"), "revocation", MODES)
        hours = table.get("revocation_grace_hours", GRACE // timedelta(hours=1))
        if not isinstance(hours, int) or isinstance(hours, bool) or not 0 <= hours <= 24 * 365:
            self._note("keyring.invalid", "revocation_grace_hours", hint="whole hours, 0 to 8760")
            hours = 0
        if "revocation_folder" not in table and mode == "off":
            return Revocation()
        hint = "the folder of CRLs and OCSP responses, relative to this file"
        name = self._string(table, "revocation_folder", "", hint)
        if name and not (self._folder / name).is_dir():
            self._note("keyring.invalid", "revocation_folder", hint=f"there is no folder {self._folder / name}")
        material = Material.load(self._folder / name) if name else Material()
        return Revocation(mode, timedelta(hours=hours), material)

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
