"""When something wrong becomes an incident, and when an incident is over: pure, from one look after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that is wrong now, as one look found it; a thousand Nachrichten with one cause are one sighting.

    `place` names what an operator knows, by words of the configuration (`target bauantrag/eakte`), never content.
    `count` is how many Nachrichten it concerns, 0 where it concerns none. It is an incident once it has been found by
    every look for `patience`. `is_local`: only this host can see it, and only this host can tell that it is over.
    """

    code: str
    place: str
    count: int = 0
    mandanten: frozenset[str] = frozenset()
    patience: timedelta = AT_ONCE
    is_local: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """How far something has come: found since `first_seen`, told since `opened_at`, not found since `quiet_since`."""

    first_seen: datetime
    opened_at: datetime | None = None
    quiet_since: datetime | None = None


class Step(StrEnum):
    """What a look means for one thing: `note` and `forget` without telling anybody, `open` and `end` with an alert."""

    NOTHING = "nothing"
    NOTE = "note"
    OPEN = "open"
    KEEP = "keep"
    CALM = "calm"
    END = "end"
    FORGET = "forget"


def step(course: Course | None, sighting: Sighting | None, *, quiet: timedelta, now: datetime) -> Step:
    """What follows from a look that found this (or not) of what is known (or not).

    An incident is over when no look has found it for `quiet`; what comes back before is the same incident, and nobody is
    told twice.
    """
    if sighting is not None:
        if course is not None and course.opened_at is not None:
            return Step.KEEP
        seen_for = now - course.first_seen if course is not None else AT_ONCE
        if seen_for >= sighting.patience:
            return Step.OPEN
        return Step.NOTE if course is None else Step.KEEP
    if course is None:
        return Step.NOTHING
    if course.opened_at is None:
        return Step.FORGET
    if course.quiet_since is None:
        return Step.CALM
    return Step.END if now - course.quiet_since >= quiet else Step.NOTHING


def fingerprint(code: str, place: str, observer: str = "") -> str:
    """What makes two failures the same incident; `observer` is the host of a local one."""
    return sha256(f"{code}\n{place}\n{observer}".encode()).hexdigest()[:24]
