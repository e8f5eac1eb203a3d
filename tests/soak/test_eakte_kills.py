"""The connector `eakte_ordner` killed at byte-code instructions, and the daemon with two targets killed at work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from connectors.eakte_xdomea.connector import ORDNER_MANIFEST, Eakte
from connectors.eakte_xdomea.settings import Answers
from connectors.ordner.connector import Ordner, OrdnerSettings
from intermediary.core.ports import Delivered
from intermediary.core.steps import Checkpoints
from intermediary.testing.connectors import NOW, make_auftrag, recover
from intermediary.testing.crashes import kill_at
from tests.conformance.eakte_target import EakteTarget, Imported, confirmation, handed_over, receipt
from tests.soak.two_target_kills import run

pytestmark = pytest.mark.soak

CONNECTORS = Path(__file__).resolve().parents[2] / "connectors"
LATER = NOW + timedelta(hours=1)


def test_kills_while_collecting_at_instructions_lose_no_answer(tmp_path: Path) -> None:
    """Killed before every byte-code instruction of the filing and judging: the verdict comes all the same."""
    for step in count(1):
        target = EakteTarget(tmp_path / str(step))
        auftrag, correlation = handed_over(target)
        answer = confirmation(auftrag.nachricht_id, Imported())
        target.answer(answer)
        collect = partial(target.connect().collect, auftrag.key, correlation, LATER)
        folder = CONNECTORS / "eakte_xdomea"
        struck = kill_at(step, collect, code=folder, meanwhile=lambda: None, granularity="opcode")

        assert isinstance(collect(), Delivered), f"killed at instruction {step}"
        assert [answer] == [path.read_bytes() for path in target["archive"].iterdir()], f"killed at instruction {step}"
        if not struck:
            return


class Told:
    """A target that is asked and has a receipt at first, then a confirmation."""

    def __init__(self, *said: bytes) -> None:
        self.said = list(said)

    def answer(self, key: str, correlation: Mapping[str, str], now: datetime) -> bytes:
        return self.said[0]

    def probe(self) -> None:
        """Nothing to look at."""


def test_kills_while_asking_at_instructions_keep_each_answer_once(tmp_path: Path) -> None:
    """Killed before every byte-code instruction of asking, filing and judging: one verdict, each answer kept once."""
    for step in count(1):
        target = EakteTarget(tmp_path / str(step))
        auftrag, correlation = handed_over(target)
        said = receipt(auftrag.nachricht_id), confirmation(auftrag.nachricht_id, Imported())
        told = Told(*said)
        collect = partial(_asking(target, told).collect, auftrag.key, correlation, LATER)
        code = CONNECTORS / "eakte_xdomea"
        struck = kill_at(step, collect, code=code, meanwhile=lambda: None, granularity="opcode")
        assert collect() is None
        told.said.pop(0)
        struck = kill_at(step, collect, code=code, meanwhile=lambda: None, granularity="opcode") or struck

        assert isinstance(collect(), Delivered), f"killed at instruction {step}"
        kept = sorted(one.name for one in target["archive"].iterdir() if not one.name.startswith("."))
        assert list(said) == [(target["archive"] / name).read_bytes() for name in kept], f"killed at instruction {step}"
        if not struck:
            return


def _asking(target: EakteTarget, told: Told) -> Eakte:
    ordner = Ordner(OrdnerSettings(target["drop"], target["state"]))
    answers = Answers(target["answers"], target["archive"], target["unmatched"])
    return Eakte(ORDNER_MANIFEST, ordner, target["state"], answers, question=told)


def test_kills_while_handing_over_at_instructions_make_one_effect(tmp_path: Path) -> None:
    """Killed before every instruction, with an e-file that answers at once: one effect, and its answer matched."""
    for step in count(1):
        target, auftrag = EakteTarget(tmp_path / str(step), answers_at_once=True), make_auftrag()
        deliver = partial(target.connect().deliver, auftrag, Checkpoints(), NOW)
        struck = kill_at(step, deliver, code=CONNECTORS, meanwhile=target.consume, granularity="opcode")
        recovered = recover(target.connect(), auftrag)
        target.consume()
        verdict = target.connect().collect(auftrag.key, recovered.correlation, LATER)

        assert target.expects(auftrag) == target.arrived(), f"killed at instruction {step}"
        assert isinstance(verdict, Delivered), f"killed at instruction {step}"
        if not struck:
            return


def test_kills_of_the_daemon_double_nothing_at_either_target(tmp_path: Path) -> None:
    """500 messages to two targets, 12 kills at work: each target once, splits parked, no answer lost."""
    report = run(tmp_path, messages=500, kills=12, seed=1)

    assert () == report.violations
    assert 500 == report.states["completed"] + report.refused
