"""The page on mappings in XSLT: its commands and files lead to a mapping that passes, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/howto/xslt-mapping.md"


def test_the_beginning_works_as_written(tmp_path: Path) -> None:
    """From an empty folder: a package, its stylesheet, a golden case that is checked officially, and it is pure."""
    said = ""
    for language, name, text in re.findall(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", _beginning(), re.MULTILINE):
        if language == "sh":
            said += _run(text, tmp_path)
        else:
            (tmp_path / name).write_text(text, encoding="utf-8")

    shown = re.findall(r"^    (.*)$", _beginning().rpartition("```\n")[2], re.MULTILINE)
    assert len(shown) == 2
    assert all(line in said for line in shown)
    assert "musterstadt-hund@1: rein" in said


def _beginning() -> str:
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index("## Anfangen") : text.index("## Was dazugehört")]


def _run(commands: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env={**os.environ, "PATH": path, "QUELLE": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert 0 == done.returncode, f"{commands}\n{done.stdout}{done.stderr}"
    return done.stdout
