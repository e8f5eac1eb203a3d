"""Hands files to ingress by the rules of a channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from intermediary.core.faults import Rejected, Transient
from intermediary.core.tables import did_you_mean
from intermediary.daemon.lookout import reserves_of
from intermediary.ingress.doors import Angaben, build_eingang
from intermediary.ingress.reserve import Reserves
from intermediary.keys.spool import Spool, SpoolTooLarge
from intermediary.settings.channels import Channel
from intermediary.wiring import Installation, door_rules, spool_folder


class ChannelUnclear(Exception):
    """It does not follow from the command whose rules apply."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of one file: `new`, `duplicate`, `conflict`, or `refused` with a code."""

    file: Path
    outcome: str
    nachricht_id: str = ""
    code: str = ""


def submit(
    installation: Installation,
    files: Sequence[Path],
    *,
    channel: str,
    mandant: str,
    content_type: str,
    message_id: str = "",
) -> Iterator[Submitted]:
    """Take each file durably, one commit each; the files stay where they are.

    Raises `Transient` where the doors of a daemon would be closed: `intake.disk.reserve`, `clock.untrusted`.
    """
    rules = door_rules(_channel(installation, channel))
    spool = Spool(spool_folder(installation.settings))
    disks = reserves_of(installation.settings)
    for file in files:
        _demand_open(installation, disks)
        angaben = Angaben(content_type=content_type, message_id=message_id or file.name, mandant=mandant or None)
        try:
            with file.open("rb") as stream:
                body = spool.copy(stream, max_bytes=rules.max_bytes)
            eingang = build_eingang(rules, angaben, body=body, received_at=installation.now())
        except SpoolTooLarge:
            yield Submitted(file, "refused", code="intake.size.exceeded")
            continue
        except Rejected as refusal:
            yield Submitted(file, "refused", code=refusal.code)
            continue
        (taken,) = installation.store.take([eingang])
        yield Submitted(file, taken.outcome, taken.nachricht_id)


def _demand_open(installation: Installation, disks: Reserves) -> None:
    doubt = installation.time.clock.doubt
    if doubt is not None:
        raise Transient("clock.untrusted", where=doubt.value)
    for obstacle in disks.obstacles(disks.look()):
        raise Transient(obstacle.code, where=obstacle.where)


def _channel(installation: Installation, name: str) -> Channel:
    channels = {channel.name: channel for channel in installation.settings.channel}
    if name in channels:
        return channels[name]
    if name:
        raise ChannelUnclear(f'there is no channel "{name}": {did_you_mean(name, channels)}')
    if len(channels) > 1:
        raise ChannelUnclear(f"name the channel (--channel): {', '.join(channels)}")
    return next(iter(channels.values()))
