"""What an AMQP door does between the opening of a connection and its end.

The intake's thread owns the wire, the door's thread decides. A message is acknowledged for one of two reasons only:
`take` has committed it, or the broker has confirmed its refused copy (promises G1, G8, G13).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from queue import Empty

import structlog

from intermediary.core.bulletin import Obstacle
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
from intermediary.ingress.gate import OPEN, Gate
from intermediary.ingress.taking import GivenBack, Taker
from intermediary.keys.spool import SpoolStopped

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.5


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
        gate: Gate = OPEN,
    ) -> None:
        self._rules = rules
        self._gate = gate
        self._clock = clock
        self._claims = claims
        self._should_stop = should_stop

    def admit(self, delivery: Delivery) -> Eingang:
        """The Eingang, its body being verified if it was claimed.

        Raises `Rejected`; `Transient` or OSError when the claim cannot be followed now, or the Mandant is full;
        `GivenBack` when stopped.
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
        eingang = build_eingang(
            self._rules, angaben_of(delivery), body=body, received_at=self._clock(), is_claim=is_claim
        )
        obstacle = self._gate.obstacle(eingang.mandant)
        if obstacle is not None and obstacle.mandant:
            raise Transient(obstacle.code, where=obstacle.where)
        return eingang


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
        closing: Callable[[], Obstacle | None] = lambda: None,
        on_closed: Callable[[str], None] = lambda _: None,
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
        self._closing = closing
        self._on_closed = on_closed
        self._is_paused = False
        self._elsewhere: set[int] = set()
        self._open_until: float | None = ticks() + open_seconds
        self._ledger = AckLedger()
        self._aside: list[tuple[float, Callable[[], None]]] = []
        self.decided = 0

    def run(self) -> None:
        """Work until the door is stopped (returns), the line ends (`LineDown`) or `take` stays away (`GivenBack`).

        While something closes the channel the broker sends nothing; what is in hand goes back to it, once, and the
        connection stays.
        """
        while not self._should_stop():
            deliveries = self._gather()
            if self._pause_if_closed(deliveries):
                continue
            try:
                self._admit_in_turn(deliveries)
                self._retry_aside()
            except GivenBack:
                if self._should_stop() or not self._pause_if_closed(deliveries):
                    raise

    def _admit_in_turn(self, deliveries: Sequence[Delivery]) -> None:
        """A claim goes alone, in its place: copying it delays nobody who came before."""
        for is_claim, group in groupby(deliveries, key=has_claim):
            for chosen in ([one] for one in group) if is_claim else [list(group)]:
                self._admit(chosen)

    def _pause_if_closed(self, in_hand: Sequence[Delivery]) -> bool:
        obstacle = self._closing()
        if obstacle is None:
            if self._is_paused:
                self._is_paused = False
                self._intake.resume()
                self._on_taking(len(self._aside))
            return False
        if not self._is_paused:
            self._is_paused = True
            self._intake.pause()
        self._on_closed(obstacle.code)
        undecided = [delivery.tag for delivery in in_hand if delivery.tag not in self._elsewhere]
        self._intake.give_back(self._ledger.returned(undecided))
        return True

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

    def _next(self, seconds: float) -> object | None:
        try:
            return self._inbox.get(block=seconds != 0, timeout=seconds)
        except Empty:
            return None

    def _admit(self, deliveries: Sequence[Delivery]) -> None:
        admitted: list[tuple[Delivery, Eingang]] = []
        for delivery in deliveries:
            try:
                admitted.append((delivery, self._admission.admit(delivery)))
            except Rejected as refused:
                self._refuse(delivery, refused)
            except (Transient, OSError) as error:
                code = error.code if isinstance(error, Transient) else type(error).__name__
                if code != "intake.mandant.full":  # that is told by whoever counts, and not with every message
                    log.warning("amqp.claim.waits", channel=self._channel, code=code)
                self._set_aside([delivery], partial(self._admit, [delivery]))
        self._offer(admitted)

    def _offer(self, admitted: Sequence[tuple[Delivery, Eingang]]) -> None:
        for verdict in self._taker.offer([eingang for _, eingang in admitted]):
            chosen = [admitted[position] for position in verdict.positions]
            if verdict.refused is not None:
                self._refuse(chosen[0][0], verdict.refused)
            elif verdict.aside:
                self._set_aside([delivery for delivery, _ in chosen], partial(self._offer, chosen))
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
            again = partial(self._refusals.refuse, answered.delivery, answered.refused)
            self._set_aside([answered.delivery], again)

    def _refuse(self, delivery: Delivery, refused: Rejected) -> None:
        self._elsewhere.add(delivery.tag)
        self._refusals.refuse(delivery, refused)

    def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        tags = [delivery.tag for delivery in deliveries]
        self._elsewhere.difference_update(tags)
        self._intake.acknowledge(self._ledger.decided(tags))
        self.decided += len(deliveries)
        self._on_taking(len(self._aside))

    def _set_aside(self, deliveries: Sequence[Delivery], again: Callable[[], None]) -> None:
        """Held without acknowledgement, and looked at again after a while."""
        self._elsewhere.update(delivery.tag for delivery in deliveries)
        self._aside.append((self._ticks() + self._aside_seconds, again))
        self._on_taking(len(self._aside))

    def _pause(self) -> float:
        """Seconds until something set aside is due, the queue should be open, or the gate is to be asked again."""
        moments = [] if self._is_paused else [due for due, _ in self._aside]
        if self._open_until is not None:
            moments.append(self._open_until)
        return min(max(min(moments, default=math.inf) - self._ticks(), 0.001), _LOOK_SECONDS)

    def _retry_aside(self) -> None:
        now = self._ticks()
        due = [again for moment, again in self._aside if moment <= now]
        self._aside = [(moment, again) for moment, again in self._aside if moment > now]
        while due:
            try:
                due[0]()
            except GivenBack:  # held as before: what was set aside is not given back
                self._aside += [(now, again) for again in due]
                raise
            del due[0]
