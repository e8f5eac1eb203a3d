"""What the tests of keys share: keys, and a token of SoftHSM."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from intermediary.testing.tokens import CONFIGURATION, SoftToken, make_token


@pytest.fixture(scope="session")
def reader_key() -> rsa.RSAPrivateKey:
    """A reader's key of the length that new certificates have."""
    return rsa.generate_private_key(65537, 3072)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    """A key that is not the reader's."""
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, softhsm: Path) -> SoftToken:
    """An empty token that this process sees."""
    made = make_token(tmp_path / "hsm")
    monkeypatch.setenv(CONFIGURATION, str(made.configuration))
    return made
