"""The signing key of the installation: made once, private, and what it signs can be verified."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from intermediary.core.faults import Misconfigured
from intermediary.keys.signing import SigningKey, create_signing_key


def test_a_signature_verifies(tmp_path: Path) -> None:
    """With the public key alone, also after the file was opened again."""
    made = create_signing_key(tmp_path / "key.pem")
    public = load_pem_public_key(SigningKey(tmp_path / "key.pem").public_pem())

    assert isinstance(public, Ed25519PublicKey)
    public.verify(made.sign(b"head"), b"head")
    assert (0o600, "<signing key>") == ((tmp_path / "key.pem").stat().st_mode & 0o777, repr(made))


def test_an_existing_key_is_never_overwritten(tmp_path: Path) -> None:
    """Old heads would lose their key."""
    create_signing_key(tmp_path / "key.pem")

    with pytest.raises(FileExistsError):
        create_signing_key(tmp_path / "key.pem")


def test_a_crash_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the bytes are durable there is no file of that name, so that the next start makes one."""
    path = tmp_path / "key.pem"

    def crash(_descriptor: int) -> None:
        assert not path.exists()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            create_signing_key(path)

    assert [] == list(tmp_path.iterdir())
    assert 64 == len(create_signing_key(path).sign(b"head"))


def test_all_who_start_at_once_have_one_key(tmp_path: Path) -> None:
    """Whoever comes second finds a whole key, never the beginning of one."""
    path, barrier = tmp_path / "key.pem", threading.Barrier(8)

    def start(_: int) -> bytes:
        barrier.wait(10)
        try:
            return create_signing_key(path).public_pem()
        except FileExistsError:
            return SigningKey(path).public_pem()

    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(start, range(8)))

    assert {SigningKey(path).public_pem()} == seen
    assert [path] == list(tmp_path.iterdir())


def test_an_unfit_file_is_refused(tmp_path: Path) -> None:
    """Missing, readable by others, no key, another kind of key."""
    path = tmp_path / "key.pem"
    with pytest.raises(Misconfigured, match=r"key\.unavailable"):
        SigningKey(path)

    create_signing_key(path)
    path.chmod(0o644)
    with pytest.raises(Misconfigured, match="0600"):
        SigningKey(path)

    rsa = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"nothing", rsa):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(Misconfigured, match=r"key\.unavailable"):
            SigningKey(path)
