"""The settings of an installation, as they stand in `intermediary.toml`.

Objects are frozen and complete: defaults are filled in and paths are absolute. `docs/reference/settings.md` is
generated from the descriptions here. Routes stand in a file of their own, which the room `route` reads.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import Field, PrivateAttr, model_validator

from intermediary.core.breaker import RestRules
from intermediary.core.schedule import Schedule
from intermediary.settings.approvals import Approvals
from intermediary.settings.channels import Channel
from intermediary.settings.kinds import CodeListUri, ConfiguredPath, Count, NameText, Several, SyslogText
from intermediary.settings.lane import Lane
from intermediary.settings.listening import Callbacks
from intermediary.settings.retention import Memory, RetentionRule
from intermediary.settings.scan import Scan
from intermediary.settings.table import Table
from intermediary.settings.watching import Alerts, Health, Incidents


class Installation(Table):
    """Which installation this is, and where it keeps what it knows."""

    name: NameText = Field(
        description="Name of the installation. Ids and idempotency keys are derived from it: never change it."
    )
    data: ConfiguredPath = Field(
        description="Folder of the store: database, wrapped payloads, audit trail. For the daemon alone (mode 0700)."
    )
    spool: ConfiguredPath | None = Field(
        default=None,
        description="Folder on a disk of this host for large bodies while they are worked on, encrypted and without a "
        "name; without it `spool` in `installation.data`. Set it where several hosts share the data folder.",
    )
    routes: ConfiguredPath = Field(description="File of the routes; read anew when it changes.")
    partners: ConfiguredPath | None = Field(
        default=None,
        description="Directory of partners (docs/reference/partners.md); read anew when it changes. Without it there are "
        "no exceptions for old partners.",
    )


class Store(Table):
    """Where the database is, and how work is claimed."""

    lease_seconds: int = Field(
        default=120,
        strict=True,
        ge=10,
        le=3600,
        description="How long a worker holds a Nachricht before another one may take it over.",
    )
    url_file: ConfiguredPath | None = Field(
        default=None,
        description="File with the URL of a PostgreSQL database, for several processes on several hosts; then "
        "`installation.data` is a folder all of them share. Without it the store is one SQLite file there.",
    )


class Intake(Table):
    """When nothing is taken any more: what arrives then stays with its sender (docs/howto/back-pressure.md)."""

    reserve_megabytes: int | None = Field(
        default=None,
        strict=True,
        ge=0,
        description="Room in MiB that must be free where `installation.data`, the spool and `audit.heads_folder` are. "
        "Without it 1024, or 5 % of the file system where that is less.",
    )
    reserve_inodes: int | None = Field(
        default=None,
        strict=True,
        ge=0,
        description="The same for inodes. Without it 10000, or 1 % where that is less.",
    )


class Delivery(Table):
    """When a failed step is tried again; waits are spread at random over the back-off."""

    first_wait_seconds: Count = Field(default=10, description="Longest wait after the first failed attempt.")
    longest_wait_seconds: Count = Field(default=6 * 3600, description="Limit of the wait, which doubles each time.")
    deadline_hours: Count = Field(
        default=72, description="After so many hours since receipt a Nachricht is parked and waits for a person."
    )
    recheck_seconds: Count = Field(
        default=300, description="How often it is looked again for what only the operator can heal."
    )
    rest_after_failures: int = Field(
        default=5,
        strict=True,
        ge=2,
        le=1000,
        description="After so many failures in a row a target rests: nothing is sent there until a probe succeeds.",
    )
    first_rest_seconds: int = Field(
        default=30,
        strict=True,
        ge=1,
        le=3600,
        description="How long a target rests first; doubles with every probe that fails.",
    )
    longest_rest_seconds: int = Field(
        default=900, strict=True, ge=1, le=86_400, description="Limit of the rest between two probes of a target."
    )

    @model_validator(mode="after")
    def _waits_grow(self) -> Self:
        if self.first_rest_seconds > self.longest_rest_seconds:
            raise ValueError("first_rest_seconds is longer than longest_rest_seconds")
        if self.longest_rest_seconds > self.deadline_hours * 3600:
            raise ValueError("longest_rest_seconds is longer than deadline_hours")
        if self.first_wait_seconds > self.longest_wait_seconds:
            raise ValueError("first_wait_seconds is longer than longest_wait_seconds")
        if self.longest_wait_seconds > self.deadline_hours * 3600:
            raise ValueError("longest_wait_seconds is longer than deadline_hours")
        return self

    @property
    def schedule(self) -> Schedule:
        """The back-off as the pure functions of `core` know it."""
        return Schedule(
            first=timedelta(seconds=self.first_wait_seconds),
            longest=timedelta(seconds=self.longest_wait_seconds),
            deadline=timedelta(hours=self.deadline_hours),
        )

    @property
    def rules(self) -> RestRules:
        """When targets rest. What a target asks for itself (Retry-After) lasts no longer than the longest wait."""
        return RestRules(
            after_failures=self.rest_after_failures,
            first_rest=timedelta(seconds=self.first_rest_seconds),
            longest_rest=timedelta(seconds=self.longest_rest_seconds),
            longest_asked=timedelta(seconds=self.longest_wait_seconds),
        )

    @property
    def recheck(self) -> timedelta:
        """`recheck_seconds` as a duration."""
        return timedelta(seconds=self.recheck_seconds)


class Audit(Table):
    """When the audit trail is sealed, and where the signed heads go."""

    head_seconds: int = Field(
        default=5, strict=True, ge=1, le=300, description="Longest time until a committed event is under a signed head."
    )
    head_events: int = Field(
        default=1000, strict=True, ge=1, le=100_000, description="A head is signed early once so many events wait."
    )
    heads_folder: ConfiguredPath = Field(
        description="The second place for signed heads: a folder outside `installation.data`, best on another system. "
        "It must exist: the daemon never makes it, so that a share that is not mounted is noticed."
    )
    heads_syslog: SyslogText | None = Field(
        default=None,
        description="Sends every signed head to syslog (RFC 5424) as well: `udp://host:514`, `tcp://host:601` or "
        "`unix:/dev/log`. A failing syslog is logged and told by `doctor`; it stops nothing.",
    )
    previous_keys: tuple[ConfiguredPath, ...] = Field(
        default=(),
        description="Public keys (PEM) that signed heads before the present one, as `audit rotate-key` leaves them; needed "
        "to verify those heads.",
    )


class Schemas(Table):
    """Which official standards are installed."""

    folder: ConfiguredPath = Field(
        description="Where `intermediary schemas install` puts packages; only what lock.toml pins is used."
    )
    demanded_lists: tuple[CodeListUri, ...] = Field(
        default=(),
        description="URIs of code lists that must be installed whenever a document uses them; `*` is every list whose "
        "values do not stand in the schema. A document whose list is not installed is not valid and waits.",
    )


class Mandant(Table):
    """A municipality: its own keys, its own payload encryption."""

    name: NameText = Field(description="Name of the Mandant; routes and channels refer to it.")
    kek_file: ConfiguredPath = Field(
        description="Key that wraps the data keys of this Mandant's Nachrichten. Lost key: lost payloads."
    )
    previous_kek_files: tuple[ConfiguredPath, ...] = Field(
        default=(), description="Keys this Mandant had before; needed to read until no payload is under them any more."
    )
    most_waiting: Count | None = Field(
        default=None,
        description="While so many Nachrichten of the Mandant are open and not parked, its submissions are not taken. "
        "Without it there is no limit.",
    )
    share: int = Field(
        default=1,
        strict=True,
        ge=1,
        le=1000,
        description="How much of the work the Mandant gets while others wait too, in proportion to their shares.",
    )
    most_at_once: Count | None = Field(
        default=None,
        description="At most so many Nachrichten of the Mandant are worked on at the same time, over all hosts. Without it "
        "there is no limit.",
    )
    keyring: ConfiguredPath = Field(description="File that names the keys and trust anchors to open submissions with.")


class Settings(Table):
    """Everything `intermediary.toml` says.

    Built by `load`; every room is given only its own table. `file` is where they were read, for messages to people.
    """

    installation: Installation
    store: Store = Field(default_factory=Store)
    intake: Intake = Field(default_factory=Intake)
    delivery: Delivery = Field(default_factory=Delivery)
    lane: Lane = Field(default_factory=Lane)
    audit: Audit
    approvals: Approvals = Field(default_factory=Approvals)
    memory: Memory = Field(default_factory=Memory)
    retention: tuple[RetentionRule, ...] = ()
    health: Health = Field(default_factory=Health)
    incidents: Incidents = Field(default_factory=Incidents)
    alerts: Alerts = Field(default_factory=Alerts)
    scan: Scan | None = None
    callbacks: Callbacks | None = None
    schemas: Schemas
    mandant: Several[Mandant]
    channel: Several[Channel]
    _file: Path = PrivateAttr(default=Path())

    def model_post_init(self, context: dict[str, Path] | None) -> None:
        """Keep the name of the file, which `load` gives along."""
        if context is not None:
            self._file = context["file"]

    @property
    def file(self) -> Path:
        """The file these settings were read from, absolute."""
        return self._file

    def mandant_named(self, name: str) -> Mandant:
        """The Mandant of that name; KeyError if there is none."""
        return {mandant.name: mandant for mandant in self.mandant}[name]

    def channel_named(self, name: str) -> Channel:
        """The channel of that name; KeyError if there is none."""
        return {channel.name: channel for channel in self.channel}[name]
