"""The settings of an installation, as they stand in `intermediary.toml`.

Objects are frozen and complete: defaults are filled in and paths are absolute. `docs/reference/settings.md` is
generated from the descriptions here. Routes stand in a file of their own, which the room `route` reads.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from intermediary.core.schedule import Schedule
from intermediary.settings.kinds import AddressText, ConfiguredPath, Count, KennungText, NameText, QueueName, Several

GIBIBYTE = 1024**3
BROKER_MAX_BYTES = 128 * 1024**2
LARGEST_BYTES = 3 * GIBIBYTE  # 2 GiB of attachments, even in the Base64 form of older senders


class Table(BaseModel):
    """A table of the file: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Installation(Table):
    """Which installation this is, and where it keeps what it knows."""

    name: NameText = Field(
        description="Name of the installation. Ids and idempotency keys are derived from it: never change it."
    )
    data: ConfiguredPath = Field(
        description="Folder of the store: database, wrapped payloads, audit trail. For the daemon alone (mode 0700)."
    )
    routes: ConfiguredPath = Field(description="File of the routes; read anew when it changes.")
    partners: ConfiguredPath | None = Field(
        default=None,
        description="Directory of partners (docs/reference/partners.md); read anew when it changes. Without it there are "
        "no exceptions for old partners.",
    )


class Store(Table):
    """How work is claimed."""

    lease_seconds: int = Field(
        default=120,
        strict=True,
        ge=10,
        le=3600,
        description="How long a worker holds a Nachricht before another one may take it over.",
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

    @model_validator(mode="after")
    def _waits_grow(self) -> Self:
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


class Schemas(Table):
    """Which official standards are installed."""

    folder: ConfiguredPath = Field(
        description="Where `intermediary schemas install` puts packages; only what lock.toml pins is used."
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
    keyring: ConfiguredPath = Field(description="File that names the keys and trust anchors to open submissions with.")


class FolderDoor(Table):
    """A folder that sealed messages are moved into, one file each, by an atomic rename."""

    inbox: ConfiguredPath = Field(description="The watched folder; on one file system with whoever renames into it.")


class ClaimStore(Table):
    """A store from which large submissions are fetched: the message carries only key, size and SHA-256."""

    folder: ConfiguredPath = Field(description="Folder of the referenced blobs; keys are plain file names in it.")


class AmqpDoor(Table):
    """A queue of an AMQP 0-9-1 broker; docs/reference/amqp.md is the interface for senders."""

    url_file: ConfiguredPath = Field(
        description="File with the URL of the broker (amqp:// or amqps://) and its password."
    )
    queue: QueueName = Field(description="Quorum queue that is read. Refused messages go to `<queue>.refused`.")
    prefetch: int = Field(
        default=200, strict=True, ge=1, le=65535, description="How many messages the broker sends ahead of the acks."
    )
    reply_to: tuple[QueueName, ...] = Field(
        default=(), description="Queues that a message may name as `reply_to`; any other name is refused."
    )
    claims: dict[NameText, ClaimStore] = Field(
        default_factory=dict, description="Stores that the header `x-claim` may name, by name."
    )


class OsciPassiveDoor(Table):
    """An HTTPS endpoint that an OSCI intermediary delivers to; docs/reference/osci-passive.md is its interface."""

    listen: AddressText = Field(description="Address to listen on, `host:port`. Paths: `/osci/<mandant>`.")
    tls_cert: ConfiguredPath | None = Field(
        default=None, description="Certificate of the endpoint with its chain (PEM); a renewed file is noticed."
    )
    tls_key: ConfiguredPath | None = Field(
        default=None, description="Its key (PEM, without passphrase, mode 0600). Without both: plain HTTP."
    )
    client_ca: ConfiguredPath | None = Field(
        default=None, description="CA (PEM) whose certificates a client must show; without it any client may connect."
    )
    behind_proxy: bool = Field(
        default=False,
        strict=True,
        description="Without TLS only the loopback interface is listened on, unless a proxy ends TLS on a path you trust.",
    )
    judged_seconds: int = Field(
        default=10,
        strict=True,
        ge=1,
        le=300,
        description="How long an answer waits for the verdict; then the intermediary is asked to repeat the delivery.",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.tls_cert is None) is not (self.tls_key is None):
            raise ValueError("`tls_cert` and `tls_key` go together")
        if self.tls_cert is None and self.client_ca is not None:
            raise ValueError("`client_ca` needs `tls_cert` and `tls_key`")
        if self.tls_cert is None and not self.behind_proxy and self.host not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(
                "without TLS only the loopback interface is listened on: set `tls_cert`, or `behind_proxy`"
            )
        return self

    @property
    def host(self) -> str:
        """The host of `listen`, without brackets."""
        return self.listen.rpartition(":")[0].removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        """The port of `listen`."""
        return int(self.listen.rpartition(":")[2])


class Answer(Table):
    """Where Quittungen of a channel go when the message itself names no place."""

    type: Literal["folder", "amqp"] = Field(description="`folder`: a file each; `amqp`: the broker of the channel.")
    folder: ConfiguredPath | None = Field(default=None, description="Only for `folder`: where the files go.")
    queue: QueueName | None = Field(default=None, description="Only for `amqp`: the queue they are published to.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wanted = "folder" if self.type == "folder" else "queue"
        for name, value in (("folder", self.folder), ("queue", self.queue)):
            if (value is None) is (name == wanted):
                raise ValueError(f'an answer of type "{self.type}" has `{wanted}` and nothing else')
        return self


class Channel(Table):
    """A door through which submissions come in."""

    name: NameText = Field(description="Name of the channel; stands in the audit trail.")
    type: Literal["folder", "amqp", "osci_passive"] = Field(
        description="The kind of door; its settings are in the table of that name."
    )
    mandanten: Several[NameText] = Field(
        description="Whose submissions come through this door. With several, a message says whose it is (`x-mandant`).",
    )
    max_bytes: int = Field(
        default=LARGEST_BYTES,
        strict=True,
        ge=1,
        le=LARGEST_BYTES,
        description="Largest submission that is taken. Memory does not depend on it; while one is opened, its parts need "
        "about twice its length on the disk of `installation.data`, sealed.",
    )
    partner: KennungText | None = Field(
        default=None,
        description="Behoerdenkennung of the only partner who hands in here, of `installation.partners`: their anchors "
        "count, and their exception holds for opening the transport layer.",
    )
    folder: FolderDoor | None = Field(default=None, description="The door of type `folder`.")
    amqp: AmqpDoor | None = Field(default=None, description="The door of type `amqp`.")
    osci_passive: OsciPassiveDoor | None = Field(default=None, description="The door of type `osci_passive`.")
    answer: Answer | None = Field(default=None, description="Where Quittungen go; without it only to `reply_to`.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        doors = {"folder": self.folder, "amqp": self.amqp, "osci_passive": self.osci_passive}
        for name, door in doors.items():
            if (door is None) is (name == self.type):
                raise ValueError(f'a channel of type "{self.type}" has the table [channel.{self.type}] and no other')
        if self.type == "folder" and len(self.mandanten) > 1:
            raise ValueError("a folder belongs to one Mandant: nothing in it says whose a file is")
        if self.answer is not None and self.answer.type == "amqp" and self.type != "amqp":
            raise ValueError('an answer of type "amqp" needs the broker of a channel of type "amqp"')
        return self


class Settings(Table):
    """Everything `intermediary.toml` says.

    Built by `load`; every room is given only its own table. `file` is where they were read, for messages to people.
    """

    installation: Installation
    store: Store = Field(default_factory=Store)
    delivery: Delivery = Field(default_factory=Delivery)
    audit: Audit
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
