"""Hands out the received bytes of one Nachricht: for whoever has to look inside; a second person where required."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from intermediary.operations.approvals import Approvals, Wish
from intermediary.operations.person import Request
from intermediary.store.store import Store

_PIECE = 1 << 20


def reveal(
    store: Store,
    nachricht_id: str,
    file: Path,
    request: Request,
    *,
    approvals: Approvals,
    now: Callable[[], datetime],
) -> int:
    """Write the bytes as they were received into a new file only its owner may read; their length.

    The reading is in the chain before the first byte is. Raises like `Approvals.demand` (`reveal`), FileExistsError, and
    `Misconfigured` when the payload is erased, its key out of reach or its bytes damaged: then no file is left.
    """
    body = store.body(nachricht_id)
    if file.exists():
        raise FileExistsError(file)
    lines = (f"Inhalt der Nachricht {nachricht_id}, {body.length} Bytes",)
    consent = approvals.demand(Wish("reveal", {"nachricht": nachricht_id}, lines=lines, ids=(nachricht_id,)), request)
    approvals.tell(nachricht_id, consent, request)
    fields = {"reason": request.reason, "what": "body"}
    store.record(nachricht_id, "person.read", now=now(), actor=request.actor, fields=fields)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as written, body.open() as read:
            while piece := read.read(_PIECE):
                written.write(piece)
    except BaseException:
        file.unlink()
        raise
    return body.length
