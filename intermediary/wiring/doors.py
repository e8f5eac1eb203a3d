"""The doors of the channels, and their ways back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from intermediary.core.faults import Misconfigured
from intermediary.ingress.amqp import AmqpAnswers, AmqpDoor, AmqpSettings
from intermediary.ingress.claims import Claims
from intermediary.ingress.doors import Door, DoorRules, Take
from intermediary.ingress.folder import FolderDoor, FolderSettings
from intermediary.ingress.folder_answers import FolderAnswers
from intermediary.keys.spool import Spool
from intermediary.receipt import Answers
from intermediary.settings.models import Channel, Settings
from intermediary.wiring.installation import utc_now


def door_rules(channel: Channel) -> DoorRules:
    """What a channel lets in, by its settings."""
    return DoorRules(
        channel=channel.name,
        mandanten=tuple(channel.mandanten),
        max_bytes=channel.max_bytes,
        max_claim_bytes=channel.max_bytes,
        reply_to=frozenset(channel.amqp.reply_to) if channel.amqp else frozenset(),
    )


def open_door(channel: Channel, take: Take, *, spool: Spool, now: Callable[[], datetime] = utc_now) -> Door:
    """The door of a channel, ready to be run in a thread of its own."""
    rules = door_rules(channel)
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
