"""What the kit asks of a target, its own or a vendor's, and the ways in which one misbehaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from intermediary.core.values import Zustellauftrag


class Trouble(StrEnum):
    """What happens to one request with an effect; the names that `Target.misbehave` is given. `…-after`: it has happened."""

    BUSY = "busy"
    BURST = "error-burst"
    RESET_BEFORE = "reset-before"
    ERROR_BODY = "error-body"
    REDIRECT = "redirect"
    UNAUTHORIZED = "unauthorized"
    REFUSE = "refuse"
    RESET_AFTER = "reset-after"
    ERROR_AFTER = "error-after"
    GATEWAY_AFTER = "gateway-after"
    SILENT_AFTER = "silent-after"
    DRIP_AFTER = "drip-after"
    HUGE_AFTER = "huge-after"
    WRONG_TYPE_AFTER = "wrong-type-after"
    FOREIGN_ID_AFTER = "foreign-id-after"


@dataclass(frozen=True, slots=True)
class Effect:
    """One thing a target has done: what (`case`, `document`, a file), and the hash of the bytes it took (empty: unknown)."""

    kind: str
    sha256: str = ""


class Target(Protocol):
    """A target for one run of the kit: a vendor's own is the object `KIT` of its package.

    `start` makes it in an empty folder and gives the connector's settings. `effects` are all things done under this key
    since it was asked for it first, in order; twice means doubled. `misbehave` makes the trouble of this name happen to
    the request with an effect after the next `at` ones, and False says that it cannot; an empty name calms it.
    """

    def start(self, folder: Path) -> Mapping[str, object]: ...

    def effects(self, key: str) -> Sequence[Effect]: ...

    def misbehave(self, name: str, at: int = 0) -> bool: ...

    def stop(self) -> None: ...


@runtime_checkable
class Keeper(Target, Protocol):
    """A target that is the engine itself: what a connector returned as `Awaiting` has its effect when it is committed.

    `keep` commits it, and says what the worker learns: nothing more (empty), or that it could not be (`transient`), or the
    name of another kind of attempt (`unclear`: it was committed, and nobody knows).
    """

    def keep(self, auftrag: Zustellauftrag, correlation: Mapping[str, str]) -> str: ...
