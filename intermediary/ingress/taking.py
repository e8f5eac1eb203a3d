"""Offers Eingaenge to `take` until they are durable, and holds while the store is away.

A failure that is not one of a single submission (disk full, database gone) holds the whole door: the transport keeps
what it has, and senders wait (promise G8). After a failure that may be one submission's own, each is offered alone, and
what still fails is set aside, so that it cannot stand in the way of the others.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog
from tenacity import (
    RetryCallState,
    RetryError,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_random_exponential,
)
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from intermediary.core.faults import Fault, Rejected, Transient
from intermediary.core.values import Eingang
from intermediary.ingress.doors import Take
from intermediary.ingress.gate import OPEN, Gate
from intermediary.store.records import Taken

log = structlog.get_logger(__name__)

_HEALED_BY_TIME = (Transient, OSError)


class StopWhen(stop_base):
    """Ends retrying as soon as something holds."""

    def __init__(self, holds: Callable[[], bool]) -> None:
        self._holds = holds

    def __call__(self, _state: RetryCallState) -> bool:
        return self._holds()


class GivenBack(Exception):
    """Nothing more can be made durable now: what is not decided yet returns to the transport."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of the Eingaenge at these positions.

    Durable when neither of the others is set. `refused`: the sender has to change something. `aside`: the code (or the
    exception's name) of a failure that concerns this one only; try it again later.
    """

    positions: tuple[int, ...]
    refused: Rejected | None = None
    aside: str = ""


class Taker:
    """Calls `take` for one door, always from the door's own thread.

    `on_holding` is told the code while the store is away and the empty text when it is back. `hold_seconds` is the
    longest time one offer is held before it is given back; a set `stop` ends holding at once, and so does a `gate` that
    closes.
    """

    def __init__(
        self,
        take: Take,
        *,
        channel: str,
        stop: threading.Event,
        hold_seconds: float,
        on_holding: Callable[[str], None],
        gate: Gate = OPEN,
        wait: wait_base | None = None,
    ) -> None:
        self._take = take
        self._channel = channel
        self._stop = stop
        self._hold_seconds = hold_seconds
        self._on_holding = on_holding
        self._gate = gate
        self._held_by = ""
        self._wait = wait or wait_random_exponential(multiplier=0.5, max=10)

    def offer(self, eingaenge: Sequence[Eingang]) -> Iterator[Verdict]:
        """Yield a verdict as soon as it is committed, until every position has one; raises `GivenBack`.

        The caller acknowledges what a verdict names before it asks for the next one.
        """
        if not eingaenge:
            return
        if len(eingaenge) > 1:
            try:
                self._insist(eingaenge)
            except GivenBack:
                raise
            except Exception as error:  # whatever it is, it may be the fault of a single one
                log.warning("door.batch.split", channel=self._channel, code=_code(error), count=len(eingaenge))
            else:
                yield Verdict(tuple(range(len(eingaenge))))
                return
        for position, eingang in enumerate(eingaenge):
            yield self._alone(position, eingang)

    def _alone(self, position: int, eingang: Eingang) -> Verdict:
        if self._stop.is_set():
            raise GivenBack
        try:
            self._insist([eingang])
        except GivenBack:
            raise
        except Rejected as refused:
            return Verdict((position,), refused=refused)
        except Exception as error:  # a door that dies of one submission would stop for all others
            log.error("door.take.failed", channel=self._channel, code=_code(error))
            return Verdict((position,), aside=_code(error))
        return Verdict((position,))

    def _insist(self, eingaenge: Sequence[Eingang]) -> list[Taken]:
        retrying = Retrying(
            retry=retry_if_exception_type(_HEALED_BY_TIME),
            wait=self._wait,
            stop=stop_any(
                stop_when_event_set(self._stop), stop_after_delay(self._hold_seconds), StopWhen(self._is_closed)
            ),
            sleep=sleep_using_event(self._stop),
            after=self._say_holding,
        )
        try:
            taken = retrying(self._take, eingaenge)
        except RetryError as error:
            raise GivenBack from error
        if len(taken) != len(eingaenge):
            raise AssertionError("take answers once per Eingang")
        self._tell("")
        for one in taken:
            if one.outcome != "new":
                log.info("door.repeated", channel=self._channel, nachricht_id=one.nachricht_id, outcome=one.outcome)
        return taken

    def _say_holding(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        self._tell(_code(error))

    def _tell(self, code: str) -> None:
        """Logged when it changes, not with every attempt: an outage lasts for hours."""
        self._on_holding(code)
        if code != self._held_by:
            self._held_by = code
            log.warning("door.holding" if code else "door.taking", channel=self._channel, code=code)

    def _is_closed(self) -> bool:
        """Everybody knows by now that nothing can be taken: what is held is better off where it came from."""
        return self._gate.obstacle() is not None


def _code(error: BaseException | None) -> str:
    """The fault code, or the kind of exception; never its text, which may carry content."""
    return error.code if isinstance(error, Fault) else type(error).__name__
