"""One box: lists what lies there, fetches each message by its id, and closes it when it is durable (digest §5).

By its id, so that a message that cannot be fetched or kept stands in nobody's way: it is passed by, tried again ever more
seldom, and all others are reached. What was not closed still lies in the box.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog

from intermediary.core.faults import Fault, Transient, Unclear
from intermediary.ingress.fetching.box import Delivery, Keep, Visit
from intermediary.ingress.fetching.stuck import Stuck, short_hash
from intermediary.unseal.xta.values import Party
from intermediary.xta.client.client import Fetched, Listed, XtaClient
from intermediary.xta.vorgang import process_of, vorgang_of
from intermediary.xta.wire.box import (
    MSG_ATTRIBUTES,
    NO_MATCH,
    REQUEST_ID_INVALID,
    FetchRequest,
    NextRequest,
    Selector,
    StatusListRequest,
)

log = structlog.get_logger(__name__)

_GONE = "xta.message-id.unknown"
_PATIENCE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Visiting:
    """How a box is emptied: at most `most` messages in one visit, `page` entries of the list at a time."""

    most: int = 200
    page: int = 100


class MailBox:
    """One account's box; implements `Box`. `client` is called before each visit, so that new settings count at once."""

    def __init__(
        self,
        name: str,
        mandant: str,
        client: Callable[[], XtaClient],
        visiting: Visiting | None = None,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._mandant = mandant
        self._client = client
        self._visiting = visiting or Visiting()
        self._ticks = ticks
        self._stuck = Stuck()
        self._failures: dict[str, int] = {}

    @property
    def name(self) -> str:
        return self._name

    @property
    def mandant(self) -> str:
        return self._mandant

    @property
    def stuck(self) -> int:
        return len(self._stuck)

    def visit(
        self,
        keep: Keep,
        should_stop: Callable[[], bool] = lambda: False,
        should_leave: Callable[[], bool] = lambda: False,
    ) -> Visit | None:
        """List, fetch, keep and close. Raises the faults of the client where they concern the box and not one message."""
        client = self._client()
        waiting, is_all = self._waiting(client, lambda: should_stop() or should_leave())
        if is_all:
            self._stuck.keep_only(waiting)
        due = [one for one in waiting if not self._stuck.waits(one, self._ticks())]
        due.sort(key=self._stuck.knows)  # what failed before comes after the others
        kept = tried = 0
        while tried < len(due) and kept < self._visiting.most and not (should_stop() or should_leave()):
            kept += self._take(client, due[tried], keep, should_stop)
            tried += 1
        has_more = tried < len(due) or (not is_all and kept > 0)
        return Visit(kept, has_more, len(self._stuck))

    def _waiting(self, client: XtaClient, should_end: Callable[[], bool]) -> tuple[list[str], bool]:
        """The ids in the box in its order, and whether these are all: no more are listed than one visit may take."""
        form = StatusListRequest(max_items=self._visiting.page, list_form=MSG_ATTRIBUTES)
        listed = client.status_list(form)
        found = dict.fromkeys(listed.entries.message_ids)
        limit = self._visiting.most + len(self._stuck)
        while _has_more(listed) and not should_end():
            if len(found) >= limit:
                return list(found), False
            before = len(found)
            listed = client.next_status_list(NextRequest(listed.box.request_id, listed.entries.message_ids))
            if listed.box.reason == REQUEST_ID_INVALID:  # the iterator is gone; the next visit begins a new one
                return list(found), False
            found.update(dict.fromkeys(listed.entries.message_ids))
            if len(found) == before:  # a list that goes on and on
                return list(found), False
        return list(found), not _has_more(listed)

    def _take(self, client: XtaClient, message_id: str, keep: Keep, should_stop: Callable[[], bool]) -> int:
        """Fetch, keep and close one message; whether it is durable. What only it can help is remembered and passed by."""
        try:
            fetched = client.get_message(FetchRequest(Selector((message_id,))))
            delivery = delivery_of(fetched, client.account)
        except Transient as fault:
            if fault.code != _GONE:
                raise
            self._stuck.settle(message_id)  # somebody else has fetched it
            return 0
        except Unclear as fault:
            if not self._is_its_own(fault, message_id):
                raise
            return self._pass_by(message_id, fault.where or fault.code)
        except (
            ValueError,
            LookupError,
            TypeError,
            ArithmeticError,
            RecursionError,
        ) as defect:  # ours; this one's alone
            return self._pass_by(message_id, type(defect).__name__)
        if fetched.order.message_id != message_id:
            return self._pass_by(message_id, "MessageID")
        code = keep(delivery)
        if code:
            return self._pass_by(message_id, code)
        self._failures.pop(message_id, None)
        self._stuck.settle(message_id)
        if not should_stop():
            self._close(client, fetched, message_id)
        return 1

    def _is_its_own(self, fault: Unclear, message_id: str) -> bool:
        """An answer that cannot be believed is this message's fault at once, silence only when it happens again."""
        if fault.code.startswith("xta.answer."):
            return True
        self._failures[message_id] = self._failures.get(message_id, 0) + 1
        return self._failures[message_id] >= _PATIENCE or self._stuck.knows(message_id)

    def _close(self, client: XtaClient, fetched: Fetched, message_id: str) -> None:
        """If it fails, the message comes once more and is recognised: it must not keep the others waiting."""
        request_id = "" if fetched.box is None else fetched.box.request_id
        try:
            client.close_messages(NextRequest(request_id or message_id, (message_id,)))
        except Fault as fault:
            log.warning("xta.close.failed", post_box=self._name, code=fault.code, where=fault.where)

    def _pass_by(self, message_id: str, reason: str) -> int:
        wait = self._stuck.add(message_id, self._ticks())
        log.error(
            "xta.delivery.stuck",
            post_box=self._name,
            code="xta.delivery.stuck",
            reason=reason,
            message_sha256=short_hash(message_id),
            again_seconds=round(wait),
        )
        return 0


def delivery_of(fetched: Fetched, account: Party) -> Delivery:
    """What is offered to the store; the way back leads to the order's ReplyTo, else its author, from this account."""
    order = fetched.order
    return Delivery(
        message_id=order.message_id,
        body=fetched.raw,
        same_sha256=fetched.same_sha256,
        reply_to=reply_way(order.reply_to or order.author, account),
        correlation_id=process_of(order),
        vorgang=vorgang_of(order),
    )


def reply_way(to: Party, account: Party) -> str:
    """Where a Quittung goes, as it rests with the Nachricht: to whom, and from which account of ours."""
    said = {"type": to.type, "id": to.identifier, "name": to.name, "category": to.category}
    own = {"own_type": account.type, "own_id": account.identifier}
    return "xta:?" + urlencode({name: value for name, value in (said | own).items() if value})


def _has_more(listed: Listed) -> bool:
    pending = listed.box.pending
    return bool(pending) and listed.box.reason not in (NO_MATCH, REQUEST_ID_INVALID)
