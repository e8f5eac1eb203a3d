"""`doctor` of an installation with an HTTPS door: its certificate, and who signs the answers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from intermediary.testing.pki import Pki
from tests.acceptance.command import call
from tests.acceptance.osci_endpoint import SIGN, furnish


def said(config: Path) -> list[str]:
    out = call("doctor", "-c", config).out
    return [line for line in out.splitlines() if "door osci" in line]


@pytest.fixture
def config(tmp_path: Path, pki: Pki) -> Path:
    site, _port = furnish(tmp_path / "site", pki, now=datetime.now(UTC))
    return site.config


def test_all_is_well(config: Path) -> None:
    """One line: where it listens and how long its certificate lasts (29 days are worth a warning)."""
    (line,) = said(config)

    assert "certificate 29 days left" in line


def test_unsigned_answers_are_told(config: Path) -> None:
    """Without [[sign]] the Mandant is named."""
    ring = config.parent / "keys" / "keyring.toml"
    ring.write_text(ring.read_text().replace(SIGN, ""))
    if "[[sign]]" in ring.read_text():
        ring.write_text(ring.read_text().partition("[[sign]]")[0])

    assert any("answers for musterstadt are unsigned" in line for line in said(config))


def test_a_broken_certificate_is_told(config: Path) -> None:
    """A key that is not the certificate's."""
    (config.parent / "secrets" / "tls.key.pem").write_text("rubbish")
    (line,) = said(config)

    assert "tls.key.pem" in line
