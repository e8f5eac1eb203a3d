"""Chunked transfer in both directions (digest §16): what arrives is put together, what is fetched is cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from intermediary.osci.write import Answer, Control, Laufzettel, Outgoing, Random, chunk_package, entry, write
from intermediary.testing.simulate.osci import selecting
from intermediary.testing.simulate.osci.books import Arriving, Books, Delivery
from intermediary.testing.simulate.osci.carried import Carried, only_attachment
from intermediary.testing.simulate.osci.dialogs import Standing
from intermediary.testing.simulate.osci.facts import Assembled, ChunkArrived, ChunkServed, Cut, Fact
from intermediary.testing.simulate.osci.journal import Journal
from intermediary.testing.simulate.osci.orders import Orders, refused, success
from intermediary.testing.simulate.osci.outcome import Outcome
from intermediary.testing.simulate.osci.reading import Reader, Request, Unreadable
from intermediary.unseal.osci.partial import KILOBYTE, ChunkInformation

PARTIAL = "_Partial"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the simulator announces in its FeatureDescription, and holds its clients to; in bytes."""

    max_chunk_bytes: int = 10240 * KILOBYTE
    min_chunk_bytes: int = 100 * KILOBYTE
    max_message_bytes: int = 204800 * KILOBYTE


class Chunks:
    """PartialStoreDelivery and PartialFetchDelivery. Called like `Orders`, which executes what was put together."""

    def __init__(
        self, books: Books, journal: Journal, random: Random, *, orders: Orders, reader: Reader, limits: Limits
    ) -> None:
        self._books = books
        self._journal = journal
        self._random = random
        self._orders = orders
        self._reader = reader
        self._limits = limits

    def partial_store(self, request: Request, standing: Standing, at: datetime, drawn: Mapping[str, str]) -> Outcome:
        """One chunk, or the question which have arrived."""
        message_id = request.order.message_id.removesuffix(PARTIAL)
        arriving = self._books.arriving.get(message_id)
        if arriving is None:
            refusal = self._orders.refusal(message_id, standing.client)
            if refusal or not request.order.message_id.endswith(PARTIAL):
                return refused(request.kind, refusal or "9801")
        if request.order.info_only:
            return self._told(request, standing, arriving, at)
        data = only_attachment(request.plain)
        code = self._judge(request.order.chunk, arriving, None if data is None else len(data))
        if code or request.order.chunk is None or data is None:
            outcome = refused(request.kind, code or "9905")
            return replace(outcome, answer=replace(outcome.answer, chunk=_received(request, arriving)))
        if "lose-chunk" in drawn:
            return self._told(request, standing, arriving, at)
        return self._arrived(request, request.order.chunk, data, standing, at, is_slow="slow-inside" in drawn)

    def partial_fetch(self, request: Request, standing: Standing, at: datetime, drawn: Mapping[str, str]) -> Outcome:
        """One chunk of the answer to a fetch; what fits into one chunk comes as an ordinary answer instead."""
        rule, asked = request.order.selection, request.order.chunk
        found = selecting.deliveries(self._books, standing.client.box, rule)
        if asked is None or not asked.number or not asked.chunk_bytes:
            return refused(request.kind, "9905")
        if not self._limits.min_chunk_bytes <= asked.chunk_bytes <= self._limits.max_chunk_bytes:
            return refused(request.kind, "9902" if asked.chunk_bytes > self._limits.max_chunk_bytes else "9903")
        if not found:
            outcome = refused(request.kind, "9803")
            return replace(outcome, answer=replace(outcome.answer, selection=rule, chunk=asked))
        delivery = found[0]
        whole = self._orders.served(delivery, request, standing, at, is_more=len(found) > 1)
        data, cut = self._cut(delivery, whole, request, standing)
        total = -(-len(data) // asked.chunk_bytes)
        if total == 1:
            return whole
        if asked.number > total:
            return refused(request.kind, "9901")
        if "lose-chunk" in drawn:
            return refused(request.kind, "9811")
        begin = (asked.number - 1) * asked.chunk_bytes
        chunk = ChunkServed(
            message_id=delivery.message_id,
            number=asked.number,
            chunk_bytes=asked.chunk_bytes,
            conversation=standing.conversation,
        )
        before = delivery.served_before(standing.conversation, asked.chunk_bytes)
        is_complete = len(before | {asked.number} | set(asked.received)) >= total
        information = ChunkInformation(number=asked.number, total=total, total_kilobytes=len(data) // KILOBYTE)
        answer = Answer(
            feedback=whole.answer.feedback, selection=rule, message_id=delivery.message_id, chunk=information
        )
        return Outcome(
            kind=f"ResponseTo{request.kind}",
            answer=answer,
            facts=(*cut, chunk, *(whole.facts if is_complete else ())),
            carried=Carried(package=chunk_package(data[begin : begin + asked.chunk_bytes])),
        )

    def _judge(self, chunk: ChunkInformation | None, arriving: Arriving | None, size: int | None) -> str:
        """The code of what is wrong with a chunk, or nothing."""
        if chunk is None or size is None or not chunk.chunk_bytes or not chunk.total or not chunk.number:
            return "9905"
        if chunk.number > chunk.total:
            return "9901"
        if arriving is not None and (chunk.chunk_bytes, chunk.total) != (arriving.chunk_bytes, arriving.total):
            return "9905"
        if arriving is not None and (chunk.number in arriving.chunks or arriving.feedback is not None):
            return "9900"
        if (chunk.total_kilobytes or 0) * KILOBYTE > self._limits.max_message_bytes:
            return "9904"
        return self._judge_size(size, chunk.chunk_bytes, is_last=chunk.number == chunk.total)

    def _judge_size(self, size: int, announced: int, *, is_last: bool) -> str:
        if max(size, announced) > self._limits.max_chunk_bytes:
            return "9902"
        if is_last:
            return "" if size <= announced else "9905"
        if size < self._limits.min_chunk_bytes:
            return "9903"
        return "" if size == announced else "9905"

    def _arrived(
        self, request: Request, chunk: ChunkInformation, data: bytes, standing: Standing, at: datetime, *, is_slow: bool
    ) -> Outcome:
        message_id = request.order.message_id.removesuffix(PARTIAL)
        arrived = ChunkArrived(
            message_id=message_id,
            subject=request.order.subject,
            number=chunk.number or 0,
            file=self._journal.keep(data),
            chunk_bytes=chunk.chunk_bytes or 0,
            total=chunk.total or 0,
        )
        before = self._books.arriving.get(message_id)
        since = at if before is None else before.since
        arriving = Arriving(
            arrived.subject, since, arrived.chunk_bytes, arrived.total, dict(before.chunks) if before else {}
        )
        arriving.chunks[arrived.number] = arrived.file
        facts: tuple[Fact, ...] = (arrived,)
        if len(arriving.chunks) == arriving.total:
            codes, stored = self._execute(message_id, arriving, standing, at)
            facts = (*facts, *stored, Assembled(message_id=message_id, feedback=codes))
            arriving = replace(arriving, feedback=codes)
        return replace(self._told(request, standing, arriving, at, is_slow=is_slow), facts=facts)

    def _execute(
        self, message_id: str, arriving: Arriving, standing: Standing, at: datetime
    ) -> tuple[tuple[str, ...], tuple[Fact, ...]]:
        """Puts the inner message together and stores it, as if it had come alone."""
        whole = b"".join(self._journal.fetch(arriving.chunks[number]) for number in sorted(arriving.chunks))
        try:
            inner = self._reader.read(whole, at)
        except Unreadable as fault:
            return (fault.code,), ()
        if inner.kind != "StoreDelivery" or inner.order.message_id != message_id:
            return ("9300" if inner.kind != "StoreDelivery" else "9801",), ()
        if inner.refusal:
            return (inner.refusal,), ()
        outcome = self._orders.store_delivery(inner, replace(standing, is_open=False), at)
        return tuple(one.code for one in outcome.answer.feedback), outcome.facts

    def _told(
        self, request: Request, standing: Standing, arriving: Arriving | None, at: datetime, *, is_slow: bool = False
    ) -> Outcome:
        """The answer to a chunk or a question: what has arrived, and what became of the inner message."""
        inside = () if arriving is None or arriving.feedback is None or is_slow else arriving.feedback
        codes = ["9950"] if any(code.startswith("9") for code in inside) else [success(standing)]
        if arriving is not None and arriving.feedback is not None:
            codes += ["3952"] if is_slow else ["3950"] if request.order.info_only else []
        card = Laufzettel(
            message_id=request.order.message_id,
            created=at if arriving is None else arriving.since,
            subject=request.order.subject if arriving is None else arriving.subject,
        )
        answer = Answer(
            feedback=tuple(entry(code) for code in codes),
            inside=tuple(entry(code) for code in inside),
            cards=(card,),
            chunk=_received(request, arriving),
        )
        return Outcome(kind=f"ResponseTo{request.kind}", answer=answer)

    def _cut(
        self, delivery: Delivery, whole: Outcome, request: Request, standing: Standing
    ) -> tuple[bytes, tuple[Fact, ...]]:
        """The plain answer that is served in chunks: written once, so that all chunks are of the same bytes."""
        if delivery.cut is not None:
            return self._journal.fetch(delivery.cut), ()
        control = Control(
            response=standing.response,
            challenge=standing.challenge,
            conversation_id=standing.conversation,
            sequence_number=standing.sequence,
        )
        data = write(
            Outgoing(
                kind=whole.kind,
                control=control,
                order=whole.answer,
                certificates=whole.carried.certificates,
                package=whole.carried.package,
                custom=whole.carried.custom,
            ),
            random=self._random,
        )
        asked = request.order.chunk
        if asked is not None and asked.chunk_bytes and len(data) <= asked.chunk_bytes:
            return data, ()
        return data, (Cut(message_id=delivery.message_id, file=self._journal.keep(data)),)


def _received(request: Request, arriving: Arriving | None) -> ChunkInformation:
    number = None if request.order.chunk is None else request.order.chunk.number
    numbers = () if arriving is None else tuple(sorted(arriving.chunks))
    return ChunkInformation(number=number, received=numbers, none_received=not numbers)
