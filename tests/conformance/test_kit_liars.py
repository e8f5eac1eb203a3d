"""The conformance kit catches what its vendors lie about, by name, and lets an honest connector and our own pass."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from intermediary.core.ports import Idempotency
from intermediary.testing.kit.check import check
from intermediary.testing.kit.description import CONNECTORS, Candidate, candidates
from intermediary.testing.kit.scaffold import make
from intermediary.testing.kit.verdict import GUARANTEES

HTTP = {"idle_seconds": 1, "total_seconds": 2, "max_answer_bytes": 100_000}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Candidate]:
    """The scaffold's connector, with the folder of the liars on the path of modules beside it."""
    package = make("ehrlich", tmp_path_factory.mktemp("kit"))
    here, before = str(Path(__file__).parent), list(sys.path)
    sys.path.insert(0, here)
    (found,) = candidates(f"{package}/")
    yield Candidate(found.entry, replace(found.description, settings={"url": "{url}", "http": HTTP}))
    sys.path[:] = before
    for name in [one for one in sys.modules if one.partition(".")[0] in ("ehrlich", "connector_liars")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("liar", "guarantee", "seconds"),
    [
        ("CLAIMS_NATIVE", "repeat", 60),
        ("LOSES_ON_500", "loss", 60),
        ("LOGS_CONTENT", "discreet", 60),
        ("IGNORES_TIMEOUT", "time", 5),
        ("BUFFERS", "memory", 60),
        ("RECREATES_THE_CASE", "kills", 60),
        ("SWALLOWS_ERRORS", "loss", 60),
        ("HANGS_ON_CLOSE", "time", 5),
    ],
)
def test_liar_is_caught(liar: str, guarantee: str, seconds: int, honest: Candidate) -> None:
    """The guarantee that it breaks is named, with what was seen and what to do."""
    entry = EntryPoint("ehrlich", f"connector_liars:{liar}", CONNECTORS)
    report = check(Candidate(entry, replace(honest.description, seconds=seconds)), wanted=[guarantee], is_brief=True)
    (verdict,) = [one for one in report.verdicts if one.name == guarantee]

    assert verdict.standing == "broken"
    assert verdict.seen
    assert not report.is_fine


def test_honest_one_passes_where_liars_do_not(honest: Candidate) -> None:
    """The same guarantees hold for the connector that every liar is made of."""
    candidate = Candidate(honest.entry, replace(honest.description, seconds=120, settings={"url": "{url}"}))
    report = check(candidate, wanted=["repeat", "lookup", "memory", "discreet", "probe"])

    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing != "holds"]


def test_unknown_guarantees_do_not_exist() -> None:
    """Each guarantee has a sentence and a remedy in German, and no two are alike."""
    assert len({one.sentence for one in GUARANTEES.values()}) == len(GUARANTEES) == 11
    assert all(one.remedy.endswith(".") for one in GUARANTEES.values())


@pytest.mark.soak
@pytest.mark.parametrize(
    ("name", "level"), [("ordner", Idempotency.LOOKUP), ("rest", Idempotency.NATIVE), ("sftp", Idempotency.LOOKUP)]
)
def test_ours_pass_at_their_level(name: str, level: Idempotency) -> None:
    """Every guarantee the kit can try holds for our own connectors."""
    (candidate,) = candidates(name)
    report = check(Candidate(candidate.entry, replace(candidate.description, seconds=120)))

    assert level == report.manifest.idempotency
    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing == "broken"]
