"""A large attachment through a real daemon: every process stays below its share of memory (DESIGN §7)."""

from __future__ import annotations

from pathlib import Path

from bench.large import MOST_KIBIBYTES, travel
from intermediary.testing.pki import Pki

MEBIBYTE = 1024 * 1024


def test_a_large_attachment_needs_little_memory(tmp_path: Path, pki: Pki) -> None:
    """256 MiB sealed in one message reach the Fachverfahren whole; no process ever holds 256 MiB."""
    journey = travel(tmp_path, 256 * MEBIBYTE, pki=pki, patience_seconds=60)

    assert journey.is_whole
    assert {"supervisor", "ingress", "worker"} <= journey.peaks.keys()
    assert {} == {role: peak for role, peak in journey.peaks.items() if peak >= MOST_KIBIBYTES}
