"""When something wrong becomes an incident, and when an incident is over: pure, from one look after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

AT_ONCE = timedelta(0)

Name = tuple[str, str]
"""What an incident goes by: code and place."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something that is wrong now, as one look found it; a thousand Nachrichten with one cause are one sighting.

    `place` names what an operator knows, by words of the configuration (`target stadt/bauantrag/eakte`), never content.
    `count` is how many Nachrichten it concerns, 0 where it concerns none. It is an incident once it has been found again
    and again for `patience`. Any host may find it: what one host alone can see has that host in its place.

    `formerly` are the names under which the same may have begun: an incident of one of them that is not found any more
    goes on under this name. `is_news`: people are told of it anew then, since it has become worse.
    """

    code: str
    place: str
    count: int = 0
    mandanten: frozenset[str] = frozenset()
    patience: timedelta = AT_ONCE
    formerly: tuple[Name, ...] = ()
    is_news: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """How far something has come: found since `first_seen`, told since `opened_at`, not found since `quiet_since`."""

    first_seen: datetime
    last_seen: datetime
    opened_at: datetime | None = None
    quiet_since: datetime | None = None


class Step(StrEnum):
    """What a look means for one thing: `note` that it begins and `forget` without an alert, `open` and `end` with one."""

    NOTHING = "nothing"
    NOTE = "note"
    OPEN = "open"
    KEEP = "keep"
    CALM = "calm"
    END = "end"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class Pace:
    """An incident is over when no look of any host has found it for `quiet`; what was not told yet is forgotten after `gap`,
    also when nobody looked meanwhile.

    Both are longer than the time between two looks.
    """

    quiet: timedelta
    gap: timedelta


def step(course: Course | None, sighting: Sighting | None, *, pace: Pace, now: datetime) -> Step:
    """What follows from a look that found this (or not) of what is known (or not).

    What comes back before its incident is over is the same incident, and nobody is told twice.
    """
    if sighting is not None:
        if course is not None and course.opened_at is not None:
            return Step.KEEP
        if course is None or now - course.last_seen >= pace.gap:
            return Step.NOTE if sighting.patience > AT_ONCE else Step.OPEN
        return Step.OPEN if now - course.first_seen >= sighting.patience else Step.KEEP
    if course is None:
        return Step.NOTHING
    if course.opened_at is None:
        return Step.FORGET if now - course.last_seen >= pace.gap else Step.NOTHING
    if course.quiet_since is None:
        return Step.CALM
    return Step.END if now - course.quiet_since >= pace.quiet else Step.NOTHING


def fingerprint(code: str, place: str) -> str:
    """What makes two failures the same incident."""
    return sha256(f"{code}\n{place}".encode()).hexdigest()[:24]
