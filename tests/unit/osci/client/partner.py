"""An intermediary in memory that follows the protocol, and breaks it on command: the other side of the client's tests."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.values import Content, MemoryContent
from intermediary.keys.private import DecryptionKey
from intermediary.keys.ring import Anchor, Keyring
from intermediary.osci.write import (
    Answer,
    CertificateList,
    Contents,
    Control,
    Laufzettel,
    Outgoing,
    Package,
    Protection,
    chunk_package,
    entry,
    list_certificates,
    pack_contents,
    write,
    write_fault,
)
from intermediary.testing.pki import Pki, make_pki
from intermediary.unseal.osci.cards import Order
from intermediary.unseal.osci.message import OsciMessage, open_message, open_transport
from intermediary.unseal.osci.partial import KILOBYTE, ChunkInformation, Features
from intermediary.unseal.policy import profile

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
CREATED = NOW - timedelta(hours=1)


def new_pki() -> Pki:
    """Keys for one test process."""
    return make_pki(valid_from=NOW - timedelta(days=1), valid_until=NOW + timedelta(days=365))


def open_package(data: bytes) -> Package:
    """A content package in the open."""
    return pack_contents(Contents(data=(data,)), certificates=CertificateList(), random=secrets.token_bytes)


@dataclass(frozen=True)
class Lying:
    """A delivery in the post box."""

    message_id: str
    package: Package = field(default_factory=lambda: open_package(b"<antrag/>"))
    is_unreadable: bool = False


@dataclass(frozen=True)
class Reply:
    """An answer before it is written; what a twist may change."""

    kind: str
    control: Control
    order: Answer
    package: Package | None = None
    signed: bool = True
    encrypted: bool = True
    for_client: bool = True


Twist = Callable[[Reply], Reply | bytes | Exception]


class FakeIntermediary:
    """`Exchange` for one post box. `seen` are the kinds of request in order; `twist` replaces the n-th answer."""

    def __init__(self, pki: Pki, lying: Sequence[Lying] = (), *, max_chunk_kilobytes: int | None = None) -> None:
        self.pki = pki
        self.lying = list(lying)
        self.seen: list[str] = []
        self.orders: list[Order] = []
        self.stored: dict[str, OsciMessage] = {}
        self.raw: dict[str, Content] = {}
        self.issued: list[str] = []
        self.received: list[str] = []
        self.twists: dict[int, Twist] = {}
        self.max_chunk_kilobytes = max_chunk_kilobytes
        self._pending: dict[str, str] = {}
        self._challenge: dict[str, str] = {}
        self._sequence: dict[str, int] = {}
        self._cut: dict[str, bytes] = {}
        self._chunks: dict[str, dict[int, bytes]] = {}
        self._inside: dict[str, tuple[str, ...]] = {}
        own = DecryptionKey(pki.members["intermediary-cipher"].private, pki.members["intermediary-cipher"].certificate)
        self._keyring = Keyring([own], [Anchor(pki.ca, frozenset({"transport", "content"}))])
        self.closed = False

    def twist(self, number: int, twist: Twist) -> None:
        """Change the answer to the request of this number, counted from 0 over all dialogs."""
        self.twists[number] = twist

    def close(self) -> None:
        self.closed = True

    def post(self, request: Content) -> Content:
        """One request, opened, executed, answered."""
        message = self._opened(request)
        kind = message.opened.message_type
        self.seen.append(kind)
        self.orders.append(message.order)
        assert message.encrypted
        assert any(one.layer == "transport" and one.valid for one in message.opened.signatures)
        reply = self._execute(kind, message)
        twisted = self.twists.get(len(self.seen) - 1, lambda one: one)(reply)
        if isinstance(twisted, Exception):
            raise twisted
        if isinstance(twisted, bytes):
            return MemoryContent(twisted)
        return MemoryContent(self._written(twisted, message))

    def _opened(self, raw: Content) -> OsciMessage:
        """An intermediary opens the transport; of content only chunks, which are in the open."""
        message = open_transport(raw, keyring=self._keyring, policy=profile("osci"), at=NOW, role="any")
        if message.opened.message_type == "PartialStoreDelivery":
            return open_message(raw, keyring=self._keyring, policy=profile("osci"), at=NOW, role="any")
        self.raw[message.order.message_id] = raw
        return message

    def fault(self, code: str) -> bytes:
        """A SOAP fault as this intermediary would send it."""
        return write_fault(code, "synthetisch", server=code.startswith("90"))

    # --- what requests do ------------------------------------------------------------------------------------------

    def _execute(self, kind: str, message: OsciMessage) -> Reply:
        control = message.control
        conversation = control.conversation_id
        if kind == "InitDialog":
            conversation = str(10**20 + len(self.seen))
            self._sequence[conversation] = 0
            return self._reply(kind, message, conversation, Answer(feedback=(entry("0801"),)))
        if conversation is None:
            conversation = str(10**20 + len(self.seen))
        else:
            assert self._challenge[conversation] == control.response
            assert self._sequence[conversation] == control.sequence_number
            self._sequence[conversation] += 1
            self._acknowledge(conversation)
        answer, package, answered = getattr(self, f"_{kind}")(message.order, message, conversation)
        return replace(
            self._reply(kind, message, conversation, answer), package=package, kind=answered or f"ResponseTo{kind}"
        )

    def _acknowledge(self, conversation: str) -> None:
        """Another request in the same dialog: what was answered before has been received (digest §1)."""
        message_id = self._pending.pop(conversation, None)
        if message_id is not None:
            self.received.append(message_id)
            self.lying = [one for one in self.lying if one.message_id != message_id]

    def _reply(self, kind: str, message: OsciMessage, conversation: str, answer: Answer) -> Reply:
        challenge = None if kind == "ExitDialog" else f"Y2hhbGxlbmdl{len(self.seen):04d}"
        if challenge is not None:
            self._challenge[conversation] = challenge
        return Reply(
            f"ResponseTo{kind}",
            Control(
                response=message.control.challenge,
                challenge=challenge,
                conversation_id=conversation,
                sequence_number=message.control.sequence_number,
            ),
            answer,
        )

    def _ExitDialog(self, order: Order, message: OsciMessage, conversation: str) -> Any:  # noqa: N802
        del self._challenge[conversation]
        return Answer(feedback=(entry("0800"),)), None, None

    def _GetMessageId(self, order: Order, message: OsciMessage, conversation: str) -> Any:  # noqa: N802
        self.issued.append(f"id/{len(self.issued) + 1}")
        return Answer(feedback=(entry("0801"),), message_id=self.issued[-1]), None, None

    def _StoreDelivery(self, order: Order, message: OsciMessage, conversation: str) -> Any:  # noqa: N802
        if order.message_id in self.stored or order.message_id not in self.issued:
            return Answer(feedback=(entry("9801"),)), None, None
        self.stored[order.message_id] = message
        card = Laufzettel(message_id=order.message_id, created=NOW, subject=order.subject)
        return Answer(feedback=(entry("0801"),), cards=(card,)), None, None

    _ForwardDelivery = _StoreDelivery

    def _MediateDelivery(self, order: Order, message: OsciMessage, conversation: str) -> Any:  # noqa: N802
        return Answer(feedback=(entry("0801"),)), open_package(b"<antwort/>"), None

    def _FetchProcessCard(self, order: Order, message: OsciMessage, conversation: str) -> Any:  # noqa: N802
        assert order.selection is not None
        wanted = order.selection.message_ids
        cards = [Laufzettel(message_id=one.message_id, created=CREATED) for one in self.lying if not wanted]
        cards += [Laufzettel(message_id=one, created=CREATED) for one in self.stored if one in wanted]
        cards = cards[: order.limit]
        feedback = (entry("0801" if cards else "9804"),)
        return Answer(feedback=feedback, cards=tuple(cards), selection=order.selection, limit=order.limit), None, None

    def _FetchDelivery(self, order: Order, message: OsciMessage, conversation: str) -> Any:  # noqa: N802
        found = self._wanted(order)
        if found is None:
            return Answer(feedback=(entry("9803"),), selection=order.selection), None, None
        self._pending[conversation] = found.message_id
        return self._delivered(found, order), found.package, None

    def _delivered(self, found: Lying, order: Order) -> Answer:
        more = (entry("3800"),) if len(self.lying) > 1 else ()
        card = Laufzettel(message_id=found.message_id, created=CREATED, forwarded=NOW)
        return Answer(feedback=(entry("0801"), *more), cards=(card,), selection=order.selection)

    def _wanted(self, order: Order) -> Lying | None:
        ids = () if order.selection is None else order.selection.message_ids
        return next((one for one in self.lying if not ids or one.message_id in ids), None)

    def _PartialFetchDelivery(self, order: Order, message: OsciMessage, conversation: str) -> Any:  # noqa: N802
        found, chunk = self._wanted(order), order.chunk
        assert chunk is not None
        assert chunk.number is not None
        if found is None:
            return Answer(feedback=(entry("9803"),), selection=order.selection), None, "ResponseToFetchDelivery"
        whole = self._cut.setdefault(found.message_id, self._inner(found, order))
        size = chunk.chunk_bytes or 0
        if len(whole) <= size:
            self._pending[conversation] = found.message_id
            return self._delivered(found, order), found.package, "ResponseToFetchDelivery"
        total = -(-len(whole) // size)
        assert list(chunk.received) == list(range(1, chunk.number))
        if chunk.number == total:
            self._pending[conversation] = found.message_id
        piece = whole[(chunk.number - 1) * size : chunk.number * size]
        information = ChunkInformation(number=chunk.number, total=total, total_kilobytes=-(-len(whole) // KILOBYTE))
        answer = Answer(
            feedback=(entry("0801"),), selection=order.selection, chunk=information, message_id=found.message_id
        )
        return answer, chunk_package(piece), None

    def _inner(self, found: Lying, order: Order) -> bytes:
        control = Control(response="eA==", challenge="eA==", conversation_id="1", sequence_number=0)
        return write(
            Outgoing(
                kind="ResponseToFetchDelivery",
                control=control,
                order=self._delivered(found, order),
                package=found.package,
            ),
            Protection(),
            random=secrets.token_bytes,
        )

    def _PartialStoreDelivery(self, order: Order, message: OsciMessage, conversation: str) -> Any:  # noqa: N802
        chunks = self._chunks.setdefault(order.message_id, {})
        code, number = "0801", None
        if order.chunk is not None:
            number = order.chunk.number
            assert number is not None
            if number in chunks:
                code = "9900"
            chunks[number] = message.opened.attachments[0].content.read()
            if len(chunks) == order.chunk.total:
                self._inside[order.message_id] = self._take_inner(b"".join(chunks[n] for n in sorted(chunks)))
        inside = self._inside.get(order.message_id, ())
        information = ChunkInformation(number=number, received=tuple(sorted(chunks)), none_received=not chunks)
        feedback = (entry(code), *((entry("3950"),) if inside else ()))
        return Answer(feedback=feedback, inside=tuple(map(entry, inside)), chunk=information), None, None

    def _take_inner(self, raw: bytes) -> tuple[str, ...]:
        inner = self._opened(MemoryContent(raw))
        self.stored[inner.order.message_id] = inner
        return ("0800",)

    # --- how answers are written -----------------------------------------------------------------------------------

    def _written(self, reply: Reply, request: OsciMessage) -> bytes:
        members = self.pki.members
        signer = members["intermediary-signature"].key if reply.signed else None
        client = request.certificates["CipherCertificateOriginator"][0]
        own = {
            certificate.certificate.public_bytes(Encoding.DER): certificate.certificate
            for certificate in members.values()
        }
        asked = next((one for one in self.lying if one.is_unreadable and self._is_about(reply, one)), None)
        for_client = reply.for_client and asked is None
        recipient = own[client] if for_client else members["originator-cipher"].certificate
        limits = self.max_chunk_kilobytes
        features = Features(
            versions={} if limits is None else {"PartialMessageTransmission": "1.8.0"},
            max_chunk_bytes=None if limits is None else limits * KILOBYTE,
        )
        return write(
            Outgoing(
                kind=reply.kind,
                control=reply.control,
                order=reply.order,
                certificates=list_certificates(
                    intermediary_signature=None if signer is None else signer.certificate,
                ),
                package=reply.package,
                features=features,
            ),
            Protection(signer=signer, recipient=recipient if reply.encrypted else None),
            random=secrets.token_bytes,
        )

    def _is_about(self, reply: Reply, lying: Lying) -> bool:
        return any(card.message_id == lying.message_id for card in reply.order.cards) and "Card" not in reply.kind
