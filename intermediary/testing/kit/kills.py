"""The worker is killed: at every step, when an effect has happened and nobody knows, and before lines of the connector."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from intermediary.connect.settings import open_connector
from intermediary.core.ports import Idempotency
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Zustellauftrag
from intermediary.testing.connectors import code_of
from intermediary.testing.crashes import kill_at
from intermediary.testing.kit.session import Course, Fence, Session, doubled, missing
from intermediary.testing.kit.verdict import Verdict, judged
from intermediary.testing.kit.worker import NOW

_MOST_LINES = 12
_NEVER = 1 << 30


def kills(session: Session) -> Verdict:
    """The verdict of `kills`."""
    flaws: list[str] = []
    counts = {"an Schritten": 0, "nach Wirkungen": 0, "vor Zeilen": 0}
    for kind, place, course in chain(_at_steps(session), _at_effects(session), _at_lines(session)):
        counts[kind] += 1
        flaw = _flaw(session, course)
        if flaw:
            flaws.append(f"{place}: {flaw} ({course.words()})")
            if session.is_brief:
                break
    tried = "Prozess getötet: " + ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return judged("kills", tried, flaws, fine="jedes Mal genau eine Wirkung, oder (none) eine Frage an einen Menschen")


def _flaw(session: Session, course: Course) -> str:
    found = doubled(session.baseline, course.effects)
    if found:
        return f"zu viel am Ziel: {', '.join(f'{count}× {kind}' for kind, count in found.items())}"
    if course.ending == "parked" and session.level is Idempotency.NONE:
        return ""
    if course.ending != "delivered":
        return "kommt nicht mehr an"
    return "Zugestellt gemeldet, aber das Ziel hat nicht alles" if missing(session.baseline, course.effects) else ""


def _resumed(session: Session, auftrag: Zustellauftrag, steps: Checkpoints) -> Course:
    """What the engine does after a crash: the same as after an answer that is unclear."""
    session.target.misbehave("")
    return session.resume(auftrag, steps)


def _at_steps(session: Session) -> Iterator[tuple[str, str, Course]]:
    if not session.manifest.steps:
        return
    for is_durable in (False, True):
        for at in range(len(session.baseline) + 1):
            auftrag, steps = session.new_order(), Fence(session.manifest.steps, at, is_durable=is_durable)
            session.deliver(auftrag, steps, during="kill")
            if not steps.has_struck:
                break
            place = f"{'nach' if is_durable else 'vor'} dem Merken von Schritt {at + 1}"
            yield "an Schritten", place, _resumed(session, auftrag, steps)


def _at_effects(session: Session) -> Iterator[tuple[str, str, Course]]:
    for at in range(len(session.baseline)):
        auftrag, steps = session.new_order(), session.worker.steps()
        if not session.killed_at_effect(auftrag, steps, at):
            return
        yield "nach Wirkungen", f"nach Wirkung {at + 1}, vor ihrer Antwort", _resumed(session, auftrag, steps)


def _at_lines(session: Session) -> Iterator[tuple[str, str, Course]]:
    counter = mmap.mmap(-1, 8)
    count = lambda: counter.__setitem__(slice(0, 8), (int.from_bytes(counter[:8], "big") + 1).to_bytes(8, "big"))  # noqa: E731
    _killed(session, session.new_order(), _NEVER, count)
    lines = int.from_bytes(counter[:8], "big")
    for number in range(min(_MOST_LINES, lines)):
        line = 1 + number * lines // min(_MOST_LINES, lines)
        auftrag = session.new_order()
        steps = _killed(session, auftrag, line, lambda: None)
        yield (
            "vor Zeilen",
            f"vor Zeile {line} von {lines}, die ein Aufruf durchläuft",
            _resumed(session, auftrag, steps),
        )


def _killed(session: Session, auftrag: Zustellauftrag, line: int, meanwhile: Any) -> Checkpoints:
    """The steps that a delivery had left which died before this line."""
    notes = session.folder.parent / f"{session.folder.name}-steps"
    notes.write_text("")

    def keep(step: str, facts: Mapping[str, str]) -> None:
        with notes.open("a") as file:
            file.write(json.dumps([step, dict(facts)]) + "\n")

    factory = session.candidate.entry.load()
    connector = open_connector(factory, session.worker.table, base=session.folder, where="settings")
    steps = Checkpoints(session.manifest.steps, keep=keep)
    with suppress(RuntimeError):  # it neither died nor ended in its time: what it left is judged all the same
        kill_at(line, lambda: connector.deliver(auftrag, steps, NOW), code=code_of(connector), meanwhile=meanwhile)
    done = dict(json.loads(one) for one in _lines(notes))
    notes.unlink()
    return Checkpoints(session.manifest.steps, done)


def _lines(notes: Path) -> list[str]:
    return notes.read_text().splitlines()
