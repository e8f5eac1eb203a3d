"""What arrived at any face: one line each, durable before it is answered; contents are hashed, kept only if asked."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

JOURNAL = "journal.jsonl"
CONTENTS = "contents"

Note = Literal["neu", "wiederholt", "doppelt", "abweichend", "abgelehnt"]
NOTES: tuple[Note, ...] = ("neu", "wiederholt", "doppelt", "abweichend", "abgelehnt")
"""New; the same again and no second effect; the same again as a second effect; the same key with other content; refused."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of an arrival: name, size, hash; `media_type` as the sender said."""

    name: str
    size: int
    sha256: str
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request with something in it: when, where, under which key, what, and what it was answered.

    `answer` is empty while none was given (a connection that was cut); `trouble` names the knobs that struck.
    """

    number: int
    at: str
    face: str
    key: str
    note: Note
    pieces: tuple[Piece, ...]
    answer: str = ""
    trouble: tuple[str, ...] = ()

    @property
    def is_effect(self) -> bool:
        """Whether a case worker would find something new because of it."""
        return self.note in ("neu", "doppelt")


@dataclass(frozen=True, slots=True)
class Content:
    """A file that came: its facts, and its bytes until the arrival is noted."""

    piece: Piece
    data: bytes = field(repr=False)

    @classmethod
    def of(cls, name: str, data: bytes, media_type: str = "") -> Content:
        return cls(Piece(name, len(data), hashlib.sha256(data).hexdigest(), media_type), data)


class Inbox:
    """The arrivals of all faces over a folder; found again at the next start. Safe to use from several threads.

    With `keeps` the contents stay as files (`contents/SHA256`), otherwise only their hashes do. `forgetful`: a key that
    comes again has a second effect, as at a Fachverfahren that removes no doubles.
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime], keeps: bool, forgetful: bool = False) -> None:
        self._folder = folder
        self._now = now
        self.keeps = keeps
        self.forgetful = forgetful
        self._lock = threading.RLock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if keeps:
            (folder / CONTENTS).mkdir(exist_ok=True, mode=0o700)
        self._arrivals = list(_read(folder / JOURNAL))
        self._file = os.open(folder / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(
        self,
        face: str,
        key: str,
        contents: list[Content],
        *,
        answer: str,
        trouble: tuple[str, ...] = (),
        is_refused: bool = False,
    ) -> Arrival:
        """Write an arrival down; durable when it returns. What is refused has no effect and is forgotten by its key."""
        pieces = tuple(one.piece for one in contents)
        if self.keeps:
            for one in contents:
                _write(self._folder / CONTENTS / one.piece.sha256, one.data)
        with self._lock:
            what: Note = "abgelehnt" if is_refused else self.judged(face, key, pieces)
            number = len(self._arrivals) + 1
            arrival = Arrival(
                number, self._now().isoformat(timespec="seconds"), face, key, what, pieces, answer, trouble
            )
            line = json.dumps(asdict(arrival), ensure_ascii=False).encode() + b"\n"
            if os.write(self._file, line) != len(line):
                raise OSError("the journal took only a part of a line")
            os.fdatasync(self._file)
            self._arrivals.append(arrival)
            return arrival

    def arrivals(self) -> tuple[Arrival, ...]:
        """All of them, oldest first."""
        with self._lock:
            return tuple(self._arrivals)

    def first(self, face: str, key: str) -> Arrival | None:
        """What was taken first under a key at a face; nothing has no key."""
        with self._lock:
            taken = (one for one in self._arrivals if key and one.note != "abgelehnt")
            return next((one for one in taken if (one.face, one.key) == (face, key)), None)

    def content(self, sha256: str) -> Path | None:
        """A content that was kept."""
        known = {piece.sha256 for one in self.arrivals() for piece in one.pieces}
        path = self._folder / CONTENTS / sha256
        return path if self.keeps and sha256 in known and path.is_file() else None

    def state(self) -> dict[str, object]:
        """Figures and arrivals for scripts; no contents."""
        arrivals = self.arrivals()
        counts = {note: sum(one.note == note for one in arrivals) for note in NOTES}
        return {
            "arrivals": len(arrivals),
            "effects": sum(one.is_effect for one in arrivals),
            "notes": counts,
            "list": [asdict(one) for one in arrivals],
        }

    def close(self) -> None:
        os.close(self._file)

    def judged(self, face: str, key: str, pieces: tuple[Piece, ...]) -> Note:
        """What an arrival would be."""
        first = self.first(face, key)
        if first is None:
            return "neu"
        if [one.sha256 for one in first.pieces] != [one.sha256 for one in pieces]:
            return "abweichend"
        return "doppelt" if self.forgetful else "wiederholt"


def _read(path: Path) -> Iterator[Arrival]:
    """The lines that were finished; a last one that was not is cut off."""
    if not path.exists():
        return
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole != len(data):
        os.truncate(path, whole)
    for line in data[:whole].splitlines():
        told = json.loads(line)
        told["pieces"] = tuple(Piece(**one) for one in told["pieces"])
        told["trouble"] = tuple(told["trouble"])
        yield Arrival(**told)


def _write(path: Path, data: bytes) -> None:
    if path.exists():
        return
    draft = path.with_suffix(f".{threading.get_ident()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    draft.rename(path)
