"""The connector `eakte_ordner`, killed before any line while it reads answers or redelivers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

from intermediary.core.ports import Delivered, Refused
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Zustellauftrag
from intermediary.testing.connectors import NOW, make_auftrag, recover
from intermediary.testing.crashes import kill_at
from tests.conformance.eakte_target import EakteTarget, Imported, confirmation, handed_over, receipt

LATER = NOW + timedelta(hours=1)
OTHER = "0b1ec7b8-0000-4000-8000-000000000001"
CODE = Path(__file__).resolve().parents[2] / "connectors"  # the hand-over's own lines, too


def test_kills_while_collecting_lose_no_answer(tmp_path: Path) -> None:
    """Killed before any line, some twice: the verdict comes all the same, and both answers are archived once."""
    for step in count(1):
        target = EakteTarget(tmp_path / str(step))
        auftrag, correlation = handed_over(target)
        answers = [receipt(auftrag.nachricht_id), confirmation(auftrag.nachricht_id, Imported())]
        for data in answers:
            target.answer(data)
        stray = target.answer(confirmation(OTHER, Imported()), "fremd.xml").name
        before = sorted(path.read_bytes() for path in target["answers"].iterdir())
        action = _collection(target, auftrag, correlation)
        struck = kill_at(step, action, code=CODE, meanwhile=lambda: None)
        if step % 4 == 0:
            kill_at(step, action, code=CODE, meanwhile=lambda: None)
        verdict = target.connect().collect(auftrag.key, correlation, LATER)
        kept = [path for name in ("archive", "unmatched") for path in target[name].iterdir()]

        assert isinstance(verdict, Delivered), f"killed at step {step}"
        assert "0403" == verdict.proof["receipt"], f"killed at step {step}"
        assert [stray] == target.names("unmatched"), f"killed at step {step}"
        assert before == sorted(path.read_bytes() for path in kept), f"killed at step {step}"
        assert verdict == target.connect().collect(auftrag.key, correlation, LATER), f"killed at step {step}"
        if not struck:
            return


def test_kills_while_redelivering_keep_the_answers_apart(tmp_path: Path) -> None:
    """Killed before any line of a redelivery, with the first one's answer unread: each has its own verdict."""
    for step in count(1):
        target = EakteTarget(tmp_path / str(step))
        first, correlation = handed_over(target)
        target.answer(confirmation(first.nachricht_id, Imported(False, ["E1"])))
        second = replace(make_auftrag(2), nachricht_id=first.nachricht_id, package=first.package)
        action = _delivery(target, second)
        struck = kill_at(step, action, code=CODE, meanwhile=target.consume)
        recover(target.connect(), second)
        target.consume()
        target.answer(confirmation(first.nachricht_id, Imported(), created="2026-11-22T00:00:00+01:00"))
        verdicts = [target.connect().collect(key, correlation, LATER) for key in (second.key, first.key)]

        assert [Delivered, Refused] == [type(verdict) for verdict in verdicts], f"killed at step {step}"
        assert 2 == len(target.arrived()), f"killed at step {step}"
        if not struck:
            return


def _collection(target: EakteTarget, auftrag: Zustellauftrag, correlation: dict[str, str]) -> Callable[[], object]:
    return lambda: target.connect().collect(auftrag.key, correlation, LATER)


def _delivery(target: EakteTarget, auftrag: Zustellauftrag) -> Callable[[], object]:
    return lambda: target.connect().deliver(auftrag, Checkpoints(), NOW)
