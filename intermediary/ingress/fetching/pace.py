"""How soon a post box is visited again: at once while it is full, seldom while it is empty, patiently while it fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds between two visits: `least` after something came, doubling up to `most` while nothing does."""

    least: float
    most: float

    def __post_init__(self) -> None:
        if not 0 < self.least <= self.most:
            raise ValueError("a rhythm begins above 0 and does not shrink")


class Pace:
    """The waits of one post box; `random` is uniform in [0, 1) and spreads each wait by a fifth to both sides."""

    def __init__(self, rhythm: Rhythm, random: Callable[[], float]) -> None:
        self._rhythm = rhythm
        self._random = random
        self._wait = rhythm.least

    @property
    def least(self) -> float:
        """Seconds until it is looked again whether this post box may be visited at all."""
        return self._rhythm.least

    def after_visit(self, *, kept: int, has_more: bool) -> float:
        """Seconds until the next visit: none while more is waiting, few after something came, more after nothing."""
        if kept:
            self._wait = self._rhythm.least
        if has_more:
            return 0.0
        return self._spread() if kept else self.after_nothing()

    def after_nothing(self) -> float:
        """Nothing was there, or the visit failed: the wait after this one is twice as long."""
        wait = self._spread()
        self._wait = min(self._rhythm.most, self._wait * 2)
        return wait

    def _spread(self) -> float:
        return self._wait * (1 - _SPREAD + 2 * _SPREAD * self._random())
