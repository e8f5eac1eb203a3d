"""`intermediary demo` as a newcomer runs it: everything comes out as announced, and nothing outside its folder changes."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from tests.acceptance.command import Said, call, process


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """One demo in a folder of its own: (folder, what it said)."""
    folder = tmp_path_factory.mktemp("demo") / "vorfuehrung"
    return folder, process("demo", "--dir", folder)


def _rows(said: Said) -> dict[str, list[str]]:
    """The cells of the table by file name."""
    return {line.split()[0]: re.split(r"\s{2,}", line) for line in said.lines if re.match(r"antrag-\d\.osci", line)}


def test_the_demo_shows_what_was_promised(demo):
    """Two delivered, a forged one, one with schema errors, a missing route, a duplicate, a retry; exit code 0."""
    _, said = demo
    rows = _rows(said)

    assert (0, "") == (said.code, said.err)
    assert 6 == len(rows)
    assert ["completed", "kam 2-mal, einmal zugestellt"] == rows["antrag-1.osci"][2:4]
    assert "completed" == rows["antrag-2.osci"][2]
    assert ["rejected", "osci.content-signature.invalid"] == rows["antrag-3.osci"][2:4]
    assert ["rejected", "validate.input.invalid (4)"] == rows["antrag-4.osci"][2:4]
    assert ["completed", "wartete: route.missing"] == rows["antrag-5.osci"][2:4]
    assert ["completed", "2 Versuche"] == rows["antrag-6.osci"][2:4]
    assert 4 == sum("(Zeile " in line for line in said.lines)
    assert "Goldene Ausgabe: gleich" in said.out
    assert "unversehrt" in said.out
    assert all(len(line) <= 100 for line in said.lines if "/" not in line)


def test_what_it_points_to_is_there(demo):
    """Packages, Quittungen, audit heads: as many as it says, where it says."""
    folder, said = demo
    packages = sorted((folder / "fachverfahren").glob("*.zip"))
    answers = [json.loads(path.read_text()) for path in (folder / "quittungen").glob("*.json")]

    assert f"Pakete (4):     {folder / 'fachverfahren'}" in said.out
    assert f"Quittungen (6): {folder / 'quittungen'}" in said.out
    assert 4 == len(packages)
    assert all(zipfile.ZipFile(path).testzip() is None for path in packages)
    assert {"accepted": 4, "rejected": 2} == {
        status: sum(answer["status"] == status for answer in answers) for status in ("accepted", "rejected")
    }
    assert (folder / "audit-heads" / "heads.jsonl").stat().st_size > 0


def test_the_commands_it_proposes_work(demo):
    """Each line under "Weiter mit" can be typed as it stands."""
    _, said = demo
    proposed = [line.split() for line in said.lines if line.startswith("  intermediary ")]

    assert ["list", "explain", "show", "replay"] == [words[1] for words in proposed]
    for words in proposed:
        assert (0, "") == (call(*words[1:]).code, call(*words[1:]).err), words


def test_a_second_run_replaces_the_first(demo):
    """The same folder again: everything new, and only what lies in it was touched."""
    folder, _ = demo
    beside = folder.with_name("daneben")
    beside.write_text("bleibt")
    before = {path.name for path in (folder / "fachverfahren").glob("*.zip")}

    said = process("demo", "--dir", folder)

    assert 0 == said.code
    assert "bleibt" == beside.read_text()
    after = {path.name for path in (folder / "fachverfahren").glob("*.zip")}
    assert 4 == len(after)
    assert not before & after


@pytest.mark.parametrize(
    "foreign",
    [
        {"brief.txt": "wichtig"},
        {".verborgen": "wichtig"},
        {
            "intermediary.toml": '[installation]\nname = "echt"\n',
            "samples/antrag.osci": "wichtig",
            "data/store.db": "wichtig",
        },
    ],
    ids=["a file", "a hidden file", "somebody's installation"],
)
def test_a_foreign_folder_is_left_untouched(tmp_path, foreign):
    """What was not made by a demo is refused with 2 and stays as it is."""
    for name, text in foreign.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    said = call("demo", "--dir", tmp_path)

    assert 2 == said.code
    assert "--dir" in said.err
    assert foreign == {
        str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()
    }


def test_an_earlier_demo_can_be_kept(demo):
    """With --keep the folder of an earlier demo is refused too."""
    folder, _ = demo
    before = sorted(folder.rglob("*"))

    said = call("demo", "--dir", folder, "--keep")

    assert 2 == said.code
    assert before == sorted(folder.rglob("*"))
