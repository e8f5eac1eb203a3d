"""Lays a job out for people, in German; `jobs show --json` has the same for machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from intermediary.cli.sheet import moment, number
from intermediary.core.codes import CATALOGUE
from intermediary.store.foresee import GROUNDS
from intermediary.store.job_records import Fate, JobRecord, JobReport, JobState

_SHORT = 8
_LABEL = 16

_STATES = {
    JobState.ASKED: "wartet auf Freigabe",
    JobState.RUNNING: "läuft",
    JobState.PAUSED: "angehalten",
    JobState.STOPPED: "beendet",
    JobState.DONE: "fertig",
}

_FATES = {
    Fate.SETTLED: "erledigt: wieder zugestellt oder abgeschlossen",
    Fate.HANDED: "übergeben; das Ziel entscheidet später",
    Fate.OPEN: "noch nicht entschieden",
    Fate.RETURNED: "zurückgekommen: wieder angehalten oder abgelehnt",
    Fate.FAILED: "nicht zu bewegen",
}


def cells(job: JobRecord) -> tuple[str, ...]:
    """One line of `jobs list`."""
    share = f"{100 * job.handled // max(1, job.total)} %"
    return (
        job.id[:_SHORT],
        standing(job),
        number(job.handled),
        number(job.total),
        share,
        f"{job.rate:g}" if job.rate else "-",
        _what(job),
        moment(job.created_at.isoformat())[:-3],
        job.actor,
    )


def lines(report: JobReport, now: datetime) -> Iterator[tuple[int, str]]:
    """The lines of `jobs show`, each with how far it is moved in."""
    job = report.job
    yield 0, f"Auftrag {job.id}"
    yield 0, ""
    for label, text in _head(job, now):
        yield 2, f"{label:{_LABEL}} {text}"
    if job.ended_at is not None and job.handled and not (report.done or report.idle or report.failed):
        yield 0, ""
        yield 2, "Welche Nachrichten es im Einzelnen waren, wurde 90 Tage nach dem Ende gelöscht."
    yield from _section("Bewegt", {f"{word}: {GROUNDS.get(word, '')}": n for word, n in report.done.items()})
    yield from _section("Nichts zu tun", {GROUNDS.get(word, word): count for word, count in report.idle.items()})
    yield from _section("Nicht möglich", {_problem(word): count for word, count in report.failed.items()})
    moved = {_FATES[fate]: report.fates[fate] for fate in _FATES if report.fates.get(fate) and fate is not Fate.FAILED}
    yield from _section("Was daraus wurde", moved)
    held = {f"{target}: {_held_because(code)}": count for (target, code), count in report.held.items()}
    yield from _section("Wartet auf ein Ziel", held)
    if held:
        yield 4, "seit wann, warum, nächste Probe: intermediary targets list"


def standing(job: JobRecord) -> str:
    """Where it stands, in a few words."""
    if job.state is JobState.RUNNING and not job.lease_owner:
        return "wartet auf einen Dienst"
    return _STATES[job.state] + (" (zu viele Fehler)" if job.code == "job.errors" else "")


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def _head(job: JobRecord, now: datetime) -> Iterator[tuple[str, str]]:
    share = f"{number(job.handled)} von {number(job.total)} ({100 * job.handled // max(1, job.total)} %)"
    left = job.total - job.handled
    is_moving = job.state is JobState.RUNNING and job.rate and left
    rest = f", noch höchstens etwa {duration(left / job.rate)}" if is_moving else ""
    yield "Stand", f"{standing(job)}: {share}{rest}"
    if job.code:
        yield "", f"{CATALOGUE[job.code].meaning} {CATALOGUE[job.code].remedy}"
    yield "Was", _what(job)
    yield "Auswahl", _selection(job.selection)
    yield "Angeordnet", f"{moment(job.created_at.isoformat())} von {job.actor}: {job.reason}"
    if job.started_at is not None:
        ended = f", Ende {moment(job.ended_at.isoformat())}" if job.ended_at else ""
        yield "Beginn", f"{moment(job.started_at.isoformat())}{ended}"
        seconds = ((job.ended_at or now) - job.started_at).total_seconds()
        mean = f"; im Mittel erreicht {job.handled / seconds:.1f}".replace(".", ",") if seconds >= 1 else ""
        yield "Je Sekunde", f"höchstens {job.rate:g}{mean}" if job.rate else f"unbegrenzt{mean}"
    else:
        yield "Je Sekunde", f"höchstens {job.rate:g}" if job.rate else "unbegrenzt"
    yield "Fehlergrenze", f"{job.error_percent} % der letzten" if job.error_percent < 100 else "keine"


def _what(job: JobRecord) -> str:
    if target := job.options.get("redeliver"):
        return f"erneut an {target}"
    return "neu beurteilen" if job.options.get("with_current") else "fortsetzen"


def _selection(selection: Mapping[str, Any]) -> str:
    words = [f"{name}={value}" for name, value in selection.items() if name not in ("ids", "key_hashes")]
    if ids := selection.get("ids"):
        words.insert(0, f"{number(len(ids))} {'Id' if len(ids) == 1 else 'Ids'}")
    if "key_hashes" in selection:
        words.append("key=… (ruht nicht lesbar)")
    return " ".join(words)


def _held_because(code: str) -> str:
    return CATALOGUE[code].meaning


def _problem(word: str) -> str:
    return f"{word}: {CATALOGUE[word].meaning}" if word in CATALOGUE else word


def _section(title: str, counted: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    if not counted:
        return
    yield 0, ""
    yield 2, title
    for text, count in counted.items():
        yield 4, f"{number(count):>7}  {text}"
