"""The lines of `doctor` on what keeps from taking: the clock, room on the disks, and what running daemons say of it."""

from __future__ import annotations

from collections.abc import Iterator

from intermediary.core.bulletin import Bulletin, Disk
from intermediary.core.clock import Doubt, Judgement
from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Fault
from intermediary.daemon.board import boot_seconds, is_current, read_board
from intermediary.daemon.lookout import reserves_of
from intermediary.ingress.reserve import MEBIBYTE, is_short
from intermediary.operations.diagnosis import Diagnosis
from intermediary.settings.models import Settings
from intermediary.wiring import judge_time

_GETTING_SHORT = 2

_DOUBTS = {
    Doubt.JUMPED: "has jumped by {seconds:+d} s since it was believed",
    Doubt.BEHIND: "is {seconds:+d} s before the newest moment in the store",
    Doubt.AHEAD: "is {seconds:+d} s after the newest moment in the store",
    Doubt.DIFFERS: "differs by {seconds:+d} s from the database server's",
}


def taking(settings: Settings) -> Iterator[Diagnosis]:
    """A line for the clock, one for each file system, and one for everything that a running daemon of this host lacks."""
    try:
        judged = judge_time(settings)
    except Fault:
        judged = None  # the line of the store says why
    if judged is not None:
        yield _clock(judged)
    for disk in reserves_of(settings).look():
        yield _disk(disk)
    now = boot_seconds()
    data = settings.installation.data
    for bulletin in read_board(data):
        if is_current(bulletin, now_boot_seconds=now):
            yield from _daemon(bulletin)


def _clock(judged: Judgement) -> Diagnosis:
    if judged.doubt is None:
        return Diagnosis("clock", "ok", "runs evenly, and agrees with the store")
    what = _DOUBTS[judged.doubt].format(seconds=round(judged.off.total_seconds()))
    hint = "set the clock of this host or of the server (NTP)"
    if judged.doubt is not Doubt.DIFFERS:
        hint = "let the host take its time from NTP; if the time is right now: doctor --accept-clock --reason …"
    return Diagnosis("clock", "bad", f"{what}: nothing is taken or delivered", hint)


def _disk(disk: Disk) -> Diagnosis:
    what = f"{disk.free_bytes // MEBIBYTE} MiB free, {disk.reserve_bytes // MEBIBYTE} MiB in reserve"
    if disk.free_inodes is not None:
        what += f"; {disk.free_inodes} inodes free, {disk.reserve_inodes} in reserve"
    subject, hint = f"room in {disk.folder}", "make room; below the reserve nothing is taken (settings: [intake])"
    if is_short(disk, was_short=False):
        return Diagnosis(subject, "bad", what, hint)
    is_close = disk.free_bytes < _GETTING_SHORT * disk.reserve_bytes
    return Diagnosis(subject, "warning" if is_close else "ok", what, hint if is_close else "")


def _daemon(bulletin: Bulletin) -> Iterator[Diagnosis]:
    """What ingress says; the same obstacles of its siblings would only repeat it."""
    for channel in bulletin.channels:
        for one in channel.obstacles:
            code = CATALOGUE[one.code]
            where = f" ({one.where})" if one.where else ""
            yield Diagnosis(f"channel {channel.channel}", "bad", f"{code.meaning}{where}", code.remedy)
