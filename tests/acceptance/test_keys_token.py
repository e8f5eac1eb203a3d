"""One message, keys on a token, several processes and threads, the token pulled out meanwhile: the soak in short."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.testing.pki import Pki
from intermediary.testing.tokens import CONFIGURATION
from tests.soak.pkcs11_opens import Load, run


def test_two_processes_with_four_threads(
    tmp_path: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch, softhsm: Path
) -> None:
    """Every open gives the content; while the token is out a fault waits, and nothing is taken for a broken message."""
    monkeypatch.setenv(CONFIGURATION, "")
    figures = run(tmp_path / "run", pki, Load(opens=240, pulls=1))

    assert figures["ok"], figures
    assert figures["faults"]
