"""ForwardDelivery and MediateDelivery: the intermediary calls a passive recipient, anybody's, and tells what it said."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from intermediary.core.faults import Rejected
from intermediary.osci.write import (
    Answer,
    CertificateList,
    Control,
    Handover,
    Laufzettel,
    Outgoing,
    Random,
    entry,
    write,
)
from intermediary.testing.simulate.osci.books import Card
from intermediary.testing.simulate.osci.carried import NOTHING, Carried, carried
from intermediary.testing.simulate.osci.dialogs import Standing
from intermediary.testing.simulate.osci.facts import Carded, Fact, Forwarding, Received
from intermediary.testing.simulate.osci.journal import Journal
from intermediary.testing.simulate.osci.orders import Drawn, Orders, refused, success
from intermediary.testing.simulate.osci.outcome import Outcome
from intermediary.testing.simulate.osci.protecting import Own
from intermediary.testing.simulate.osci.reading import Reader, Request, box_of
from intermediary.testing.simulate.osci.report import inspected, laufzettel
from intermediary.unseal.osci.feedback import is_success
from intermediary.unseal.osci.message import OsciMessage
from intermediary.unseal.refusal import NotOpened

Post = Callable[[str, bytes], bytes]
"""Posts a body to a URI and gives the answer's; Unreachable if there was none."""


class Unreachable(Exception):
    """The passive recipient gave no answer."""


@dataclass(frozen=True, slots=True)
class _Reply:
    """What came back from the recipient: a code that says it failed, or its answer and warnings about it."""

    code: str = ""
    warnings: tuple[str, ...] = ()
    message: OsciMessage | None = None
    plain: bytes = field(default=b"", repr=False)


class Forwarder:
    """Executes what needs the recipient at once. The first half is called like `Orders`, the errand without a lock."""

    def __init__(
        self,
        journal: Journal,
        random: Random,
        *,
        orders: Orders,
        reader: Reader,
        own: Own,
        post: Post,
        clock: Callable[[], datetime],
        tries: int = 2,
    ) -> None:
        self._journal = journal
        self._random = random
        self._orders = orders
        self._reader = reader
        self._own = own
        self._post = post
        self._clock = clock
        self._tries = tries

    def forward(self, request: Request, standing: Standing, at: datetime, _drawn: Drawn) -> Outcome:
        """ForwardDelivery: AcceptDelivery to the recipient; received with its positive answer."""
        refusal = self._orders.refusal(request.order.message_id, standing.client)
        if refusal:
            return refused(request.kind, refusal)
        card = self._new_card(request, standing, at)
        facts = (_carded(card), Forwarding(message_id=card.message_id))
        return replace(
            refused(request.kind, "9809"), facts=facts, errand=lambda: self._hand_over(request, standing, card)
        )

    def mediate(self, request: Request, standing: Standing, at: datetime, _drawn: Drawn) -> Outcome:
        """MediateDelivery: ProcessDelivery to the recipient; its answer is carried back. On record only with an id."""
        if not request.order.message_id:
            return replace(refused(request.kind, "9809"), errand=lambda: self._exchange(request, standing, None, ""))
        refusal = self._orders.refusal(request.order.message_id, standing.client)
        if refusal:
            return refused(request.kind, refusal)
        card, reply_id = self._new_card(request, standing, at), self._orders.new_id()
        facts = (_carded(card), Forwarding(message_id=card.message_id))
        return replace(
            refused(request.kind, "9809"), facts=facts, errand=lambda: self._exchange(request, standing, card, reply_id)
        )

    def _new_card(self, request: Request, standing: Standing, at: datetime) -> Card:
        addressee = request.certificate("CipherCertificateAddressee")
        return Card(
            message_id=request.order.message_id,
            originator=standing.client.box,
            addressee="" if addressee is None else box_of(addressee),
            subject=request.order.subject,
            creation=at,
            modified=at,
            inspected=inspected(request.certificates, self._journal),
            forwarding=at,
        )

    def _hand_over(self, request: Request, standing: Standing, card: Card) -> Outcome:
        order = Handover(card=laufzettel(card, self._journal))
        reply = self._call("AcceptDelivery", order, request)
        kind = f"ResponseTo{request.kind}"
        if reply.code:
            return Outcome(kind=kind, answer=_said((reply.code,), (laufzettel(card, self._journal),)))
        at = self._clock()
        received = replace(card, reception=at, modified=at)
        return Outcome(
            kind=kind,
            answer=_said((success(standing), *reply.warnings), (laufzettel(received, self._journal),)),
            facts=(Received(message_id=card.message_id),),
        )

    def _exchange(self, request: Request, standing: Standing, card: Card | None, reply_id: str) -> Outcome:
        handed = None if card is None else laufzettel(card, self._journal)
        reply = self._call("ProcessDelivery", Handover(card=handed, message_id_response=reply_id), request)
        kind = f"ResponseTo{request.kind}"
        requested: tuple[Laufzettel, ...] = ()
        if card is not None and reply.code:
            requested = (laufzettel(card, self._journal, name="RequestProcessCardBundle"),)
        if reply.code or reply.message is None:
            return Outcome(kind=kind, answer=_said((reply.code or "9810",), requested))
        at, facts = self._clock(), tuple[Fact, ...]()
        if card is not None:
            answered = Card(
                message_id=reply.message.order.message_id or reply_id,
                originator=card.addressee,
                addressee=card.originator,
                subject=reply.message.order.subject,
                creation=at,
                modified=at,
                inspected=inspected(reply.message.certificates, self._journal),
                forwarding=at,
            )
            card = replace(card, reception=at, modified=at)
            requested = (
                laufzettel(card, self._journal, name="RequestProcessCardBundle"),
                laufzettel(answered, self._journal, name="ReplyProcessCardBundle"),
            )
            facts = (
                Received(message_id=card.message_id),
                _carded(answered),
                Forwarding(message_id=answered.message_id),
            )
        brought = _brought(reply.plain)
        codes = (success(standing), *reply.warnings) if brought.package is not None else ("9806",)
        return Outcome(kind=kind, answer=_said(codes, requested), facts=facts, carried=brought)

    def _call(self, kind: str, order: Handover, request: Request) -> _Reply:
        challenge = base64.b64encode(self._random(10)).decode("ascii")
        brought = carried(request.plain)
        own = self._own.listed(with_cipher=True, with_signature=request.is_signed)
        body = write(
            Outgoing(
                kind=kind,
                control=Control(challenge=challenge),
                order=order,
                certificates=CertificateList(own, brought.certificates.others),
                package=brought.package,
                custom=brought.custom,
            ),
            self._own.protection(request, request.certificate("CipherCertificateAddressee")),
            random=self._random,
        )
        for _ in range(self._tries):
            try:
                raw = self._post(request.order.receiver, body)
            except Unreachable:
                continue
            return self._read(raw, challenge, request)
        return _Reply("9809")

    def _read(self, raw: bytes, challenge: str, request: Request) -> _Reply:
        try:
            message, plain = self._reader.read_answer(raw, self._clock())
        except NotOpened as fault:
            return _Reply(_code_of(fault))
        if message.control.response != challenge:
            return _Reply("9810")
        if not is_success(message.order.entries):
            return _Reply("9805")
        warnings = ["3802"] if request.is_signed and not message.opened.signatures else []
        warnings += ["3803"] if request.ciphers and not message.encrypted else []
        return _Reply(warnings=tuple(warnings), message=message, plain=plain)


def _brought(plain: bytes) -> Carried:
    """What an answer brings; nothing if its package is empty or cannot be read."""
    try:
        found = carried(plain)
    except Rejected:
        return NOTHING
    return found


def _code_of(fault: NotOpened) -> str:
    """What a useless answer of the recipient is called towards the sender."""
    if fault.code == "osci.fault-received":
        return "9808" if fault.osci_code == "9000" else "9805"
    return "9807" if fault.osci_code in ("9601", "9602") else "9810"


def _said(codes: tuple[str, ...], cards: tuple[Laufzettel, ...]) -> Answer:
    return Answer(feedback=tuple(entry(code) for code in codes), cards=cards)


def _carded(card: Card) -> Carded:
    return Carded(
        message_id=card.message_id,
        originator=card.originator,
        addressee=card.addressee,
        subject=card.subject,
        inspected=card.inspected,
    )
