"""The conformance kit around its trials: what a kit.toml may say, a vendor's own target, and the package it begins."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from intermediary.testing.kit.check import check
from intermediary.testing.kit.description import Candidate, CannotCheck, Description, candidates, read_description
from intermediary.testing.kit.http_target import Route, fill
from intermediary.testing.kit.order import CANARY, Generated, hashes, large_order, order
from intermediary.testing.kit.scaffold import CannotMake, make
from intermediary.testing.kit.session import doubled, missing

OWN = """
from intermediary.testing.kit.folder_target import FolderTarget

KIT = FolderTarget({"drop": "{drop}", "state": "{state}"})
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("protocol = ", "kein TOML"),
        ("protocol = 'gopher'", "protocol ist eines von"),
        ("protocol = 'own'", "nennt das eigene Ziel"),
        ("protokoll = 'http'", "protocol"),
        ("protocol = 'http'\n[[routes]]\npfad = '/a'", "[[routes]] hat"),
    ],
)
def test_a_wrong_description_says_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    """A vendor reads in German what the file lacks."""
    path = tmp_path / "kit.toml"
    path.write_text(text)
    with pytest.raises(CannotCheck, match=r".+") as raised:
        read_description(path)

    assert said in str(raised.value)


@pytest.mark.parametrize("name", ["ordnr", "./nirgends", "."])
def test_what_is_not_there_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt name, a folder without a package."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CannotCheck):
        candidates(name)


def test_a_vendors_own_target_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object KIT of a package takes the place of the kit's targets; what it cannot do is untried, not kept."""
    (tmp_path / "own_target_of_a_vendor.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))
    (ours,) = candidates("ordner")
    description = Description("own", {}, seconds=60, kit="own_target_of_a_vendor:KIT")
    found = {
        one.name: one.standing for one in check(Candidate(ours.entry, description), wanted=["probe", "time"]).verdicts
    }

    assert {"whole": "holds", "probe": "holds", "time": "untried"} == found
    with pytest.raises(CannotCheck):
        Description("own", {}, kit="own_target_of_a_vendor:NOTHING").target()


def test_routes_match_paths() -> None:
    """Names in a path stand for one piece of it; the rest is literal."""
    route = Route("/akten/{id}/dokumente", effect="dokument")

    assert {"id": "akte-1"} == route.match("/akten/akte-1/dokumente")
    assert route.match("/akten/a/b/dokumente") is None
    assert {"key": "k"} == Route("/akten?kennung={key}").match("/akten?kennung=k")
    assert {"a": [{"b": "x {c}"}], "port": 7} == fill(
        {"a": [{"b": "{url} {c}"}], "port": "{port}"}, {"url": "x", "port": "7"}
    )


def test_effects_are_compared_as_often_as_they_are() -> None:
    """A document too many is doubled, one too few is missing."""
    assert Counter({"document": 1}) == doubled(("case", "document"), ("case", "document", "document"))
    assert Counter({"case": 1}) == missing(("case", "document"), ("document",))


def test_content_is_synthetic_and_recognised() -> None:
    """Small orders carry the canary; a large one is made while it is read, and has the hash it says."""
    small, large = order(1), Generated.of(200_001)

    assert CANARY in small.package.content.read()
    assert order(1).key == small.key != order(2).key
    assert 4 == len(hashes(small))
    assert large.length == len(large.read())
    assert {large.sha256} == hashes(large_order(1, large))


@pytest.mark.parametrize("name", ["Gross", "a b", "../x", "json", "class", "a_b", ""])
def test_unfit_names_are_refused(name: str, tmp_path: Path) -> None:
    """A package is never made outside of its folder, and hides no module of Python."""
    with pytest.raises(CannotMake):
        make(name, tmp_path)
    assert [] == list(tmp_path.iterdir())


def test_the_scaffold_is_clean(tmp_path: Path) -> None:
    """It lints and is formatted as its own pyproject.toml says, and is not written over."""
    package = make("musterfirma-verfahren", tmp_path)
    ruff = Path(sys.executable).parent / "ruff"
    for arguments in (["check", "."], ["format", "--check", "."]):
        done = subprocess.run([ruff, *arguments], cwd=package, capture_output=True, text=True, check=False)
        assert 0 == done.returncode, done.stdout
    with pytest.raises(CannotMake):
        make("musterfirma-verfahren", tmp_path)


def test_each_connector_of_ours_has_a_target() -> None:
    """Whoever installs the product can check what it brings, by name."""
    root = Path(__file__).resolve().parents[3]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    targets = {one.stem for one in (root / "intermediary" / "testing" / "kit" / "targets").iterdir()}

    assert set(project["entry-points"]["intermediary.connectors"]) == targets


@pytest.mark.parametrize("name", ["soap", "eakte_xdomea", "amqp"])
def test_a_call_may_take_longer_than_its_own_timeouts(name: str) -> None:
    """Checked by name, one that ends by itself is not taken for one that hangs: the longest exchange has 10 seconds."""
    (found,) = candidates(name)

    assert found.description.seconds >= 30
