"""Which deliveries and which process cards a selection rule means (digest §7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from intermediary.testing.simulate.osci.books import Books, Card, Delivery
from intermediary.unseal.osci.selection import SelectionRule


def deliveries(books: Books, client: str, rule: SelectionRule | None) -> tuple[Delivery, ...]:
    """What waits in the client's box and fits the rule, oldest first; without a rule everything."""
    waiting = books.box(client)
    if rule is None:
        return waiting
    if rule.message_ids:
        return tuple(one for one in waiting if one.message_id in rule.message_ids)
    since = moment(rule.received_since or rule.modified_since)
    if since is None:
        return ()
    return tuple(one for one in waiting if books.cards[one.message_id].creation >= since)


def cards(books: Books, client: str, rule: SelectionRule | None) -> tuple[Card, ...]:
    """The client's process cards that fit the rule, the one that changed first in front.

    By id: both what it sent and what was sent to it. By date the rule may narrow it to one of the two roles, and to
    those that the recipient does not have yet.
    """
    role = rule.role if rule is not None else ""
    own = [card for card in books.cards.values() if _takes_part(card, client, role)]
    return tuple(sorted(_fitting(own, rule), key=lambda card: card.modified))


def moment(written: str) -> datetime | None:
    """An ISO 8601 date or moment of a rule; without a zone it is taken for UTC. None if it is none."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _fitting(own: Iterable[Card], rule: SelectionRule | None) -> Iterable[Card]:
    if rule is None:
        return own
    if rule.message_ids:
        return (card for card in own if card.message_id in rule.message_ids)
    since = moment(rule.received_since or rule.modified_since)
    if since is None:
        return ()
    return (
        card
        for card in own
        if (card.creation if rule.received_since else card.modified) >= since
        and not (rule.no_reception and card.reception is not None)
    )


def _takes_part(card: Card, client: str, role: str) -> bool:
    is_addressee = card.addressee == client and role != "Originator"
    is_originator = card.originator == client and role != "Addressee"
    return is_addressee or is_originator
