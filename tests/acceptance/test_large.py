"""A large attachment through a real daemon: every process stays below its share of memory (DESIGN §7)."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench.large import MOST_KIBIBYTES, seal_large, travel
from bench.noise import Noise
from intermediary.testing.demo_proof import golden_settings
from intermediary.testing.demo_site import make_site
from intermediary.testing.pki import Pki

MEBIBYTE = 1024 * 1024

_OPEN = """
import sys
from intermediary.cli.main import main
sys.argv[0:1] = ["intermediary", "open"]
try:
    main()
finally:
    print([line for line in open("/proc/self/status") if line.startswith("VmHWM:")][0].split()[1])
"""


def test_a_large_attachment_needs_little_memory(tmp_path: Path, pki: Pki) -> None:
    """256 MiB sealed in one message reach the Fachverfahren whole; no process ever holds 256 MiB."""
    journey = travel(tmp_path, 256 * MEBIBYTE, pki=pki, patience_seconds=60)

    assert journey.is_whole
    assert {"supervisor", "ingress", "worker"} <= journey.peaks.keys()
    assert {} == {role: peak for role, peak in journey.peaks.items() if peak >= MOST_KIBIBYTES}


def test_opening_a_large_file_needs_little_memory(tmp_path: Path, pki: Pki) -> None:
    """`open --extract` reads and writes a large message in pieces."""
    site = make_site(tmp_path / "site", now=datetime.now(UTC), settings=golden_settings(), pki=pki)
    attachment = Noise(256 * MEBIBYTE)
    seal_large(site, attachment, tmp_path / "sealed")
    keys = site.folder / "keys" / "keyring.toml"
    command = [
        sys.executable,
        "-c",
        _OPEN,
        tmp_path / "sealed",
        "--keys",
        keys,
        "--json",
        "--extract",
        tmp_path / "out",
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    hashes = {one["sha256"] for one in json.loads(said[0])["attachments"]}

    assert attachment.sha256 in hashes
    assert attachment.length in {path.stat().st_size for path in (tmp_path / "out").iterdir()}
    assert MOST_KIBIBYTES > int(said[1])
