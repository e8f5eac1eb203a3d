"""The channels of an installation: doors of every kind, and where their Quittungen go."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from intermediary.settings.kinds import AddressText, ConfiguredPath, KennungText, NameText, QueueName, Several
from intermediary.settings.listening import ListeningDoor
from intermediary.settings.table import Table
from intermediary.settings.xta import XtaAnswer, XtaFetchDoor
from intermediary.settings.xta_passive import XtaPassiveDoor

GIBIBYTE = 1024**3
BROKER_MAX_BYTES = 128 * 1024**2
LARGEST_BYTES = 4 * GIBIBYTE  # 2 GiB of attachments, even with Base64 in Base64, as older senders write it


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


class OsciPassiveDoor(ListeningDoor):
    """An HTTPS endpoint that an OSCI intermediary delivers to; docs/reference/osci-passive.md is its interface."""

    listen: AddressText = Field(description="Address to listen on, `host:port`. Paths: `/osci/<mandant>`.")
    judged_seconds: int = Field(
        default=10,
        strict=True,
        ge=1,
        le=300,
        description="How long an answer waits for the verdict; then the intermediary is asked to repeat the delivery.",
    )


class OsciFetchDoor(Table):
    """Post boxes at the OSCI intermediary `channel.partner`, one for each Mandant; docs/reference/osci-fetch.md."""

    poll_seconds: int = Field(
        default=2,
        strict=True,
        ge=1,
        le=3600,
        description="Wait after a visit that brought something; doubles while none does.",
    )
    poll_most_seconds: int = Field(
        default=60, strict=True, ge=1, le=86_400, description="Longest wait between two visits of an empty post box."
    )
    threads: int = Field(default=4, strict=True, ge=1, le=32, description="How many post boxes are visited at once.")
    post_boxes: int = Field(
        default=1,
        strict=True,
        ge=1,
        le=8,
        description="How many of the first decrypting keys of each keyring have a post box: 2 while a key is replaced.",
    )
    chunk_megabytes: int | None = Field(
        default=None,
        strict=True,
        ge=1,
        le=1024,
        description="Fetch in chunks of this size where the intermediary offers it; without it every delivery in one piece.",
    )
    ca_file: ConfiguredPath | None = Field(
        default=None, description="CA (PEM) of the intermediary's TLS certificate, in place of the system's."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.poll_seconds > self.poll_most_seconds:
            raise ValueError("poll_seconds is longer than poll_most_seconds")
        return self


class Answer(Table):
    """Where Quittungen of a channel go when the message itself names no place."""

    type: Literal["folder", "amqp", "osci", "xta"] = Field(
        description="`folder`: a file each; `amqp`: the broker of the channel; `osci`: a post box at an intermediary; "
        "`xta`: by the service that the channel fetches from, to the author of the message."
    )
    folder: ConfiguredPath | None = Field(default=None, description="Only for `folder`: where the files go.")
    queue: QueueName | None = Field(default=None, description="Only for `amqp`: the queue they are published to.")
    partner: KennungText | None = Field(
        default=None, description="Only for `osci`: Behoerdenkennung of the intermediary, of `installation.partners`."
    )
    reader: KennungText | None = Field(
        default=None,
        description="Only for `osci`: Behoerdenkennung of whoever gets the Quittungen; their first `cipher` certificate "
        "names the post box and opens the content.",
    )
    ca_file: ConfiguredPath | None = Field(
        default=None,
        description="Only for `osci`: CA (PEM) of the intermediary's TLS certificate, in place of the system's.",
    )
    xta: XtaAnswer | None = Field(default=None, description="Only for `xta`: how a Quittung is labelled.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed = {"folder": ("folder",), "amqp": ("queue",), "osci": ("partner", "reader"), "xta": ("xta",)}[self.type]
        given = {name for name in ("folder", "queue", "partner", "reader", "xta") if getattr(self, name) is not None}
        if given != set(needed) or (self.ca_file is not None and self.type != "osci"):
            raise ValueError(
                f'an answer of type "{self.type}" has {" and ".join(f"`{one}`" for one in needed)} and nothing else'
            )
        return self


class Channel(Table):
    """A door through which submissions come in."""

    name: NameText = Field(description="Name of the channel; stands in the audit trail.")
    type: Literal["folder", "amqp", "osci_passive", "osci_fetch", "xta_fetch", "xta_passive"] = Field(
        description="The kind of door; its settings are in the table of that name."
    )
    mandanten: Several[NameText] = Field(
        description="Whose submissions come through this door. With several, a message says whose it is (`x-mandant`), or "
        "its path or post box does.",
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
    osci_fetch: OsciFetchDoor | None = Field(default=None, description="The door of type `osci_fetch`.")
    xta_fetch: XtaFetchDoor | None = Field(default=None, description="The door of type `xta_fetch`.")
    xta_passive: XtaPassiveDoor | None = Field(default=None, description="The door of type `xta_passive`.")
    answer: Answer | None = Field(default=None, description="Where Quittungen go; without it only to `reply_to`.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in get_args(Channel.model_fields["type"].annotation):
            if (getattr(self, name) is None) is (name == self.type):
                raise ValueError(f'a channel of type "{self.type}" has the table [channel.{self.type}] and no other')
        if self.type == "folder" and len(self.mandanten) > 1:
            raise ValueError("a folder belongs to one Mandant: nothing in it says whose a file is")
        if self.type == "osci_fetch" and self.partner is None:
            raise ValueError('a channel of type "osci_fetch" names the intermediary as its `partner`')
        if self.answer is not None and self.answer.type == "amqp" and self.type != "amqp":
            raise ValueError('an answer of type "amqp" needs the broker of a channel of type "amqp"')
        self._check_xta()
        return self

    def _check_xta(self) -> None:
        passive = self.xta_passive
        if passive is not None and not passive.readers and len(self.mandanten) > 1:
            raise ValueError("with several Mandanten, `xta_passive.readers` says whose submissions are whose")
        if passive is not None and not set(passive.readers.values()) <= set(self.mandanten):
            raise ValueError("`xta_passive.readers` names a Mandant that `mandanten` does not")
        door = self.xta_fetch
        if door is not None and {one.mandant for one in door.account} != set(self.mandanten):
            raise ValueError("every Mandant of `mandanten` has an account, and every account one of these Mandanten")
        answers_here = door is not None and door.send is not None and door.management is not None
        if self.answer is not None and self.answer.type == "xta" and not answers_here:
            raise ValueError('an answer of type "xta" needs a channel of type "xta_fetch" with `send` and `management`')
