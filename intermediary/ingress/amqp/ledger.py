"""Knows which deliveries of one AMQP channel are decided, and what may be acknowledged together.

`basic.ack` with `multiple` settles every lower tag too: it may only be used where all of them are decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ack:
    """One `basic.ack` to send: this tag, or with `multiple` all outstanding ones up to and including it."""

    tag: int
    multiple: bool


class AckLedger:
    """The outstanding delivery tags of one channel; tags arrive in rising order. Used by one thread only."""

    def __init__(self) -> None:
        self._outstanding: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._outstanding)

    def arrived(self, tag: int) -> None:
        """A delivery came in and is not decided yet."""
        self._outstanding[tag] = None

    def returned(self, tags: Iterable[int]) -> list[int]:
        """These go back to the queue undecided; those of them that were outstanding."""
        chosen = [tag for tag in tags if tag in self._outstanding]
        for tag in chosen:
            del self._outstanding[tag]
        return chosen

    def decided(self, tags: Iterable[int]) -> list[Ack]:
        """These deliveries are durable (or refused, confirmed): what to send for them.

        One ack for the unbroken run at the low end, single ones for what lies beyond a delivery still undecided.
        """
        chosen = {tag for tag in tags if tag in self._outstanding}
        run: list[int] = []
        for tag in self._outstanding:
            if tag not in chosen:
                break
            run.append(tag)
        acks = [Ack(run[-1], multiple=len(run) > 1)] if run else []
        acks += [Ack(tag, multiple=False) for tag in sorted(chosen.difference(run))]
        for tag in chosen:
            del self._outstanding[tag]
        return acks
