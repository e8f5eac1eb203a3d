"""Deliveries in pieces: fetched chunk by chunk and put together in the spool (digest §16)."""

from __future__ import annotations

from collections.abc import Sequence

from intermediary.core.faults import Transient, Unclear
from intermediary.core.section import pieces
from intermediary.core.values import Content
from intermediary.keys.spool import Arriving, Spool
from intermediary.osci.client.dialog import Dialog
from intermediary.osci.client.line import CHUNKED, Answer
from intermediary.osci.client.verdicts import fault_of
from intermediary.osci.write import Fetch
from intermediary.unseal.osci.partial import KILOBYTE, MAX_CHUNKS, ChunkInformation, Features
from intermediary.unseal.osci.selection import SelectionRule


def agreed_chunk_bytes(wanted: int, features: Features | None) -> int | None:
    """The size of chunks both sides can do, in whole kilobytes; None where the partner announces none."""
    if features is None or not features.takes_chunks or features.max_chunk_bytes is None:
        return None
    size = min(wanted, features.max_chunk_bytes)
    size = max(size, features.min_chunk_bytes or 0) // KILOBYTE * KILOBYTE
    return size or None


def ask_for_chunk(
    dialog: Dialog, message_id: str | None, *, chunk_bytes: int, received: Sequence[int] = (), number: int = 1
) -> Answer:
    """One PartialFetchDelivery; without an id the intermediary chooses."""
    chunk = ChunkInformation(
        number=number, chunk_bytes=chunk_bytes, received=tuple(received), none_received=not received
    )
    rule = None if message_id is None else SelectionRule(message_ids=(message_id,))
    return dialog.ask("PartialFetchDelivery", Fetch(selection=rule, chunk=chunk))


def fetch_rest(dialog: Dialog, first: Answer, *, chunk_bytes: int, max_bytes: int, spool: Spool, where: str) -> Content:
    """The whole delivery whose first chunk this answer is: the MIME bytes of a ResponseToFetchDelivery.

    Each chunk is kept before the next is asked for, in the spool and without its envelope; that gives up nothing, because
    a delivery counts as received only after its last chunk. `Unclear("dialog.answer.too-large")` above `max_bytes`,
    `Transient("dialog.broken")` when chunks contradict each other or are empty, OSError when the spool has no room.
    """
    message_id, total = first.order.message_id, _total(first, where)
    with spool.receive() as arriving:
        _append(arriving, _chunk(first, 1, where), max_bytes, where)
        for number in range(2, total + 1):
            dialog.secured()
            answer = ask_for_chunk(
                dialog, message_id, chunk_bytes=chunk_bytes, received=range(1, number), number=number
            )
            if answer.errors:
                raise fault_of(answer.errors, where=f"{where}: PartialFetchDelivery")
            if answer.kind != CHUNKED or answer.order.message_id != message_id or _total(answer, where) != total:
                raise _contradiction(where)
            _append(arriving, _chunk(answer, number, where), max_bytes, where)
        return arriving.finish()


def _append(arriving: Arriving, chunk: Content, max_bytes: int, where: str) -> None:
    """An empty chunk brings nothing forward: a hundred thousand of them would only take time."""
    if not chunk.length:
        raise _contradiction(where)
    if arriving.length + chunk.length > max_bytes:
        raise Unclear("dialog.answer.too-large", where=where)
    for piece in pieces(chunk):
        arriving.write(piece)


def _total(answer: Answer, where: str) -> int:
    found = answer.order.chunk
    if found is None or found.total is None or not 1 <= found.total <= MAX_CHUNKS:
        raise _contradiction(where)
    return found.total


def _chunk(answer: Answer, number: int, where: str) -> Content:
    """The one attachment of a partial answer; it may be a data content where a supplier writes it so."""
    found = answer.order.chunk
    parts = (*answer.message.opened.attachments, *answer.message.opened.contents)
    if found is None or found.number != number or len(parts) != 1 or not answer.order.message_id:
        raise _contradiction(where)
    return parts[0].content


def _contradiction(where: str) -> Transient:
    return Transient("dialog.broken", where=f"{where}: ChunkInformation")
