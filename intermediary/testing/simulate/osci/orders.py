"""The orders of a client: what each one changes and what is answered (digest §7, §14, §15).

Decides over the books as they are and changes nothing but files nobody knows of yet; the desk commits the facts.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from intermediary.osci.write import Answer, Random, entry
from intermediary.testing.simulate.osci import selecting
from intermediary.testing.simulate.osci.books import Books, Card, Delivery
from intermediary.testing.simulate.osci.carried import carried
from intermediary.testing.simulate.osci.dialogs import Client, Standing
from intermediary.testing.simulate.osci.facts import Fact, Forwarding, IdIssued, Served, Stored
from intermediary.testing.simulate.osci.journal import Journal
from intermediary.testing.simulate.osci.outcome import Outcome
from intermediary.testing.simulate.osci.reading import Request, box_of
from intermediary.testing.simulate.osci.report import inspected, laufzettel

Drawn = Mapping[str, str]
NO_TROUBLE: Drawn = {}

_PREFIX = "urn:osci:simuliert:"


def success(standing: Standing) -> str:
    """Executed: 0801 where the dialog stays open, 0800 where it does not."""
    return "0801" if standing.is_open else "0800"


def refused(kind: str, *codes: str) -> Outcome:
    """An answer to a request of this kind that says no."""
    return Outcome(kind=f"ResponseTo{kind}", answer=Answer(feedback=tuple(entry(code) for code in codes)))


class Orders:
    """Executes everything but chunks and forwarding. Called under the desk's lock, with the turn already taken over."""

    def __init__(self, books: Books, journal: Journal, random: Random) -> None:
        self._books = books
        self._journal = journal
        self._random = random

    def dialog(self, request: Request, standing: Standing, _at: datetime, _drawn: Drawn) -> Outcome:
        """InitDialog and ExitDialog: the turn is all."""
        return self._done(request, standing)

    def get_message_id(self, request: Request, standing: Standing, _at: datetime, _drawn: Drawn) -> Outcome:
        """A new id, for this client alone."""
        message_id = self.new_id()
        outcome = self._done(request, standing, IdIssued(message_id=message_id, client=standing.client.box))
        return replace(outcome, answer=replace(outcome.answer, message_id=message_id))

    def store_delivery(self, request: Request, standing: Standing, at: datetime, _drawn: Drawn = NO_TROUBLE) -> Outcome:
        """Into the addressee's box, durable before it is confirmed."""
        addressee = request.certificate("CipherCertificateAddressee")
        refusal = self.refusal(request.order.message_id, standing.client)
        if refusal or addressee is None:
            return refused(request.kind, refusal or "9706")
        carried(request.plain)
        stored = Stored(
            message_id=request.order.message_id,
            originator=standing.client.box,
            addressee=box_of(addressee),
            subject=request.order.subject,
            file=self._journal.keep(request.plain),
            inspected=inspected(request.certificates, self._journal),
        )
        card = Card(stored.message_id, stored.originator, stored.addressee, stored.subject, at, at, stored.inspected)
        outcome = self._done(request, standing, stored)
        return replace(outcome, answer=replace(outcome.answer, cards=(laufzettel(card, self._journal),)))

    def fetch_delivery(self, request: Request, standing: Standing, at: datetime, _drawn: Drawn = NO_TROUBLE) -> Outcome:
        """The oldest delivery that fits; it stays in the box until another request of the dialog acknowledges it."""
        found = selecting.deliveries(self._books, standing.client.box, request.order.selection)
        if not found:
            return replace(
                refused(request.kind, "9803"),
                answer=Answer(feedback=(entry("9803"),), selection=request.order.selection),
            )
        return self.served(found[0], request, standing, at, is_more=len(found) > 1)

    def fetch_process_card(self, request: Request, standing: Standing, _at: datetime, _drawn: Drawn) -> Outcome:
        """The cards that fit, at most as many as asked for."""
        rule, limit = request.order.selection, request.order.limit
        found = selecting.cards(self._books, standing.client.box, rule)
        shown = found if limit is None else found[:limit]
        codes = [success(standing), *(["3801"] if len(shown) < len(found) else [])] if shown else ["9804"]
        answer = Answer(
            feedback=tuple(entry(code) for code in codes),
            cards=tuple(laufzettel(card, self._journal) for card in shown),
            selection=rule,
            limit=limit,
        )
        return Outcome(kind=f"ResponseTo{request.kind}", answer=answer)

    def served(
        self, delivery: Delivery, request: Request, standing: Standing, at: datetime, *, is_more: bool
    ) -> Outcome:
        """The answer to a fetch that has this delivery in it."""
        card = self._books.cards[delivery.message_id]
        facts: tuple[Fact, ...] = (Served(message_id=delivery.message_id, conversation=standing.conversation),)
        if card.forwarding is None:
            card = replace(card, forwarding=at, modified=at)
            facts = (Forwarding(message_id=delivery.message_id), *facts)
        codes = (success(standing), "3800") if is_more else (success(standing),)
        return Outcome(
            kind="ResponseToFetchDelivery",
            answer=Answer(
                feedback=tuple(entry(code) for code in codes),
                cards=(laufzettel(card, self._journal),),
                selection=request.order.selection,
            ),
            facts=facts,
            carried=carried(self._journal.fetch(delivery.file)),
        )

    def refusal(self, message_id: str, client: Client) -> str:
        """Why this client may not use this id: 9800 without one, 9801 if it was not made for it or is used up."""
        if not message_id:
            return "9800"
        return "" if self._books.issued.get(message_id) == client.box else "9801"

    def new_id(self) -> str:
        """An id that nobody has seen."""
        return _PREFIX + str(uuid.UUID(bytes=self._random(16), version=4))

    def _done(self, request: Request, standing: Standing, *facts: Fact) -> Outcome:
        answer = Answer(feedback=(entry(success(standing)),))
        return Outcome(kind=f"ResponseTo{request.kind}", answer=answer, facts=facts)
