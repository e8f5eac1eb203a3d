"""The lines of `doctor` on where submissions come in and where answers go out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from intermediary.core.faults import Fault, Misconfigured
from intermediary.ingress.amqp.probe import probe_queue
from intermediary.ingress.inbox import REASON_SUFFIX, REFUSED, FileInbox
from intermediary.operations.diagnosis import Diagnosis, bad, counted
from intermediary.operations.https import certificate, https
from intermediary.operations.post_boxes import xta_server
from intermediary.osci.client.answers import OsciAnswers
from intermediary.osci.passive.told import ToldInResponse
from intermediary.receipt import Answers
from intermediary.settings.channels import AmqpDoor, Channel
from intermediary.settings.models import Settings
from intermediary.settings.xta import XtaFetchDoor
from intermediary.wiring import open_answers, probe_post_boxes, utc_now
from intermediary.wiring.doors import probe_xta_boxes
from intermediary.xta.client.answers import XtaAnswers
from intermediary.xta.server.told import ToldInReport

BROKER_SECONDS = 5.0
MOST_COUNTED = 10_000


def doors(settings: Settings) -> Iterator[Diagnosis]:
    """A line per channel, and one for callbacks: can its door take what comes, and what lies there."""
    for channel in settings.channel:
        subject = f"door {channel.name}"
        if channel.folder is not None:
            yield _inbox(subject, channel.folder.inbox)
        elif channel.amqp is not None:
            yield _broker(subject, channel.amqp)
        elif channel.osci_fetch is not None:
            yield _post_boxes(subject, channel, settings)
        elif channel.xta_fetch is not None:
            yield _xta_boxes(subject, channel, channel.xta_fetch)
        elif channel.xta_passive is not None:
            yield from xta_server(subject, channel.xta_passive, settings, utc_now())
        elif channel.osci_passive is not None:
            yield from https(subject, channel, channel.osci_passive, settings, utc_now())
    if settings.callbacks is not None:
        yield certificate("door [callbacks]", settings.callbacks, utc_now())


def ways_back(settings: Settings) -> Iterator[Diagnosis]:
    """A line per channel: can it be answered."""
    for channel in settings.channel:
        subject = f"answers of {channel.name}"
        try:
            way = open_answers(channel, settings)
            if way is not None:
                _probe(way)
        except Fault as fault:
            yield bad(subject, fault, _way_back(channel))
        except ValueError:  # the address is none; the door has told it
            yield Diagnosis(
                subject, "bad", f"the address is none ({_way_back(channel)})", "write amqps://user:password@host/vhost"
            )
        else:
            yield Diagnosis(subject, "ok", _found(way))


def _found(way: Answers | None) -> str:
    if isinstance(way, ToldInReport):
        return "told by getTransportReport"
    if isinstance(way, ToldInResponse):
        return "told in the response to a delivery"
    return "none configured" if way is None else "reachable"


def _probe(way: Answers) -> None:
    try:
        way.probe()
    finally:
        if isinstance(way, OsciAnswers | XtaAnswers):
            way.close()


def _inbox(subject: str, inbox: Path) -> Diagnosis:
    if not inbox.is_dir():
        return Diagnosis(subject, "bad", f"there is no folder {inbox}", "create it; its senders write there")
    if not os.access(inbox, os.R_OK | os.W_OK | os.X_OK):
        return Diagnosis(subject, "bad", f"{inbox} cannot be emptied", "let the daemon's account read and write it")
    try:
        waiting = len(FileInbox(inbox).oldest(MOST_COUNTED))
        refused = _refused(inbox / REFUSED)
    except OSError as failure:
        return Diagnosis(subject, "bad", f"{inbox} cannot be listed: {failure.strerror}", "check the folder's rights")
    more = "at least " if waiting == MOST_COUNTED else ""
    what = f"readable and writable; {more}{counted(waiting, 'file')} waiting, {refused} refused"
    if not refused:
        return Diagnosis(subject, "ok", what)
    return Diagnosis(subject, "warning", what, f"beside each in {inbox / REFUSED} lies why; remove what is settled")


def _refused(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    with os.scandir(folder) as entries:
        return sum(entry.name.endswith(REASON_SUFFIX) for entry in entries)


def _broker(subject: str, door: AmqpDoor) -> Diagnosis:
    address = _address(door.url_file)
    if not address:
        return Diagnosis(subject, "bad", f"no address of a broker can be read from {door.url_file}", "check the file")
    try:
        probe_queue(door.url_file.read_text(encoding="utf-8").strip(), door.queue, connect_seconds=BROKER_SECONDS)
    except ValueError:
        return Diagnosis(
            subject, "bad", f"what stands in {door.url_file} is no address", "write amqps://user:password@host/vhost"
        )
    except Misconfigured:
        what = f"{address} answers, but shows no queue {door.queue} to this account"
        return Diagnosis(subject, "warning", what, "the daemon declares it; its account must be allowed to")
    except Fault:
        what = f"the broker at {address} does not answer, or refuses the account"
        return Diagnosis(subject, "bad", what, f"check network, broker, and the account in {door.url_file}")
    return Diagnosis(subject, "ok", f"queue {door.queue} at {address} is there")


def _post_boxes(subject: str, channel: Channel, settings: Settings) -> Diagnosis:
    """A dialog is opened and closed for each Mandant: address, TLS and all certificates are proven, nothing is fetched."""
    count = len(channel.mandanten)
    try:
        probe_post_boxes(channel, settings)
    except Fault as fault:
        return bad(subject, fault, f"partner {channel.partner}")
    return Diagnosis(
        subject, "ok", f"partner {channel.partner} opens dialogs for {counted(count, 'post box', 'post boxes')}"
    )


def _xta_boxes(subject: str, channel: Channel, door: XtaFetchDoor) -> Diagnosis:
    """Each account is asked whether it is active, and its box is looked into; nothing is fetched."""
    host = urlsplit(door.msgbox.url).netloc
    try:
        count = probe_xta_boxes(channel)
    except Fault as fault:
        return bad(subject, fault, host)
    return Diagnosis(subject, "ok", f"{host} knows {counted(count, 'account')} and shows what lies there")


def _way_back(channel: Channel) -> str:
    answer = channel.answer
    if answer is not None and answer.xta is not None and channel.xta_fetch is not None and channel.xta_fetch.send:
        return urlsplit(channel.xta_fetch.send.url).netloc
    if answer is not None and answer.partner is not None:
        return f"partner {answer.partner}"
    if answer is not None and answer.folder is not None:
        return str(answer.folder)
    if channel.amqp is None:
        return ""
    queue = f"queue {answer.queue} at " if answer is not None and answer.queue else ""
    return f"{queue}{_address(channel.amqp.url_file) or channel.amqp.url_file}"


def _address(url_file: Path) -> str:
    """Host and port of the broker, without account and password; empty when the file has none."""
    try:
        url = urlsplit(url_file.read_text(encoding="utf-8").strip())
        port = url.port or (5671 if url.scheme == "amqps" else 5672)
    except (OSError, ValueError):
        return ""
    return f"{url.hostname}:{port}" if url.hostname else ""
