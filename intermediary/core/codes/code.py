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
