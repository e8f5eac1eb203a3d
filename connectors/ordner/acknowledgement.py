"""Reads what the target says about a file: `NAME.ok`, or `NAME.error` with a reason code in its first line."""

from __future__ import annotations

import os
import re

from connectors.ordner.folder import read_note, translated
from connectors.ordner.memory import Verdict
from connectors.ordner.rename import exists
from intermediary.connect.api import Unclear

_WHERE = "acknowledgement.folder"
_REASON = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
UNSPECIFIED = "unspecified"


def is_waiting(folder: int, name: str) -> bool:
    """Whether an answer to this name lies there that nobody has taken down yet."""
    with translated(_WHERE):
        return any(exists(answer, folder) for answer in _answers(name))


def read_answer(folder: int, name: str) -> Verdict | None:
    """The target's answer to this name, or None while there is none; `Unclear` when it says both."""
    accepted, refused = _answers(name)
    with translated(_WHERE):
        has_accepted, has_refused = exists(accepted, folder), exists(refused, folder)
    if has_accepted and has_refused:
        raise Unclear("delivery.unclear", where=_WHERE)
    if not has_accepted and not has_refused:
        return None
    file = refused if has_refused else accepted
    with translated(_WHERE):
        facts = os.stat(file, dir_fd=folder, follow_symlinks=False)
    note = read_note(folder, file, where=_WHERE) or b""
    reason = _reason(note) if has_refused else ""
    return Verdict(has_refused, reason, file, facts.st_ino, facts.st_mtime_ns)


def clear(folder: int, verdict: Verdict) -> None:
    """Remove the file that gave this verdict, and no later one of the same name."""
    with translated(_WHERE):
        try:
            facts = os.stat(verdict.file, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        if (facts.st_ino, facts.st_mtime_ns) == (verdict.inode, verdict.modified_ns):
            os.unlink(verdict.file, dir_fd=folder)


def _answers(name: str) -> tuple[str, str]:
    return f"{name}.ok", f"{name}.error"


def _reason(note: bytes) -> str:
    """The target's code. Anything that does not look like one may be about a citizen and is left out."""
    first = note.splitlines()[0].decode("ascii", errors="replace").strip() if note.strip() else ""
    return first if _REASON.fullmatch(first) else UNSPECIFIED
