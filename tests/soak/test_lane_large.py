"""A document of 2 GiB through a lane: held by neither process, at most of the rate without one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance import lane_vendor as vendor

pytestmark = pytest.mark.soak

GIBIBYTES = 2
MOST_BYTES = 256 << 20
PROGRAM = """
import io, json, sys, time, hashlib
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from intermediary.connect.lane.connector import LaneFactory
from intermediary.connect.lane.process import LaneLimits
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument
from intermediary.testing.connectors import NOW, make_auftrag

PIECE, COUNT = bytes(range(256)) * 4096, {gibibytes} << 10
class Large(io.RawIOBase):
    def __init__(self): self.left = COUNT * len(PIECE)
    def readable(self): return True
    def readinto(self, buffer):
        count = min(len(buffer), self.left, len(PIECE)); buffer[:count] = PIECE[:count]; self.left -= count
        return count
class Content:
    length, sha256 = COUNT * len(PIECE), "0" * 64
    def open(self): return io.BufferedReader(Large(), 1 << 20)
    def read(self): raise AssertionError("nobody may hold it")
def peak(pid):
    lines = Path(f"/proc/{{pid}}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))

began = time.monotonic()
expected = hashlib.file_digest(Content().open(), "sha256").hexdigest()
bare = time.monotonic() - began
folder = Path(sys.argv[1])
table = {{"folder": str(folder), "password_file": str(folder / "password")}}
entry = EntryPoint("boeswillig", "boeswillig:CONNECTOR", "intermediary.connectors")
lane = LaneFactory(entry, LaneLimits()).open(table, base=folder, where="t")
auftrag = replace(make_auftrag(), target="well", dokumente=(Dokument("d.bin", "application/octet-stream", Content()),))
began = time.monotonic()
proof = lane.deliver(auftrag, Checkpoints(("case", "document")), NOW).proof
seconds = time.monotonic() - began
[one] = lane.lanes()
figures = {{"same": proof["1"] == expected, "bare": bare, "seconds": seconds}}
print(json.dumps({{**figures, "ours": peak("self"), "theirs": peak(one.pid)}}))
"""


def test_two_gibibytes_pass_through(tmp_path: Path) -> None:
    """Whole, with less than 256 MiB in either process, and at three fifths of the rate of hashing it here at least."""
    shutil.copy(vendor.__file__, tmp_path / "boeswillig.py")
    (tmp_path / "password").write_text("geheim\n")
    (tmp_path / "password").chmod(0o600)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.format(gibibytes=GIBIBYTES))
    path = [str(tmp_path), *filter(None, sys.path)]
    said = subprocess.run(
        [sys.executable, str(program), str(tmp_path)],
        env={"PYTHONPATH": ":".join(path)},
        capture_output=True,
        check=True,
        timeout=600,
        text=True,
    )
    figures = json.loads(said.stdout.splitlines()[-1])
    print(figures)

    assert figures["same"]
    assert figures["ours"] < MOST_BYTES
    assert figures["theirs"] < MOST_BYTES
    assert figures["bare"] / figures["seconds"] >= 0.6
