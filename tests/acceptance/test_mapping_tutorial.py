"""The tutorial docs/howto/mapping.md, executed as it stands: from an empty folder to a passing test and a report."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs/howto/mapping.md"
CODE = "musterstadt-hund/musterstadt_hund/mapping.py"
README = "musterstadt-hund/README.md"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of the page: its language, what is to be done with it, its lines."""

    language: str
    deed: str
    lines: tuple[str, ...]


def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    """Every command ends as the page says; at the end the mapping passes, is pure, and the report knows its rules."""
    said = ""
    for block in _blocks():
        if block.language == "sh":
            said += _run(block, tmp_path)
        else:
            _edit(block, tmp_path)
    report = (tmp_path / "bericht.html").read_text(encoding="utf-8")

    assert "noch nicht zugeordnet: 7" in said
    assert "musterstadt-hund@1: 2 von 2 Fällen wie erwartet (Ausgaben amtlich geprüft)" in said
    assert "Herkunft: 7 von 7 Blattelementen (100 %)" in said
    assert "musterstadt-hund@1: rein (4 Module gelesen, 2 Fälle in zwei Läufen verglichen)" in said
    assert "Jahr des Eingangs, Bindestrich, Anfang der Kennung" in report
    assert "Angemeldet wird ein Hund, der schon gehalten wird." in report


def test_the_page_has_every_kind_of_step() -> None:
    """A block nobody executes would be prose: the page has commands and edits, and no other fenced blocks."""
    blocks = _blocks()

    assert {"sh", "python"} == {block.language for block in blocks}
    assert len(blocks) >= 12


def _blocks() -> list[Block]:
    found = re.findall(r"^```(\w+) ?(.*)\n((?:.*\n)*?)```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [Block(language, deed, tuple(text.splitlines())) for language, deed, text in found]


def _run(block: Block, folder: Path) -> str:
    """Run a block of commands; its deed is the exit code, 0 if none is named."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", "\n".join(block.lines)],
        cwd=folder,
        env={**os.environ, "QUELLE": str(PROJECT), "PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert int(block.deed or 0) == done.returncode, f"{block.lines}\n{done.stdout}{done.stderr}"
    return done.stdout


def _edit(block: Block, folder: Path) -> None:
    """Change a file as the deed says: replace lines that begin alike, add after or before a line, or at the end."""
    deed, _, where = block.deed.partition("=")
    path = folder / (README if deed == "readme" else CODE)
    lines = path.read_text(encoding="utf-8").split("\n")
    if deed == "anhängen":
        lines = ["\n".join(lines).rstrip("\n"), *block.lines, ""]
    elif deed == "ersetzen":
        for new in block.lines:
            start = re.split(r", |\(antrag", new)[0]
            places = [number for number, line in enumerate(lines) if line.startswith(start)]
            assert 1 == len(places), f"{start}: {places}"
            lines[places[0]] = new
    else:
        place = lines.index(where.strip('"'))
        if deed == "readme":
            place += 1
        lines[place + (deed != "vor") : place + (deed != "vor")] = block.lines
    path.write_text("\n".join(lines), encoding="utf-8")
