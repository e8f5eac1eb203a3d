"""The tutorials docs/howto/connector-tutorial*.md, executed as they stand: from an empty folder to a passing check.

Each commands block runs as a new user would type it; the German one ends with the check of all guarantees, the English one
goes as far as the flaw that is found (its last check is part of the soak).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HOWTO = Path(__file__).resolve().parents[2] / "docs/howto"
PAGES = {"connector-tutorial.md": "musterfirma-verfahren", "connector-tutorial.en.md": "ourfirm-system"}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page: its language, what is to be done with it, its lines."""

    language: str
    deed: str
    text: str


def test_the_tutorial_ends_with_a_passing_check(tmp_path: Path) -> None:
    """Every command ends as the page says, the planted flaw is named, and in the end all guarantees hold."""
    said = executed("connector-tutorial.md", tmp_path)

    assert "musterfirma-verfahren: 3 von 11 Zusagen versucht, keine gebrochen; ob Stufe lookup hält, zeigt" in said
    assert "BRICHT  loss " in said
    assert "zu tun:   Nur eine verstandene Antwort des Ziels ist Delivered" in said
    assert "musterfirma-verfahren: Stufe lookup hält; 11 von 11 versuchten Zusagen" in said


@pytest.mark.soak
def test_the_english_tutorial_does_the_same(tmp_path: Path) -> None:
    """The pages are translations: the same commands with the same ends."""
    said = executed("connector-tutorial.en.md", tmp_path)

    assert "BRICHT  loss " in said
    assert "ourfirm-system: Stufe lookup hält; 11 von 11 versuchten Zusagen" in said


def test_both_pages_say_the_same() -> None:
    """Block for block, but for names: what the German page does, the English one does."""
    words = {"musterfirma-verfahren": "ourfirm-system", "musterfirma_verfahren": "ourfirm_system", "versuch/": "trial/"}
    words |= {"akten": "files", "akte": "file", "kennung": "ref", "dokument": "document", "abschluss": "closing"}
    words |= {"versuch": "trial", "anhängen": "append"}
    german, english = ([*blocks(name)] for name in PAGES)

    for one, other in zip(german, english, strict=True):
        text = f"{one.language} {one.deed}\n{one.text}"
        for word, translation in words.items():
            text = text.replace(word, translation)
        assert text == f"{other.language} {other.deed}\n{other.text}"


def blocks(name: str) -> list[Block]:
    found = re.findall(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", (HOWTO / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) >= 6
    return [Block(*one) for one in found]


def executed(name: str, folder: Path) -> str:
    """What all commands of a page have said."""
    said, package = "", PAGES[name]
    for block in blocks(name):
        if block.language == "toml":
            with (folder / package / package.replace("-", "_") / "kit.toml").open("a", encoding="utf-8") as file:
                file.write(block.text)
        else:
            said += _run(block, folder)
    return said


def _run(block: Block, folder: Path) -> str:
    """Run a block of commands; its deed is the exit code, 0 if none is named."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", block.text],
        cwd=folder,
        env={**os.environ, "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert int(block.deed or 0) == done.returncode, f"{block.text}\n{done.stdout}{done.stderr}"
    return done.stdout
