"""Selection rules: which deliveries or process cards a request asks for, and an answer repeats (digest §7)."""

from __future__ import annotations

from dataclasses import dataclass, field

from intermediary.unseal.nodes import broken, children, local, only, optional, single, text
from intermediary.unseal.osci.identifiers import decode_identifier
from intermediary.unseal.osci.names import OSCI
from intermediary.xml.parser import Element

_DATES = (OSCI + "ReceptionOfDelivery", OSCI + "RecentModification")
_ROLES = ("", "Addressee", "Originator")


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """Exactly one of: ids, "received since", "modified since" (ISO 8601, as written).

    `role` (`Addressee`, `Originator` or empty) and `no_reception` narrow a date in FetchProcessCard.
    """

    message_ids: tuple[str, ...] = field(default=(), repr=False)
    received_since: str = ""
    modified_since: str = ""
    role: str = ""
    no_reception: bool = False


def read_selection(holder: Element) -> SelectionRule | None:
    """The SelectionRule below this element, or None: then the supplier chooses."""
    rule = optional(holder, OSCI + "SelectionRule")
    if rule is None or not len(rule):
        return None
    identifiers = children(rule, OSCI + "MessageId")
    if identifiers:
        only(rule, OSCI + "MessageId")
        return SelectionRule(message_ids=tuple(decode_identifier(text(one), "MessageId") for one in identifiers))
    only(rule, *_DATES)
    if len(rule) != 1:
        raise broken("SelectionRule")
    return _since(rule[0])


def read_limit(holder: Element) -> int | None:
    """How many process cards are asked for at most; None where nothing is said."""
    quantity = optional(holder, OSCI + "Quantity")
    if quantity is None:
        return None
    limit = quantity.get("Limit") or ""
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 9 and int(limit) > 0):
        raise broken("Quantity")
    return int(limit)


def repeated_request(order: Element, name: str) -> Element | None:
    """The request that a response repeats inside its order element."""
    return single(order, OSCI + name) if children(order, OSCI + name) else None


def _since(date: Element) -> SelectionRule:
    role, no_reception = date.get("Role") or "", date.get("NoReception") or "false"
    if role not in _ROLES or no_reception not in ("true", "false", "1", "0"):
        raise broken(local(str(date.tag)))
    moment = text(date).strip()
    is_reception = date.tag == _DATES[0]
    return SelectionRule(
        received_since=moment if is_reception else "",
        modified_since="" if is_reception else moment,
        role=role,
        no_reception=no_reception in ("true", "1"),
    )
