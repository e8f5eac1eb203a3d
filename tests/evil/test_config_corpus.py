"""The hostile corpus at the doors of what is installed and mapped: every case of its families, by the manifest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.evil.canary import Canary
from tests.evil.config_doors import FAMILIES, NAME, cases, meet
from tests.evil.corpus import CURATED, Attack, attacks, canary_defaults, curated, manifest

CASES = list(cases())
ALLOWED = {
    "accept": {"accept"},
    "reject": {"reject", "processing-error"},
    "processing-error": {"reject", "processing-error"},
    "accept-neutralised": {"accept", "reject", "processing-error"},
    "reject-or-accept": {"accept", "reject", "processing-error"},
}
OTHERWISE = {
    ("TX-028", "config.xslt"): "Saxon answers this expression at once: there is nothing to be stopped",
    ("ZD-004", "payload.zip attachment"): "two xdomea messages in an attachment are two files: nobody here reads them",
}
"""Cases that end in `accept` where the manifest says `reject`, each with its reason."""


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    """Port and file that no case may touch."""
    with Canary(canary_defaults()) as watch:
        yield watch


@pytest.mark.parametrize(
    ("attack", "door"), CASES, ids=[f"{attack}-{door}".replace(" ", "-") for attack, door in CASES]
)
def test_a_case_is_met_as_the_corpus_expects(attack: Attack, door: str, canary: Canary) -> None:
    """Outcome and ceilings as in the manifest; nobody connects, and neither the canary's word nor a value is told."""
    met = meet(attack, door)
    if met.outcome == "not-run":
        pytest.skip(met.said)

    expected = {"accept"} if (attack.id, door) in OTHERWISE else ALLOWED[attack.expect]
    assert met.outcome in expected, met.said
    assert met.seconds <= attack.seconds
    assert met.growth_mb <= attack.entry["ceiling"]["rss_growth_mb"]
    assert 0 == canary.knocks
    assert canary.word not in met.said
    assert NAME not in met.said


def test_no_case_is_left_out(shared: Path) -> None:
    """Whatever the manifest aims at one of these doors is run there, by its entries and not by a list of ours."""
    aimed = {
        one["id"]
        for one in manifest()["cases"]
        if not set(FAMILIES).isdisjoint(one["entry"]) and "lists/" not in one.get("file", "")
    }
    run = Counter(attack.id for attack, _ in CASES)

    assert aimed == set(run)
    assert all(run[one.id] == 2 for one in attacks("ZC", "ZS", "ZL", "ZD", "ZH", "ZB", "GC", "GA"))
    assert (110, 179) == (len(run), len(CASES))


def test_the_curated_cases_are_those_of_the_corpus(shared: Path) -> None:
    """What stands in the project, so that it is tested alone, too, is what stands in the corpus."""
    known = {one["id"]: one for one in manifest()["cases"]}
    for attack in curated():
        assert known[attack.id] == attack.entry
        assert (shared / "vectors/hostile" / attack.entry["file"]).read_bytes() == (
            CURATED / attack.entry["file"]
        ).read_bytes()


def test_the_curated_cases_are_of_every_family() -> None:
    """One attack at least for each door, and the controls."""
    entries = json.loads((CURATED / "manifest.json").read_text("utf-8"))["cases"]

    assert set(FAMILIES) <= {entry for one in entries for entry in one["entry"]}
    assert {"GC-001", "SCC-01", "TC-001", "ZC-001"} <= {one["id"] for one in entries}
