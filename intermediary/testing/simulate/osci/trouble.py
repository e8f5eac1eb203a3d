"""Trouble on command: which knob is turned, for which requests, how often; the dice are seeded."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from random import Random as Dice

KNOBS: dict[str, str] = {
    "delay": "answer late, by ARGUMENT milliseconds",
    "drop-before": "close the connection before anything is committed",
    "drop-after": "commit, then close the connection without an answer",
    "die-before": "end by SIGKILL before anything is committed",
    "die-after": "commit, then end by SIGKILL without an answer",
    "truncate": "commit, then close the connection after half of the answer",
    "wrong-conversation": "another ConversationId in the answer",
    "wrong-sequence": "another SequenceNumber in the answer",
    "wrong-response": "another Response in the answer",
    "fault": "a SOAP fault with the code ARGUMENT instead of executing the request",
    "undecryptable": "commit, then an answer nobody can decrypt",
    "plain": "commit, then an answer in the open to an encrypted request",
    "unsigned": "commit, then an answer without signature to a signed request",
    "lose-chunk": "forget the chunk that came, or serve no chunk",
    "slow-inside": "leave the message inside a chunked transfer in processing (3952)",
}
DEFAULTS = {"delay": "200", "fault": "9000"}

_SPEC = re.compile(
    r"(?P<name>[a-z-]+)(?::(?P<argument>[0-9]+))?(?:@(?P<kind>[A-Za-z]+))?=(?:next(?P<next>[0-9]+)|(?P<p>[0-9.]+))"
)


@dataclass(frozen=True, slots=True)
class Knob:
    """One knob: makes trouble with probability `probability`, or with the next `count` requests that it is meant for.

    `kind` is the kind of request it is for, empty for all. `argument` is the number some knobs need.
    """

    name: str
    kind: str = ""
    argument: str = ""
    probability: float = 0.0
    count: int = 0

    @classmethod
    def parse(cls, words: str, *, knobs: Mapping[str, str] = KNOBS, defaults: Mapping[str, str] = DEFAULTS) -> Knob:
        """Reads `NAME[:ARGUMENT][@KIND]=PROBABILITY` or `…=nextN`; ValueError with what is allowed."""
        found = _SPEC.fullmatch(words)
        if found is None or found["name"] not in knobs:
            raise ValueError(f"a knob is NAME[:ARGUMENT][@KIND]=PROBABILITY or =nextN, NAME one of {', '.join(knobs)}")
        probability = float(found["p"] or 0)
        if probability > 1:
            raise ValueError("a probability is at most 1")
        argument = found["argument"] or defaults.get(found["name"], "")
        return cls(found["name"], found["kind"] or "", argument, probability, int(found["next"] or 0))


class Trouble:
    """The knobs of one simulator, asked once per request. Safe to use from several threads."""

    def __init__(self, knobs: Iterable[Knob], *, seed: int) -> None:
        self._knobs = list(knobs)
        self._dice = Dice(seed)
        self._lock = threading.Lock()

    def turn(self, knob: Knob) -> None:
        """Adds a knob, or sets the one of the same name and kind anew."""
        with self._lock:
            self._knobs = [one for one in self._knobs if (one.name, one.kind) != (knob.name, knob.kind)]
            self._knobs.append(knob)

    def calm(self) -> None:
        """Takes all knobs away."""
        with self._lock:
            self._knobs.clear()

    def draw(self, kind: str) -> dict[str, str]:
        """Name and argument of every knob that makes trouble with this request."""
        with self._lock:
            drawn: dict[str, str] = {}
            for position, knob in enumerate(self._knobs):
                if knob.kind not in ("", kind):
                    continue
                if knob.count:
                    self._knobs[position] = replace(knob, count=knob.count - 1)
                    drawn[knob.name] = knob.argument
                elif knob.probability and self._dice.random() < knob.probability:
                    drawn[knob.name] = knob.argument
            return drawn
