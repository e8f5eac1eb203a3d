"""What the parts of a configuration demand of each other; no file is opened here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import combinations
from pathlib import Path

from intermediary.settings.channels import BROKER_MAX_BYTES, Channel
from intermediary.settings.finding import Finding, Severity
from intermediary.settings.kinds import host_of
from intermediary.settings.models import Settings
from intermediary.settings.retention import check_retention

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  compared, not bound


def crosscheck(settings: Settings, file: Path) -> list[Finding]:
    """Every contradiction between settings, in the order of the file."""
    return [
        *_duplicates(settings, file),
        *_unknown_mandanten(settings, file),
        *_mandanten(settings, file),
        *_approvals(settings, file),
        *_channels(settings, file),
        *_listening(settings, file),
        *_health(settings, file),
        *_alerts(settings, file),
        *_scan(settings, file),
        *_partners(settings, file),
        *check_retention(settings.retention, settings.memory, [one.name for one in settings.mandant], file),
        *_folders(settings, file),
    ]


def _duplicates(settings: Settings, file: Path) -> Iterator[Finding]:
    for kind, names in (
        ("mandant", [entry.name for entry in settings.mandant]),
        ("channel", [entry.name for entry in settings.channel]),
    ):
        for name in _twice(names):
            yield Finding(file, f"{kind}[{name}]", "stands in the file more than once", "names are unique")


def _twice(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]


def _unknown_mandanten(settings: Settings, file: Path) -> Iterator[Finding]:
    known = [mandant.name for mandant in settings.mandant]
    for channel in settings.channel:
        for name in channel.mandanten:
            if name not in known:
                near = get_close_matches(name, known, n=1)
                hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}"
                yield Finding(file, f"channel[{channel.name}].mandanten", f'there is no Mandant "{name}"', hint)


def _mandanten(settings: Settings, file: Path) -> Iterator[Finding]:
    reached = {name for channel in settings.channel for name in channel.mandanten}
    for mandant in settings.mandant:
        if mandant.name not in reached:
            yield Finding(
                file,
                f"mandant[{mandant.name}]",
                "no channel takes submissions for this Mandant",
                "name it in `mandanten` of a channel",
                Severity.WARNING,
            )
        if mandant.kek_file.is_relative_to(settings.installation.data):
            yield Finding(
                file,
                f"mandant[{mandant.name}].kek_file",
                "the key lies in the data folder it protects: one backup would hold both",
                "keep keys outside `installation.data`",
            )
    for path in _twice(str(mandant.kek_file) for mandant in settings.mandant):
        names = [mandant.name for mandant in settings.mandant if str(mandant.kek_file) == path]
        yield Finding(
            file,
            f"mandant[{names[-1]}].kek_file",
            f"is the key of {', '.join(names)} at once",
            "give every Mandant its own key, so that one can be changed or destroyed without the others",
        )


def _approvals(settings: Settings, file: Path) -> Iterator[Finding]:
    """One account in two groups would be two persons."""
    groups = settings.approvals.same_person
    for account in _twice(name for group in groups for name in dict.fromkeys(group)):
        yield Finding(
            file, "approvals.same_person", f'"{account}" stands in several groups', "write one group per person"
        )
    if any(len(set(group)) < 2 for group in groups):
        yield Finding(
            file,
            "approvals.same_person",
            "a group of one account says nothing",
            "name all accounts of the person",
            Severity.WARNING,
        )


def _channels(settings: Settings, file: Path) -> Iterator[Finding]:
    for channel in settings.channel:
        yield from _channel(channel, file)
    for left, right in combinations([channel for channel in settings.channel if channel.amqp], 2):
        if (
            left.amqp
            and right.amqp
            and (left.amqp.url_file, left.amqp.queue) == (right.amqp.url_file, right.amqp.queue)
        ):
            yield Finding(
                file,
                f"channel[{right.name}].amqp.queue",
                f'is read by the channel "{left.name}" too',
                "one channel, one queue",
            )


def _listening(settings: Settings, file: Path) -> Iterator[Finding]:
    """Two doors cannot listen at one port, except on addresses of their own."""
    doors = ((channel, channel.osci_passive or channel.xta_passive) for channel in settings.channel)
    endpoints = [(channel, door) for channel, door in doors if door is not None]
    for (left, one), (right, other) in combinations(endpoints, 2):
        is_shared = one.host == other.host or not {one.host, other.host}.isdisjoint(_EVERYWHERE)
        if one.port == other.port and is_shared:
            yield Finding(
                file,
                f"channel[{right.name}].{right.type}.listen",
                f'is the address of the channel "{left.name}" too',
                "one channel, one port; several Mandanten share a channel by their paths",
            )


def _health(settings: Settings, file: Path) -> Iterator[Finding]:
    health = settings.health
    if health.listen is None:
        return
    if health.host not in _LOOPBACK:
        yield Finding(
            file,
            "health.listen",
            "is no loopback address: whoever reaches it reads the figures, without a password",
            "keep it within the network of your monitoring, or listen on 127.0.0.1",
            Severity.WARNING,
        )
    for channel in settings.channel:
        door = channel.osci_passive or channel.xta_passive
        if door is None or door.port != health.port:
            continue
        if door.host == health.host or not {door.host, health.host}.isdisjoint(_EVERYWHERE):
            what = f'is the address of the channel "{channel.name}" too'
            yield Finding(file, "health.listen", what, "give health a port of its own")


def _alerts(settings: Settings, file: Path) -> Iterator[Finding]:
    alerts = settings.alerts
    if alerts.mail_server is not None and alerts.mail_tls == "none" and host_of(alerts.mail_server) not in _LOOPBACK:
        what = "mails go to another host in the clear: names of Mandanten and routes stand in them"
        yield Finding(file, "alerts.mail_tls", what, 'set "starttls" or "tls"', Severity.WARNING)


def _scan(settings: Settings, file: Path) -> Iterator[Finding]:
    scan = settings.scan
    if scan is not None and scan.clamd.startswith("tcp://") and host_of(scan.clamd[len("tcp://") :]) not in _LOOPBACK:
        what = "attachments are sent to another host in the clear, and whoever answers there is believed"
        yield Finding(file, "scan.clamd", what, "run clamd on this host, or reach it by a tunnel", Severity.WARNING)


def _partners(settings: Settings, file: Path) -> Iterator[Finding]:
    for channel in settings.channel:
        if settings.installation.partners is not None:
            continue
        what, hint = "names a partner, but there is no directory", "set `installation.partners`"
        if channel.xta_passive:
            place = f"channel[{channel.name}].xta_passive"
            yield Finding(file, place, "knows its clients by the directory of partners, but there is none", hint)
        if channel.partner:
            yield Finding(file, f"channel[{channel.name}].partner", what, hint)
        if channel.answer and channel.answer.partner:
            yield Finding(file, f"channel[{channel.name}].answer.partner", what, hint)


def _channel(channel: Channel, file: Path) -> Iterator[Finding]:
    for name in _twice(channel.mandanten):
        yield Finding(file, f"channel[{channel.name}].mandanten", f'names "{name}" more than once')
    has_way = (channel.amqp and channel.amqp.reply_to) or channel.xta_passive  # who sent by XTA asks for the report
    if channel.answer is None and not has_way:
        yield Finding(
            file,
            f"channel[{channel.name}].answer",
            "is missing: nobody is told when a Fachverfahren refuses what the endpoint accepted"
            if channel.osci_passive
            else "is missing: nobody is told what became of a submission",
            "add [channel.answer]",
            Severity.WARNING,
        )
    if channel.amqp and channel.answer and channel.answer.queue == channel.amqp.queue:
        yield Finding(file, f"channel[{channel.name}].answer.queue", "is the queue that is read", "name another queue")
    is_asked = "max_bytes" in channel.model_fields_set
    if channel.amqp and not channel.amqp.claims and is_asked and channel.max_bytes > BROKER_MAX_BYTES:
        yield Finding(
            file,
            f"channel[{channel.name}].max_bytes",
            f"is more than RabbitMQ takes in one message ({BROKER_MAX_BYTES})",
            "name a claim store (channel.amqp.claims): larger submissions come by `x-claim`",
            Severity.WARNING,
        )


def _folders(settings: Settings, file: Path) -> Iterator[Finding]:
    """No folder with a duty of its own lies inside another one: what one room cleans, another would lose."""
    places = list(_places(settings))
    for (left_name, left), (right_name, right) in combinations(places, 2):
        if left == right:
            if _may_share(left_name, right_name):
                continue
            yield Finding(file, right_name, f"is the same folder as {left_name}", "every duty has a folder of its own")
        elif right.is_relative_to(left) and right_name != "schemas.folder":
            yield Finding(file, right_name, f"lies inside {left_name}", "put it beside, not inside")
        elif left.is_relative_to(right):
            yield Finding(file, left_name, f"lies inside {right_name}", "put it beside, not inside")


def _may_share(left: str, right: str) -> bool:
    """Several channels may answer into one folder, and fetch from one claim store."""
    return (left.endswith(".answer.folder") and right.endswith(".answer.folder")) or (
        ".claims." in left and ".claims." in right
    )


def _places(settings: Settings) -> Iterator[tuple[str, Path]]:
    yield "installation.data", settings.installation.data
    spool = settings.installation.spool
    if spool is not None and spool != settings.installation.data / "spool":
        yield "installation.spool", spool
    yield "audit.heads_folder", settings.audit.heads_folder
    yield "schemas.folder", settings.schemas.folder
    for channel in settings.channel:
        if channel.folder:
            yield f"channel[{channel.name}].folder.inbox", channel.folder.inbox
        if channel.amqp:
            for name, claim in channel.amqp.claims.items():
                yield f"channel[{channel.name}].amqp.claims.{name}.folder", claim.folder
        if channel.answer and channel.answer.folder:
            yield f"channel[{channel.name}].answer.folder", channel.answer.folder
