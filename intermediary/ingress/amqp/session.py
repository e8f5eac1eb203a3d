"""What an AMQP door does between the opening of a connection and its end.

The intake's thread owns the wire, the door's thread decides. A message is acknowledged for one of two reasons only:
`take` has committed it, or the broker has confirmed its refused copy (promises G1, G8, G13).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from queue import Empty

import structlog

from intermediary.core.faults import Rejected, Transient
from intermediary.core.values import Content, Eingang
from intermediary.ingress.amqp.intake import Delivery, Down, Inbox, Intake, Opened
from intermediary.ingress.amqp.ledger import AckLedger
from intermediary.ingress.amqp.line import LineDown
from intermediary.ingress.amqp.message import angaben_of, claim_of, has_claim
from intermediary.ingress.amqp.outlet import Unroutable
from intermediary.ingress.amqp.refusals import Answered, Refusals
from intermediary.ingress.claims import ClaimMissing, Claims, VanishedContent
from intermediary.ingress.doors import DoorRules, build_eingang
from intermediary.ingress.taking import GivenBack, Taker
from intermediary.keys.spool import SpoolStopped

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wake:
    """Somebody called `stop`: look."""


class Admission:
    """Makes an Eingang of a delivery, or says why not; the same for all sessions of a door."""

    def __init__(
        self,
        rules: DoorRules,
        *,
        clock: Callable[[], datetime],
        claims: Claims | None,
        should_stop: Callable[[], bool],
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._claims = claims
        self._should_stop = should_stop

    def admit(self, delivery: Delivery) -> Eingang:
        """The Eingang, its body being verified if it was claimed.

        Raises `Rejected`; `Transient` or OSError when the claim cannot be followed now; `GivenBack` when stopped.
        """
        if not has_claim(delivery):
            return self._eingang(delivery, delivery.content)
        if self._claims is None:
            raise Rejected("intake.claim.invalid")
        claim = self._claims.read(claim_of(delivery))
        # Everything is checked before the copy is made: it may be gigabytes.
        eingang = self._eingang(delivery, VanishedContent(claim), is_claim=True)
        try:
            return replace(eingang, body=self._claims.fetch(claim, self._should_stop))
        except SpoolStopped as error:
            raise GivenBack from error
        except ClaimMissing as error:
            if not delivery.redelivered:
                raise Rejected("intake.claim.invalid") from error
            return eingang

    def _eingang(self, delivery: Delivery, body: Content, *, is_claim: bool = False) -> Eingang:
        return build_eingang(self._rules, angaben_of(delivery), body=body, received_at=self._clock(), is_claim=is_claim)


class Session:
    """One connection's worth of work; `decided` counts what was acknowledged."""

    def __init__(
        self,
        intake: Intake,
        inbox: Inbox,
        *,
        channel: str,
        admission: Admission,
        taker: Taker,
        refusals: Refusals,
        should_stop: Callable[[], bool],
        batch: int,
        aside_seconds: float,
        open_seconds: float,
        ticks: Callable[[], float],
        on_taking: Callable[[int], None],
    ) -> None:
        self._intake = intake
        self._inbox = inbox
        self._channel = channel
        self._admission = admission
        self._taker = taker
        self._refusals = refusals
        self._should_stop = should_stop
        self._batch = batch
        self._aside_seconds = aside_seconds
        self._ticks = ticks
        self._on_taking = on_taking
        self._open_until: float | None = ticks() + open_seconds
        self._ledger = AckLedger()
        self._aside: list[tuple[float, Callable[[], None]]] = []
        self.decided = 0

    def run(self) -> None:
        """Work until the door is stopped (returns), the line ends (`LineDown`) or `take` stays away (`GivenBack`)."""
        while not self._should_stop():
            # A claim goes alone, in its place: copying it delays nobody who came before.
            for is_claim, group in groupby(self._gather(), key=has_claim):
                for deliveries in ([one] for one in group) if is_claim else [list(group)]:
                    self._admit(deliveries)
            self._retry_aside()

    def _gather(self) -> list[Delivery]:
        """Wait for the first event, then collect what is there already: under load the commits become larger."""
        deliveries: list[Delivery] = []
        event = self._next(self._pause())
        while event is not None:
            match event:
                case Delivery():
                    self._ledger.arrived(event.tag)
                    deliveries.append(event)
                case Answered():
                    self._on_answered(event)
                case Opened():
                    self._open_until = None
                    log.info("amqp.session.opened", channel=self._channel)
                    self._on_taking(len(self._aside))
                case Down():
                    raise LineDown(event.reason)
            if self._should_stop() or len(deliveries) >= self._batch:
                break
            event = self._next(0)
        self._demand_open()
        return deliveries

    def _demand_open(self) -> None:
        """A queue without a leader answers nothing, not even with an error."""
        if self._open_until is not None and self._ticks() >= self._open_until:
            raise LineDown("not opened in time")

    def _next(self, seconds: float | None) -> object | None:
        try:
            return self._inbox.get(block=seconds != 0, timeout=seconds or None)
        except Empty:
            return None

    def _admit(self, deliveries: Sequence[Delivery]) -> None:
        admitted: list[tuple[Delivery, Eingang]] = []
        for delivery in deliveries:
            try:
                admitted.append((delivery, self._admission.admit(delivery)))
            except Rejected as refused:
                self._refusals.refuse(delivery, refused)
            except (Transient, OSError) as error:
                code = error.code if isinstance(error, Transient) else type(error).__name__
                log.warning("amqp.claim.waits", channel=self._channel, code=code)
                self._set_aside(partial(self._admit, [delivery]))
        self._offer(admitted)

    def _offer(self, admitted: Sequence[tuple[Delivery, Eingang]]) -> None:
        for verdict in self._taker.offer([eingang for _, eingang in admitted]):
            chosen = [admitted[position] for position in verdict.positions]
            if verdict.refused is not None:
                self._refusals.refuse(chosen[0][0], verdict.refused)
            elif verdict.aside:
                self._set_aside(partial(self._offer, chosen))
            else:
                self._acknowledge([delivery for delivery, _ in chosen])

    def _on_answered(self, answered: Answered) -> None:
        self._refusals.settled(answered)
        if answered.error is None:
            log.info("amqp.refused", channel=self._channel, code=answered.refused.code)
            self._acknowledge([answered.delivery])
        elif isinstance(answered.error, Unroutable):
            raise LineDown("refused queue missing")  # the next session declares it again
        else:
            self._set_aside(partial(self._refusals.refuse, answered.delivery, answered.refused))

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        self._intake.acknowledge(self._ledger.decided(delivery.tag for delivery in deliveries))
        self.decided += len(deliveries)
        self._on_taking(len(self._aside))

    def _set_aside(self, again: Callable[[], None]) -> None:
        self._aside.append((self._ticks() + self._aside_seconds, again))
        self._on_taking(len(self._aside))

    def _pause(self) -> float | None:
        """Seconds until something set aside is due or the queue should be open; None: nothing waits."""
        moments = [due for due, _ in self._aside]
        if self._open_until is not None:
            moments.append(self._open_until)
        return max(min(moments) - self._ticks(), 0.001) if moments else None

    def _retry_aside(self) -> None:
        now = self._ticks()
        due = [again for moment, again in self._aside if moment <= now]
        self._aside = [(moment, again) for moment, again in self._aside if moment > now]
        for again in due:
            again()
