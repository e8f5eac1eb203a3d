"""Callbacks: what a target says by itself of a Zustellung that waits for its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from intermediary.core.ports import Delivered, Refused


@dataclass(frozen=True, slots=True)
class Callback:
    """A request that somebody made to the address of a target, unchecked; names of headers are in lower case.

    `key` is the last segment of the address where it has one, else empty.
    """

    key: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the target certainly said: the key of the Zustellung, and its verdict; None while it is still deciding."""

    key: str
    verdict: Delivered | Refused | None


class Unheard(StrEnum):
    """Why a callback says nothing: it is not the target that speaks, or it speaks otherwise than agreed."""

    STRANGER = "unauthorized"
    UNREADABLE = "unreadable"


@runtime_checkable
class Hearing(Protocol):
    """What a connector offers besides its port when its target calls back; asked by the door of `[callbacks]`."""

    def hear(self, callback: Callback, now: datetime) -> Heard | Unheard:
        """First see that the target speaks, then read; without any effect. `Misconfigured` if that cannot be seen."""
        ...
