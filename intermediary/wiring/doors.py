"""The doors of the channels, and their ways back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from intermediary.core.faults import Misconfigured
from intermediary.ingress.amqp import AmqpAnswers, AmqpDoor, AmqpSettings
from intermediary.ingress.claims import Claims
from intermediary.ingress.doors import Door, DoorRules
from intermediary.ingress.folder import FolderDoor, FolderSettings
from intermediary.ingress.folder_answers import FolderAnswers
from intermediary.keys.spool import Spool
from intermediary.receipt import Answers
from intermediary.settings.models import Channel, Settings
from intermediary.wiring.configuration import Configuration
from intermediary.wiring.installation import Installation, spool_folder, utc_now
from intermediary.wiring.passive import open_passive


def door_rules(channel: Channel) -> DoorRules:
    """What a channel lets in, by its settings."""
    return DoorRules(
        channel=channel.name,
        mandanten=tuple(channel.mandanten),
        max_bytes=channel.max_bytes,
        max_claim_bytes=channel.max_bytes,
        reply_to=frozenset(channel.amqp.reply_to) if channel.amqp else frozenset(),
    )


def open_doors(installation: Installation, *, now: Callable[[], datetime] = utc_now) -> list[Door]:
    """The doors of all channels, each ready to be run in a thread of its own."""
    settings = installation.settings
    spool = Spool(spool_folder(settings))
    needs_keys = any(channel.osci_passive for channel in settings.channel)
    configuration = Configuration(settings) if needs_keys else None
    return [_open_door(channel, installation, configuration, spool, now) for channel in settings.channel]


def _open_door(
    channel: Channel,
    installation: Installation,
    configuration: Configuration | None,
    spool: Spool,
    now: Callable[[], datetime],
) -> Door:
    rules = door_rules(channel)
    take = installation.store.take
    if channel.osci_passive is not None and configuration is not None:
        way_back = open_answers(channel)
        return open_passive(
            channel.osci_passive, rules, installation, configuration, way_back=way_back, spool=spool, now=now
        )
    if channel.folder is not None:
        return FolderDoor(FolderSettings(inbox=channel.folder.inbox), rules, take=take, clock=now, spool=spool)
    if channel.amqp is None:
        raise ValueError("a channel has a door")
    amqp = channel.amqp
    folders = {name: store.folder for name, store in amqp.claims.items()}
    return AmqpDoor(
        AmqpSettings(url=_secret(amqp.url_file), queue=amqp.queue, prefetch=amqp.prefetch),
        rules,
        take=take,
        clock=now,
        spool=spool,
        claims=Claims(folders, spool=spool, max_bytes=rules.max_claim_bytes) if folders else None,
    )


def open_answers(channel: Channel) -> Answers | None:
    """The way back of a channel; None where it has none."""
    answer = channel.answer
    if answer is not None and answer.folder is not None:
        return FolderAnswers(answer.folder)
    if channel.amqp is not None and (answer is not None or channel.amqp.reply_to):
        queue = answer.queue if answer is not None else None
        return AmqpAnswers(_secret(channel.amqp.url_file), queue=queue or "", name=f"{channel.name} answers")
    return None


def all_answers(settings: Settings) -> dict[str, Answers | None]:
    """The ways back of all channels; made once per process and shared by its threads."""
    return {channel.name: open_answers(channel) for channel in settings.channel}


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Misconfigured("key.unavailable", where=str(path)) from error
