"""Trouble on command: which knob is turned, for which requests, how often; the dice are seeded."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random as Dice

KNOBS: dict[str, str] = {
    "refuse": "503 mit Retry-After von ARGUMENT Sekunden; nichts wird übernommen",
    "error-before": "500, bevor etwas übernommen ist",
    "error-after": "übernehmen, dann 500",
    "reset-before": "die Verbindung abbrechen, bevor etwas übernommen ist",
    "reset-inside": "die Verbindung mitten im Empfang abbrechen; nichts wird übernommen",
    "reset-after": "übernehmen, dann die Verbindung ohne Antwort abbrechen",
    "hang": "übernehmen, dann schweigen, bis der Aufrufer aufgibt",
    "twice": "doppelt ausführen, wie hinter einem Proxy, der wiederholt; geantwortet wird, was beim zweiten Mal war",
    "delay": "um ARGUMENT Millisekunden später antworten",
    "drip": "übernehmen, dann Byte für Byte antworten, alle ARGUMENT Millisekunden eines",
    "huge": "übernehmen, dann mit ARGUMENT MiB antworten",
    "wrong-type": "übernehmen, dann mit einer HTML-Seite statt der Antwort",
    "redirect": "auf einen anderen Rechner umleiten; nichts wird übernommen",
    "reject": "den Inhalt ablehnen; nichts wird übernommen",
}
DEFAULTS = {"refuse": "1", "delay": "200", "drip": "50", "huge": "16"}

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
    def parse(cls, words: str, known: Iterable[str] = KNOBS) -> Knob:
        """Reads `NAME[:ARGUMENT][@KIND]=PROBABILITY` or `…=nextN`; ValueError with what is allowed."""
        found = _SPEC.fullmatch(words)
        if found is None or found["name"] not in set(known):
            raise ValueError(f"a knob is NAME[:ARGUMENT][@KIND]=PROBABILITY or =nextN, NAME one of {', '.join(known)}")
        probability = float(found["p"] or 0)
        if probability > 1:
            raise ValueError("a probability is at most 1")
        argument = found["argument"] or DEFAULTS.get(found["name"], "")
        return cls(found["name"], found["kind"] or "", argument, probability, int(found["next"] or 0))

    def words(self) -> str:
        """What `parse` reads."""
        argument = f":{self.argument}" if self.argument else ""
        kind = f"@{self.kind}" if self.kind else ""
        return f"{self.name}{argument}{kind}={f'next{self.count}' if self.count else self.probability:}"


class Mischief:
    """The knobs of one stand-in, asked once per request. Safe to use from several threads."""

    def __init__(self, knobs: Iterable[Knob] = (), *, seed: int = 0) -> None:
        self._knobs = list(knobs)
        self._dice = Dice(seed)
        self._spared = 0
        self._lock = threading.Lock()

    def spare(self, count: int) -> None:
        """Leave the next so many requests in peace."""
        with self._lock:
            self._spared = count

    def turn(self, knob: Knob) -> None:
        """Adds a knob, or sets the one of the same name and kind anew; one without probability and count goes."""
        with self._lock:
            self._knobs = [one for one in self._knobs if (one.name, one.kind) != (knob.name, knob.kind)]
            if knob.count or knob.probability:
                self._knobs.append(knob)

    def calm(self) -> None:
        """Takes all knobs away."""
        with self._lock:
            self._knobs.clear()

    def turned(self) -> tuple[Knob, ...]:
        """The knobs as they stand."""
        with self._lock:
            return tuple(self._knobs)

    def draw(self, kind: str) -> dict[str, str]:
        """Name and argument of every knob that makes trouble with this request."""
        with self._lock:
            drawn: dict[str, str] = {}
            if self._spared:
                self._spared -= 1
                return drawn
            for knob in tuple(self._knobs):
                if knob.kind not in ("", kind) or not self._strikes(knob):
                    continue
                drawn[knob.name] = knob.argument
            return drawn

    def _strikes(self, knob: Knob) -> bool:
        if not knob.count:
            return self._dice.random() < knob.probability
        position = self._knobs.index(knob)
        if knob.count > 1:
            self._knobs[position] = replace(knob, count=knob.count - 1)
        else:
            del self._knobs[position]
        return True
