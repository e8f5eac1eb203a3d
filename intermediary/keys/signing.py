"""The signing key of the installation: signs the heads of the audit log, and nothing else."""

from __future__ import annotations

import os
import stat
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


def create_signing_key(path: Path) -> SigningKey:
    """Write a new key to a file only its owner may read, never over an existing one, and open it."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return SigningKey(path)
