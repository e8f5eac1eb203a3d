"""The keyring: which keys open a Mandant's messages, which anchors are trusted, what the policy demands (DESIGN §5)."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from intermediary.core.faults import Misconfigured
from intermediary.keys import private
from intermediary.keys.entries import POLICIES, PURPOSES, Anchor, Purpose
from intermediary.keys.identity import SignatureKey
from intermediary.keys.material import GRACE, MODES, Material, Revocation, material_files
from intermediary.keys.private import KeyTransport, ReaderKey
from intermediary.keys.sources import KEY_FILES, KeyEntry, KeyEntryReader

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
    "sign",
    "trust",
    "fit_connect",
)


class Keyring:
    """The keys and anchors of one Mandant. Several keys at once are an overlap rotation: each opens what is for it.

    `policy` is the name of the default crypto profile and `policy_until` the moment it ends (for exceptions), `require`
    what must be present in a message (`transport-signature`, `content-signature`, `trusted`). `intermediates` may stand
    in a path but end none. Certificates go in and out as DER or `x509.Certificate`; private keys do not come out.
    """

    def __init__(
        self,
        keys: Iterable[ReaderKey] = (),
        anchors: Iterable[Anchor] = (),
        *,
        policy: str = "osci",
        policy_until: datetime | None = None,
        require: Iterable[str] = (),
        revocation: Revocation | None = None,
        intermediates: Iterable[x509.Certificate] = (),
        signature_keys: Iterable[SignatureKey] = (),
    ) -> None:
        self._keys = {key.der: key for key in keys}
        self._anchors = tuple(anchors)
        self.policy = policy
        self.policy_until = policy_until
        self.require = frozenset(require)
        self.revocation = revocation or Revocation()
        self.intermediates = tuple(intermediates)
        self._signature_keys = tuple(signature_keys)

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """Reads a keyring file; paths in it are relative to the file.

        Raises `Misconfigured`: `keyring.invalid` for the file's own shape (with the dotted path), `policy.unknown` for
        a profile that does not exist, `key.unavailable` for a key, password or certificate file that cannot be opened
        (with the file's name). Code and place are those of the first mistake; `findings` are all of them.
        """
        return _Reader(path).keyring(_table(path))

    def has_key(self, certificate_der: bytes) -> bool:
        """Whether something encrypted for this certificate can be opened."""
        return self.key_bits(certificate_der) > 0

    def key_bits(self, certificate_der: bytes) -> int:
        """The modulus length of our key to this certificate; 0 if there is none."""
        key = self._keys.get(certificate_der)
        return 0 if key is None else key.bits

    def decrypt_key(self, certificate_der: bytes, wrapped: bytes, transport: KeyTransport, *, key_bytes: int) -> bytes:
        """The content key of `key_bytes` bytes; a random one for a block that does not open, never an error.

        A key on a token that cannot be reached raises `Misconfigured("key.unavailable")` or
        `Transient("key.token.failed")` (see `ReaderKey.unwrap`). Call only if `has_key`, and only with a `transport` the
        policy has accepted.
        """
        return self._keys[certificate_der].unwrap(wrapped, transport, key_bytes)

    def certificates(self) -> tuple[x509.Certificate, ...]:
        """The certificates of all keys that open something, in the order of the file."""
        return tuple(key.certificate for key in self._keys.values())

    def signature_key(self) -> SignatureKey | None:
        """The key this Mandant signs with, the first of the file; None if it has none."""
        return next(iter(self._signature_keys), None)

    def anchors(self, purpose: Purpose) -> tuple[x509.Certificate, ...]:
        """The trust anchors for signatures of this layer."""
        return tuple(anchor.certificate for anchor in self._anchors if purpose in anchor.purposes)

    def undemanding(self) -> Keyring:
        """The same keys and anchors without any `require`: for what has been judged and is only opened again."""
        ring = copy.copy(self)
        ring.require = frozenset()
        return ring

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
    entries = [one for part in ("key", "sign", "trust") if isinstance(table.get(part), list) for one in table[part]]
    names = [entry.get(name) for entry in entries if isinstance(entry, dict) for name in KEY_FILES]
    names += listed if isinstance(listed := table.get("intermediates"), list) else []
    found = [path.parent / name for name in names if isinstance(name, str)]
    folder = table.get("revocation_folder")
    if isinstance(folder, str):
        found += [path.parent / folder, *material_files(path.parent / folder)]
    return tuple(found)


def key_entries(path: Path) -> tuple[KeyEntry, ...]:
    """Every key that a keyring file names, those that cannot be opened too; `Misconfigured` when it is no keyring."""
    return _Reader(path).key_entries(_table(path))


def _table(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(private.read_file(path, path.name).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise Misconfigured("keyring.invalid", where=path.name) from None


class _Reader(KeyEntryReader):
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
        entries = self._entries(table)
        anchors = [
            anchor
            for i, entry in enumerate(self._tables(table, "trust"), 1)
            for anchor in self._trust(entry, f"trust[{i}]")
        ]
        self._check()
        return Keyring(
            [one.reader for one in entries if one.reader is not None],
            anchors,
            policy=policy,
            policy_until=until,
            require=require,
            revocation=revocation,
            intermediates=intermediates,
            signature_keys=[one.signer for one in entries if one.signer is not None],
        )

    def key_entries(self, table: Mapping[str, Any]) -> tuple[KeyEntry, ...]:
        return tuple(self._entries(table))

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
