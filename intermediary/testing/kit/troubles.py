"""The target misbehaves at every request with an effect; four guarantees are judged by what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from intermediary.core.ports import Idempotency
from intermediary.testing.kit.session import Course, Session, doubled, missing
from intermediary.testing.kit.target import Trouble
from intermediary.testing.kit.verdict import Verdict, judged

JUDGED = ("loss", "once", "faults", "time")
_AIMS: dict[Trouble, str] = {
    Trouble.BUSY: "loss",
    Trouble.BURST: "loss",
    Trouble.RESET_BEFORE: "loss",
    Trouble.ERROR_BODY: "loss",
    Trouble.REDIRECT: "loss",
    Trouble.UNAUTHORIZED: "faults",
    Trouble.REFUSE: "faults",
    Trouble.RESET_AFTER: "once",
    Trouble.ERROR_AFTER: "once",
    Trouble.GATEWAY_AFTER: "once",
    Trouble.WRONG_TYPE_AFTER: "faults",
    Trouble.HUGE_AFTER: "faults",
    Trouble.FOREIGN_ID_AFTER: "once",
    Trouble.SILENT_AFTER: "time",
    Trouble.DRIP_AFTER: "time",
}
_EVERYWHERE = frozenset({Trouble.RESET_AFTER, Trouble.ERROR_AFTER, Trouble.SILENT_AFTER, Trouble.BURST})


@dataclass(frozen=True, slots=True)
class _Scene:
    trouble: Trouble
    at: int
    course: Course

    def place(self) -> str:
        return f"{self.trouble} bei Wirkung {self.at + 1}"


def troubles(session: Session, wanted: Collection[str]) -> Iterator[Verdict]:
    """The verdicts of those guarantees of `JUDGED` that are wanted."""
    names = [name for name in JUDGED if name in wanted]
    scenes = list(_played(session, names)) if names else []
    for name in names:
        if not any(_AIMS[one.trouble] == name for one in scenes):
            yield Verdict(name, "untried", "", ("dieses Ziel kann keine Störung machen, die es zeigt",))
            continue
        flaws = [
            f"{one.place()}: {flaw} ({one.course.words()})" for one in scenes for flaw in _JUDGES[name](session, one)
        ]
        aimed = ", ".join(dict.fromkeys(f"{one.trouble}" for one in scenes if _AIMS[one.trouble] == name))
        yield judged(name, f"{len(scenes)} Störungen, darunter {aimed}", flaws, fine="jede endete, wie sie soll")


def _played(session: Session, names: list[str]) -> Iterator[_Scene]:
    last = max(0, len(session.baseline) - 1)
    is_all = set(names) == set(JUDGED)
    for trouble, aim in _AIMS.items():
        if not is_all and aim not in names:
            continue
        for at in range(last + 1) if trouble in _EVERYWHERE else sorted({0, last}):
            auftrag = session.new_order()
            if not session.target.misbehave(trouble, at):
                session.target.misbehave("")
                continue
            scene = _Scene(trouble, at, session.settle(auftrag, session.worker.steps(), during=trouble))
            yield scene
            if session.is_brief and any(True for name in names for _ in _JUDGES[name](session, scene)):
                return


def _loss(session: Session, scene: _Scene) -> Iterator[str]:
    course, baseline = scene.course, session.baseline
    if any(one.is_done and missing(baseline, one.effects) for one in course.attempts):
        yield "Zugestellt gemeldet, aber das Ziel hat nicht alles"
    elif course.ending == "rejected" and scene.trouble is not Trouble.REFUSE:
        yield "Ablehnung gemeldet, obwohl das Ziel nichts abgelehnt hat"
    elif course.ending == "never":
        yield "kommt auch nach der Störung nicht an"
    elif course.ending == "parked" and session.level is not Idempotency.NONE:
        yield "bleibt liegen: lookup() findet keine Antwort"


def _once(session: Session, scene: _Scene) -> Iterator[str]:
    found = doubled(session.baseline, scene.course.effects)
    if found:
        yield f"zu viel am Ziel: {', '.join(f'{count}× {kind}' for kind, count in found.items())}"


def _faults(_session: Session, scene: _Scene) -> Iterator[str]:
    for one in scene.course.attempts:
        if one.kind.removeprefix("lookup:") in ("raised", "died"):
            yield f"kein Fehler des Ports, sondern {one.code or 'das Ende des Prozesses'}"
            return
    first = scene.course.attempts[0]
    if scene.trouble is Trouble.REFUSE and first.kind != "rejected":
        yield f"das Ziel lehnt den Inhalt ab, gemeldet wird {first.kind}"


def _time(session: Session, scene: _Scene) -> Iterator[str]:
    if any(one.kind.removeprefix("lookup:") == "overdue" for one in scene.course.attempts):
        yield f"ein Aufruf endete nicht in {session.candidate.description.seconds} s und wurde abgebrochen"


_JUDGES: Mapping[str, Callable[[Session, _Scene], Iterator[str]]] = {
    "loss": _loss,
    "once": _once,
    "faults": _faults,
    "time": _time,
}
