"""One entry of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Healer(StrEnum):
    """Who can heal a failure."""

    TIME = "time"
    SENDER = "sender"
    OPERATOR = "operator"
    TARGET = "target"
    DEVELOPER = "developer"


@dataclass(frozen=True, slots=True)
class Code:
    """A fault code: `meaning` and `remedy` are German, because operators and Fachaemter read them."""

    name: str
    healer: Healer
    meaning: str
    remedy: str


HEALERS = {
    Healer.TIME: "die Zeit",
    Healer.SENDER: "der Sender",
    Healer.OPERATOR: "der Betrieb",
    Healer.TARGET: "ein Blick ins Zielsystem",
    Healer.DEVELOPER: "die Entwickler",
}
"""The same in German, for operators."""
