"""A small installation on disk that every test may spoil in its own way."""

from __future__ import annotations

from pathlib import Path

import pytest

MINIMAL = """
[installation]
name = "test"
data = "data"
routes = "routes.toml"
[audit]
heads_folder = "heads"
[schemas]
folder = "schemas"
[[mandant]]
name = "musterstadt"
kek_file = "secrets/musterstadt.kek"
keyring = "keyring.toml"
[[channel]]
name = "ablage"
type = "folder"
mandanten = ["musterstadt"]
folder = { inbox = "eingang" }
answer = { type = "folder", folder = "quittungen" }
"""


@pytest.fixture
def minimal() -> str:
    """The text of the smallest configuration that has nothing to complain about."""
    return MINIMAL


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """The main file of an installation without a finding."""
    file = tmp_path / "intermediary.toml"
    file.write_text(MINIMAL, encoding="utf-8")
    (tmp_path / "routes.toml").touch()
    (tmp_path / "keyring.toml").write_text('[[key]]\np12 = "secrets/a.p12"\npassword_file = "secrets/a.pass"\n')
    (tmp_path / "secrets").mkdir(mode=0o700)
    for name in ("musterstadt.kek", "a.p12", "a.pass"):
        (tmp_path / "secrets" / name).write_text("x")
        (tmp_path / "secrets" / name).chmod(0o600)
    return file
