"""Process cards: what waits in a post box, and what became of what we sent (digest §14)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from intermediary.osci.client.dialog import Dialog
from intermediary.osci.client.verdicts import fault_of
from intermediary.osci.write import Fetch
from intermediary.unseal.osci.cards import ProcessCard
from intermediary.unseal.osci.selection import SelectionRule

_NONE = "9804"
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC).isoformat()


def waiting_cards(dialog: Dialog, *, limit: int, where: str) -> tuple[ProcessCard, ...]:
    """The cards of deliveries that wait for us and were not received yet, at most `limit`.

    It gives nothing up unless a delivery was fetched in this dialog before. Faults as `Dialog.ask`, and those of
    `verdicts`.
    """
    rule = SelectionRule(received_since=_ALWAYS, role="Addressee", no_reception=True)
    return tuple(card for card in _cards(dialog, Fetch(selection=rule, limit=limit), where) if not card.reception)


def cards_of(dialog: Dialog, message_ids: Sequence[str], *, where: str) -> tuple[ProcessCard, ...]:
    """The cards of these messages, of those the intermediary knows."""
    rule = SelectionRule(message_ids=tuple(message_ids))
    found = _cards(dialog, Fetch(selection=rule, limit=len(message_ids)), where)
    return tuple(card for card in found if card.message_id in message_ids)


def _cards(dialog: Dialog, order: Fetch, where: str) -> tuple[ProcessCard, ...]:
    answer = dialog.ask("FetchProcessCard", order)
    if answer.errors == (_NONE,):
        return ()
    if answer.errors:
        raise fault_of(answer.errors, where=f"{where}: FetchProcessCard")
    return answer.order.cards
