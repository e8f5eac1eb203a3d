"""The two plug-in ports, Mapping and Connector, and what passes through them; found by entry points, named by routes.

Mappings see `core` and `mapping.api`, connectors `core` and `connect.api`; those pages re-export what is here.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

from intermediary.core.ids import derived_id
from intermediary.core.steps import Steps
from intermediary.core.values import EMPTY, Ausgabe, Opened, Part, Zustellauftrag

ANY_ROOT = "*"


@dataclass(frozen=True, slots=True)
class Antrag:
    """What a mapping reads: the validated payload and what came with it.

    `tree` is the root element (lxml) of `payload`, parsed by the hardened parser; None for JSON. `attachments` are in order.
    """

    opened: Opened = field(repr=False)
    payload: Part = field(repr=False)
    tree: Any = field(repr=False)
    attachments: tuple[Part, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Kontext:
    """What a mapping may know besides the Antrag: no clock, no randomness, no configuration but its `[route.settings]`.

    `key` is the Nachricht's own UUID: `id_for(path)` gives ids that every retry repeats. `revision` counts how often an
    output was made anew after a change. `files` is what `[route.files]` names, pinned by hash with each Nachricht.
    """

    key: str
    mandant: str
    received_at: datetime
    revision: int = 0
    settings: MappingOf[str, str] = field(default_factory=lambda: EMPTY)
    is_test: bool = False
    files: MappingOf[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def id_for(self, path: str) -> str:
        """The UUID of the output object at `path`."""
        return derived_id(self.key, path)


class Mapping(Protocol):
    """Turns an Antrag into an Ausgabe of an xÖV standard: a pure function with a name and a version.

    The pipeline calls `map` once to plan and again for every attempt, and compares the hashes: equal arguments must give
    equal bytes. Raise `Rejected("mapping.input.refused", findings=…)` when the sender has to change something and
    `Misconfigured("mapping.setting.invalid", where=…)` when a setting is missing. Any other exception is a defect of
    the mapping and parks the Nachricht. `input_root` is the root of what it reads: QName, `json`, or `ANY_ROOT`.

    Optional: `further_roots`, a tuple; `settings_type`, the frozen dataclass of its `[route.settings]`; `examine(settings,
    files)`, whose Befunde `lint` tells; `standard_of(settings)`, where they decide what it writes.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    input_root: ClassVar[str]
    standard: ClassVar[str]

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe: ...


class Idempotency(StrEnum):
    """What a target offers against double delivery (promise G4)."""

    NATIVE = "native"
    LOOKUP = "lookup"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a connector says of itself: `idempotency` decides what happens after an ambiguous attempt, `steps` names its
    checkpoints in order. What is larger than `max_document_bytes` is not handed to it; `concurrency` Zustellungen at a time
    go to one target per process, each through an instance of its own.
    """

    name: str
    idempotency: Idempotency
    summary: str
    steps: tuple[str, ...] = ()
    max_document_bytes: int | None = None
    concurrency: int = 1


@dataclass(frozen=True, slots=True)
class Delivered:
    """The Fachverfahren has durably accepted. `proof` holds what shows it (names, hashes, references): no content."""

    proof: MappingOf[str, str] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Awaiting:
    """Handed over; the verdict comes later, until `until`. `correlation` is what `collect` needs to find it."""

    until: datetime
    correlation: MappingOf[str, str] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Refused:
    """The Fachverfahren refuses the content. `reason` is a code of the target, no free text of a citizen."""

    reason: str
    proof: MappingOf[str, str] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """`lookup` is certain that nothing has arrived."""


class Connector(Protocol):
    """Hands a Zustellauftrag to one Fachverfahren or e-file.

    One instance serves one target of one route in one worker process; its manifest says what this target offers. `deliver`
    is called at most once at a time per instance, always after the intent has been committed. Return `Delivered` when the
    target has durably accepted, `Awaiting` when its verdict comes later. Raise `Transient` when nothing was sent (beyond the
    steps that are done), `Unclear` when it may have been, `Rejected("target.refused")` when the target refuses the content,
    `Misconfigured` when a setting is wrong. Any other exception counts as `Unclear`.

    `lookup` is called only for `idempotency = lookup`, before an ambiguous attempt is repeated (which keeps its steps): all
    of it Delivered or Awaiting, or NotDelivered; `Transient` when it cannot be asked now. `collect` asks for the verdict of
    something awaited; None while there is none. `probe` tests without any effect and raises a Fault. Optional: `examine()`
    does so by files alone (`lint`); `tidy()` (not in a lane) removes, hourly, what dead attempts left readable.
    """

    @property
    def manifest(self) -> Manifest: ...
    def deliver(self, auftrag: Zustellauftrag, steps: Steps, now: datetime) -> Delivered | Awaiting: ...
    def lookup(self, key: str, steps: Steps, now: datetime) -> Delivered | Awaiting | NotDelivered: ...
    def collect(self, key: str, correlation: MappingOf[str, str], now: datetime) -> Delivered | Refused | None: ...
    def probe(self) -> None: ...


class ConnectorFactory(Protocol):
    """What a connector's entry point names: builds an instance from the target's settings table.

    `settings_type` is a frozen dataclass whose fields carry help texts (`field(metadata={"help": …})`, a file with a
    secret also `"secret": True`); unknown keys are refused before this is called. Relative paths refer to `base`.
    """

    manifest: Manifest
    settings_type: type

    def build(self, settings: Any, base: Path) -> Connector: ...
