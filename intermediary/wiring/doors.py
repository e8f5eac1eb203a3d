"""The doors of the channels, and their ways back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from intermediary.ingress.amqp import AmqpAnswers, AmqpDoor, AmqpSettings
from intermediary.ingress.claims import Claims
from intermediary.ingress.doors import ACCEPTED, Door, DoorRules, Take
from intermediary.ingress.folder import FolderDoor, FolderSettings
from intermediary.ingress.folder_answers import FolderAnswers
from intermediary.ingress.gate import OPEN, Gate, GuardedGate
from intermediary.keys.spool import Spool
from intermediary.osci.client.send import Sender
from intermediary.osci.passive.told import ToldInResponse
from intermediary.receipt import Answers
from intermediary.settings.channels import Channel
from intermediary.settings.models import Settings
from intermediary.unseal.xta.message import XTA_TYPE
from intermediary.wiring.callbacks import open_callbacks
from intermediary.wiring.configuration import Configuration
from intermediary.wiring.installation import Installation, secret, spool_folder
from intermediary.wiring.lines import keys_as_written, keys_in_force, open_fetch, open_lines, open_osci_answers
from intermediary.wiring.passive import open_passive
from intermediary.wiring.time import utc_now
from intermediary.wiring.xta import open_xta_answers, open_xta_fetch, probe_xta
from intermediary.wiring.xta_passive import open_xta_server
from intermediary.xta.server.told import ToldInReport


def door_rules(channel: Channel) -> DoorRules:
    """What a channel lets in, by its settings."""
    return DoorRules(
        channel=channel.name,
        mandanten=tuple(channel.mandanten),
        max_bytes=channel.max_bytes,
        max_claim_bytes=channel.max_bytes,
        reply_to=frozenset(channel.amqp.reply_to) if channel.amqp else frozenset(),
        content_types=frozenset({XTA_TYPE}) if channel.xta_fetch or channel.xta_passive else ACCEPTED,
    )


def open_doors(
    installation: Installation, *, now: Callable[[], datetime] | None = None, gate: GuardedGate | None = None
) -> list[Door]:
    """The doors of all channels and of callbacks, each to be run in a thread of its own; without a `gate` it is open."""
    settings = installation.settings
    spool = Spool(spool_folder(settings))
    needs_keys = any(one.osci_passive or one.osci_fetch or one.xta_passive for one in settings.channel)
    configuration = Configuration(settings) if needs_keys or settings.callbacks is not None else None
    house = _House(installation, configuration, spool, now or installation.now, gate)
    doors = [_open_door(channel, house) for channel in settings.channel]
    if settings.callbacks is not None and configuration is not None:
        doors.append(open_callbacks(settings.callbacks, installation, configuration, spool=spool, now=house.now))
    return doors


@dataclass(frozen=True, slots=True)
class _House:
    """What the doors of one process share."""

    installation: Installation
    configuration: Configuration | None
    spool: Spool
    now: Callable[[], datetime]
    guard: GuardedGate | None

    @property
    def gate(self) -> Gate:
        return self.guard or OPEN

    @property
    def take(self) -> Take:
        take = self.installation.store.take
        return self.guard.counting(take) if self.guard is not None else take


def _open_door(channel: Channel, house: _House) -> Door:
    rules, take, spool, now, gate = door_rules(channel), house.take, house.spool, house.now, house.gate
    configuration = house.configuration
    if channel.osci_passive is not None and configuration is not None:
        passive, installation = channel.osci_passive, house.installation
        return open_passive(passive, rules, installation, configuration, spool=spool, now=now, take=take, gate=gate)
    if channel.osci_fetch is not None and configuration is not None:
        keys = partial(keys_in_force, configuration)
        return open_fetch(channel, rules, keys, take=take, spool=spool, clock=now, gate=gate)
    if channel.xta_passive is not None and configuration is not None:
        server, installation = channel.xta_passive, house.installation
        return open_xta_server(
            channel, server, rules, installation, configuration, spool=spool, now=now, take=take, gate=gate
        )
    if channel.xta_fetch is not None:
        return open_xta_fetch(channel, rules, take=take, spool=spool, clock=now, gate=gate)
    if channel.folder is not None:
        inbox = FolderSettings(inbox=channel.folder.inbox)
        return FolderDoor(inbox, rules, take=take, clock=now, spool=spool, gate=gate)
    if channel.amqp is None:
        raise ValueError("a channel has a door")
    amqp = channel.amqp
    folders = {name: store.folder for name, store in amqp.claims.items()}
    return AmqpDoor(
        AmqpSettings(url=secret(amqp.url_file), queue=amqp.queue, prefetch=amqp.prefetch),
        rules,
        take=take,
        clock=now,
        spool=spool,
        gate=gate,
        claims=Claims(folders, spool=spool, max_bytes=rules.max_claim_bytes) if folders else None,
    )


def open_answers(channel: Channel, settings: Settings, configuration: Configuration | None = None) -> Answers | None:
    """The way back of a channel; None where it has none. Without `configuration` keys are read from their files."""
    answer = channel.answer
    if answer is not None and answer.type == "osci":
        if configuration is None:
            return open_osci_answers(channel, partial(keys_as_written, settings), spool=passing_spool(), clock=utc_now)
        spool = Spool(spool_folder(settings))
        return open_osci_answers(channel, partial(keys_in_force, configuration), spool=spool, clock=utc_now)
    if answer is not None and answer.xta is not None:
        spool = passing_spool() if configuration is None else Spool(spool_folder(settings))
        return open_xta_answers(channel, spool=spool, clock=utc_now)
    if answer is not None and answer.folder is not None:
        return FolderAnswers(answer.folder)
    if channel.amqp is not None and (answer is not None or channel.amqp.reply_to):
        queue = answer.queue if answer is not None else None
        return AmqpAnswers(secret(channel.amqp.url_file), queue=queue or "", name=f"{channel.name} answers")
    if channel.xta_passive is not None:
        return ToldInReport()
    return ToldInResponse() if channel.osci_passive is not None else None


def all_answers(settings: Settings, configuration: Configuration | None = None) -> dict[str, Answers | None]:
    """The ways back of all channels; made once per process and shared by its threads."""
    return {channel.name: open_answers(channel, settings, configuration) for channel in settings.channel}


def probe_post_boxes(channel: Channel, settings: Settings) -> None:
    """Raise the fault that fetching would meet now: a dialog is opened and closed for each Mandant, nothing fetched."""
    lines = open_lines(channel, partial(keys_as_written, settings), spool=passing_spool(), clock=utc_now)
    try:
        for mandant in channel.mandanten:
            Sender(lines.current(mandant)).probe()
    finally:
        lines.close()


def probe_xta_boxes(channel: Channel) -> int:
    """Raise the fault that fetching by XTA would meet now; nothing is fetched. How many boxes there are."""
    return probe_xta(channel, spool=passing_spool())


def passing_spool() -> Spool:
    """A spool for who must leave nothing in the installation's folders: its files have no names and are sealed."""
    return Spool(Path(tempfile.gettempdir()))
