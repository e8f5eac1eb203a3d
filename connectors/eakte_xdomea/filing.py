"""Files each answer by one rename: to its Zustellung in the archive, or aside when it belongs to none.

The archive is the only memory of answers: `KEY.answer.1`, `KEY.answer.2` … are the e-file's own bytes. A crash between
two lines leaves an answer either where it lay or filed, and the next look goes on from there.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from connectors.eakte_xdomea.container import MOST_BYTES, Unreadable
from connectors.eakte_xdomea.judge import contradicts, read_verdict
from connectors.eakte_xdomea.message import Answer, read_answer
from connectors.eakte_xdomea.register import addressee, keys_of
from connectors.ordner.folder import sync, translated, write_whole
from connectors.ordner.rename import rename_new
from intermediary.connect.api import Transient, Unclear

SETTLING = timedelta(minutes=10)
UNFINISHED = (".tmp", ".part", ".new")
_MOST_BYTES_OF_A_NAME = 200
_MOST_TAKEN_AWAY = 8  # by a person who resolved a contradiction: what lies behind a gap still counts


@dataclass(frozen=True, slots=True)
class Boxes:
    """The open folders of one call, as file descriptors."""

    state: int
    answers: int
    archive: int
    unmatched: int


def file_answers(boxes: Boxes, now: datetime, *, most: int | None = None) -> None:
    """File what lies in the answer folder, oldest first, at most `most`; durable on return. One at a time does this.

    An answer that nobody can read, that belongs to no Zustellung or contradicts a verdict is set aside. An unreadable
    one may still be being written and is left alone until it has rested for ten minutes. A file that cannot be moved
    stays where it is and keeps no other back.
    """
    waiting = _waiting(boxes.answers)[:most]
    for name, modified in waiting:
        try:
            _file(boxes, name, is_settled=abs(now.timestamp() - modified) >= SETTLING.total_seconds())
        except (OSError, Unclear):  # gone, not ours to move, or its Zustellung's notes are damaged: that one says so
            continue
    if waiting:
        sync(boxes.archive, "answers.archive")
        sync(boxes.unmatched, "answers.unmatched")
        sync(boxes.answers, "answers.folder")


def file_asked(boxes: Boxes, key: str, prozess_id: str, data: bytes) -> None:
    """File what the target said when it was asked for this Zustellung; the same again changes nothing. Durable on return.

    Raises `Transient` for what is no answer: a page of a proxy, an answer that is not written yet. `Unclear` for one to
    another package: a person asks the target why it says that.
    """
    try:
        answer = read_answer(data)
    except Unreadable as failure:
        raise Transient("target.unreachable", where=f"answers: {failure}") from failure
    if answer.prozess_id != prozess_id:
        raise Unclear("target.answer.unreadable", where="answers: ProzessID")
    if answer.sha256 in {one.sha256 for one in filed(boxes.archive, key)}:
        return
    draft = f".{key}.asked"
    write_whole(boxes.archive, draft, data, where="answers.archive")
    _move(draft, (f"{key}.answer.{number}" for number in count(1)), boxes.archive, boxes.archive)
    sync(boxes.archive, "answers.archive")


def filed(archive: int, key: str) -> tuple[Answer, ...]:
    """The answers to this Zustellung in the order they were filed."""
    return tuple(_filed(archive, key))


def _waiting(answers: int) -> list[tuple[str, float]]:
    found = []
    with translated("answers.folder"):
        for name in os.listdir(answers):
            if name.startswith(".") or name.lower().endswith(UNFINISHED):
                continue
            try:
                facts = os.stat(name, dir_fd=answers, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if not stat.S_ISDIR(facts.st_mode):
                found.append((name, facts.st_mtime))
    return sorted(found, key=lambda one: (one[1], one[0]))


def _file(boxes: Boxes, name: str, *, is_settled: bool) -> None:
    try:
        answer = read_answer(_content(boxes.answers, name))
    except (Unreadable, PermissionError):
        if is_settled:
            _set_aside(boxes, name)
        return
    key = _addressee(boxes, answer)
    if key is None:
        _set_aside(boxes, name)
        return
    filed_as = _move(name, (f"{key}.answer.{number}" for number in count(1)), boxes.answers, boxes.archive)
    moved = hashlib.sha256(_content(boxes.archive, filed_as)).hexdigest()
    if moved != answer.sha256:  # replaced between our look and our rename: another answer, to be looked at anew
        _move(filed_as, _numbered(name), boxes.archive, boxes.answers)


def _addressee(boxes: Boxes, answer: Answer) -> str | None:
    """The key it is filed under: a copy of a filed answer goes to that, anything else to the youngest."""
    keys = keys_of(boxes.state, answer.prozess_id)
    if not keys:
        return None
    for key in keys[:-1]:
        if answer.sha256 in {one.sha256 for one in filed(boxes.archive, key)}:
            return key
    key = addressee(boxes.state, keys)
    verdict = read_verdict(boxes.state, key)
    return None if verdict is not None and contradicts(answer, verdict) else key


def _set_aside(boxes: Boxes, name: str) -> None:
    _move(name, _numbered(name), boxes.answers, boxes.unmatched)


def _numbered(name: str) -> Iterator[str]:
    yield name
    end = os.fsdecode(os.fsencode(name)[-_MOST_BYTES_OF_A_NAME:])
    yield from (f"{number}-{end}" for number in count(2))


def _move(name: str, names: Iterator[str], source: int, target: int) -> str:
    """Rename to the first of `names` that is free, and say which."""
    for free in names:
        try:
            rename_new(name, free, source_folder=source, target_folder=target)
        except FileExistsError:
            continue
        return free
    raise AssertionError("the names never end")


def _filed(archive: int, key: str) -> Iterator[Answer]:
    missing = 0
    for number in count(1):
        if missing > _MOST_TAKEN_AWAY:
            return
        try:
            with translated("answers.archive"):
                content = _content_if_any(archive, f"{key}.answer.{number}")
            if content is None:
                missing += 1
                continue
            missing = 0
            yield read_answer(content)
        except Unreadable:
            continue


def _content_if_any(folder: int, name: str) -> bytes | None:
    try:
        return _content(folder, name)
    except FileNotFoundError:
        return None


def _content(folder: int, name: str) -> bytes:
    """A file's bytes. Never waits, never follows a link, never reads more than an answer can have."""
    if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        raise Unreadable("kind")
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with open(file, "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Unreadable("bytes")
    return data
