"""Reads what the target says about a file: `NAME.ok`, or `NAME.error` with a reason code in its first line.

An answer is kept by moving it to the key's folder; from then on it is the verdict, and its name is free again.
"""

from __future__ import annotations

import re

from connectors.sftp.remote import Failure, Remote, RemoteError
from intermediary.connect.api import Delivered, Refused, Unclear

_WHERE = "acknowledgement.folder"
_REASON = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_SUFFIXES = (".ok", ".error")
UNSPECIFIED = "unspecified"


def is_waiting(remote: Remote, folder: str, final: str) -> bool:
    """Whether an answer to this name lies there that nobody has taken down yet."""
    name = final.rpartition("/")[2]
    return any(remote.facts(f"{folder}/{name}{suffix}") is not None for suffix in _SUFFIXES)


def read_answer(remote: Remote, folder: str, desk: str, proof: dict[str, str]) -> Delivered | Refused | None:
    """The target's answer to the file of this proof, or None; `Unclear` when it says both, or cannot be taken down."""
    name = proof["file_name"].rpartition("/")[2]
    kept = [suffix for suffix in _SUFFIXES if remote.facts(f"{desk}/answer{suffix}") is not None]
    if not kept:
        try:
            kept = [suffix for suffix in _SUFFIXES if remote.facts(f"{folder}/{name}{suffix}") is not None]
            if len(kept) == 1:
                remote.rename(f"{folder}/{name}{kept[0]}", f"{desk}/answer{kept[0]}")
        except RemoteError as error:
            if error.failure is Failure.MISSING:  # somebody else has just taken it down
                return None
            raise error.fault(_WHERE) from error
    if len(kept) > 1:
        raise Unclear("delivery.unclear", where=_WHERE)
    if not kept:
        return None
    proof = {**proof, "acknowledgement": f"{name}{kept[0]}"}
    if kept[0] == ".ok":
        return Delivered(proof)
    return Refused(_reason(remote.note(f"{desk}/answer.error") or b""), proof)


def _reason(note: bytes) -> str:
    """The target's code. Anything that does not look like one may be about a citizen and is left out."""
    first = note.splitlines()[0].decode("ascii", errors="replace").strip() if note.strip() else ""
    return first if _REASON.fullmatch(first) else UNSPECIFIED
