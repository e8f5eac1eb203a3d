"""A box of a partner that a door empties: what a visit gives, and how it is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from intermediary.core.values import Content


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as it was received: `body` are the bytes of the answer, or of the chunks put together.

    `same_sha256` is equal however often it is fetched. `reply_to`, `correlation_id` and `vorgang` as in `Eingang`.
    """

    message_id: str = field(repr=False)
    body: Content = field(repr=False)
    same_sha256: str
    reply_to: str = field(default="", repr=False)
    correlation_id: str = field(default="", repr=False)
    vorgang: str = field(default="", repr=False)


Keep = Callable[[Delivery], str]
"""Makes a delivery durable. Empty: it is. A code: this one cannot be kept. Whatever it raises ends the visit: the
delivery stays where it is."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a visit brought: how many deliveries are durable, whether more is waiting, how many are passed by."""

    kept: int
    has_more: bool
    stuck: int = 0


class Box(Protocol):
    """One box of one Mandant; `visit` is called by one thread at a time. `name` is for logs.

    A visit gives None when there is no such box at present. It raises the faults of its dialogs and whatever `keep` raises;
    what was not kept then still lies in the box. `should_stop`: end without another word; `should_leave`: fetch nothing
    more, and end it in good order.
    """

    @property
    def name(self) -> str: ...

    @property
    def mandant(self) -> str: ...

    @property
    def stuck(self) -> int:
        """How many deliveries are passed by."""
        ...

    def visit(self, keep: Keep, should_stop: Callable[[], bool], should_leave: Callable[[], bool]) -> Visit | None: ...
