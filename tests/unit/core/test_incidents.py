"""When something becomes an incident and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from intermediary.core.incidents import AT_ONCE, Course, Pace, Sighting, Step, fingerprint, step

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PACE = Pace(quiet=5 * MINUTE, gap=MINUTE)


def _seen(patience: timedelta = AT_ONCE) -> Sighting:
    return Sighting("target.unreachable", "target bauantrag/eakte", 3, patience=patience)


def _course(first: float, last: float, opened: float | None = None, quiet: float | None = None) -> Course:
    """Minutes ago."""
    ago = [None if one is None else NOW - one * MINUTE for one in (opened, quiet)]
    return Course(NOW - first * MINUTE, NOW - last * MINUTE, *ago)


@pytest.mark.parametrize(
    ("course", "sighting", "expected"),
    [
        (None, None, Step.NOTHING),
        (None, _seen(), Step.OPEN),
        (None, _seen(MINUTE), Step.NOTE),
        (_course(0.9, 0.1), _seen(MINUTE), Step.KEEP),
        (_course(1, 0.1), _seen(MINUTE), Step.OPEN),
        (_course(90, 0.9), _seen(MINUTE), Step.OPEN),
        (_course(90, 1), _seen(MINUTE), Step.NOTE),
        (_course(0.5, 0.1), None, Step.NOTHING),
        (_course(3, 1), None, Step.FORGET),
        (_course(9, 1, 8), _seen(MINUTE), Step.KEEP),
        (_course(9, 1, 8, 1), _seen(MINUTE), Step.KEEP),
        (_course(9, 1, 8), None, Step.CALM),
        (_course(9, 5, 8, 4.9), None, Step.NOTHING),
        (_course(9, 5, 8, 5), None, Step.END),
    ],
)
def test_steps(course: Course | None, sighting: Sighting | None, expected: Step) -> None:
    """Patience before the first alert, quiet before the last; what was never told is forgotten without one."""
    assert expected is step(course, sighting, pace=PACE, now=NOW)


def test_a_fingerprint_is_code_and_place() -> None:
    """The same failure elsewhere is another incident, and no join of both words is ambiguous."""
    assert fingerprint("a", "b") == fingerprint("a", "b")
    assert 4 == len({fingerprint("a", "b"), fingerprint("a", "c"), fingerprint("b", "b"), fingerprint("ab", "")})
