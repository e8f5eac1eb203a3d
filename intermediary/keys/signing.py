"""The signing key of the installation: signs heads of the audit log and dossiers, and nothing else."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from intermediary.core.faults import Misconfigured


class SigningKey:
    """An Ed25519 key read from a PEM file of mode 0600; `Misconfigured("key.unavailable")` when that fails."""

    __slots__ = ("_key",)

    def __init__(self, path: Path) -> None:
        where = f"signing key: {path.name}"
        try:
            with path.open("rb") as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode) or stat.S_IMODE(about.st_mode) & 0o077:
                    raise Misconfigured("key.unavailable", where=f"{where} (mode must be 0600)")
                key = load_pem_private_key(file.read(65536), password=None)
        except (OSError, ValueError, TypeError) as wrong:
            raise Misconfigured("key.unavailable", where=where) from wrong
        if not isinstance(key, Ed25519PrivateKey):
            raise Misconfigured("key.unavailable", where=f"{where} (not an Ed25519 key)")
        self._key = key

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, 64 bytes."""
        return self._key.sign(data)

    def public_pem(self) -> bytes:
        """The public key in PEM form: what whoever verifies the audit log needs."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def __repr__(self) -> str:
        return "<signing key>"


class SigningKeyFile:
    """The key in a file, read anew at each use: a change of the key (`audit rotate-key`) needs no restart.

    Whoever signs under a lock, as the sealer does, thereby signs with the key of that moment. Raises as `SigningKey`.
    """

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path
        SigningKey(path)

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`, 64 bytes."""
        return SigningKey(self._path).sign(data)

    def public_pem(self) -> bytes:
        """The public key of the moment in PEM form."""
        return SigningKey(self._path).public_pem()

    def __repr__(self) -> str:
        return "<signing key file>"


def create_signing_key(path: Path) -> SigningKey:
    """Write a new key to a file only its owner may read, and open it; FileExistsError when there is one already.

    The file appears whole or not at all: after a crash, and to another process that starts at the same moment.
    """
    if path.exists():
        raise FileExistsError(path.name)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    finally:
        draft.unlink()
    _sync_folder(path.parent)
    return SigningKey(path)


def replace_signing_key(path: Path, successor: Path) -> None:
    """Put the successor in the place of the key in one step, durably."""
    successor.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
