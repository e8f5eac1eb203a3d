"""The mailbox port: lists, messages, iterators, and the close that is a reader's receipt (digest §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from intermediary.unseal.xta.values import CodeValue, DeliveryAttributes, MessageMetaData, moment_of
from intermediary.xta.server.calls import Call, Result
from intermediary.xta.server.house import Closing, Entry, House
from intermediary.xta.server.ids import Ids
from intermediary.xta.server.iterators import MOST_KEYS, Found, Iterators
from intermediary.xta.server.refusal import NoCall, Refused
from intermediary.xta.wire.box import (
    MSG_ATTRIBUTES,
    NO_MATCH,
    REQUEST_ID_INVALID,
    SEARCH_ARGS_INVALID,
    BoxResponse,
    ListForm,
    MsgAttributes,
    MsgPart,
    NextRequest,
    Selector,
    StatusList,
    read_fetch_request,
    read_next_request,
    read_status_list_request,
    write_box_response,
    write_status_list,
)
from intermediary.xta.wire.metadata import write_metadata

_PAGE = 100
_MOST_PAGE = 1_000


class Fetching:
    """The five operations of the mailbox port for one server."""

    def __init__(self, house: House, ids: Ids) -> None:
        self._house = house
        self._ids = ids
        self._iterators = Iterators()

    def get_status_list(self, call: Call) -> Result:
        request = read_status_list_request(call.body)
        page = min(request.max_items or _PAGE, _MOST_PAGE)
        return self._listed(call, self._search(call, request.selector, request.list_form, page))

    def get_next_status_list(self, call: Call) -> Result:
        return self._listed(call, self._resumed(call))

    def get_message(self, call: Call) -> Result:
        """The first message that the selector names. An id that does not lie in the box is 9070, an empty box is none."""
        request = read_fetch_request(call.body)
        found = self._search(call, request.selector, "", 1)
        if not isinstance(found[1], Found) and request.selector is not None and request.selector.message_ids:
            raise Refused("9070")
        return self._fetched(call, found, request.part)

    def get_next_message(self, call: Call) -> Result:
        return self._fetched(call, self._resumed(call), "")

    def close(self, call: Call) -> Result:
        """The end of an iterator; what it names has been taken over. Repeated, it is the same (its answer may be lost).

        Only the ids that are named are taken over: an iterator that just ends leaves everything where it is. All of them or
        none: 9070 for one that never lay in the box.
        """
        request, account = _next_request(call), call.client.kennung
        if not self._ids.is_iterator(request.request_id, account):
            raise Refused("9070")
        keys = [self._ids.key_of(one) for one in request.received]
        named = [key for key in keys if key is not None]
        if len(named) != len(keys):
            raise Refused("9070")
        if named:
            certificate = call.client.certificate
            closing = self._house.boxes.close(account, named, certificate=certificate, now=call.at)
            if closing is Closing.UNKNOWN:
                raise Refused("9070")
        self._iterators.end(account, request.request_id)
        return Result()

    def _search(self, call: Call, selector: Selector | None, form: ListForm, page: int) -> tuple[str, Found | str]:
        """A new iterator over what a selector names, or the reason why there is none."""
        account = call.client.kennung
        request_id = self._ids.iterator(account, self._house.random)
        wanted = selector or Selector()
        if not _is_window(wanted):
            return request_id, SEARCH_ARGS_INVALID
        if wanted.message_ids:
            keys = [key for key in map(self._ids.key_of, dict.fromkeys(wanted.message_ids)) if key is not None]
            lying = self._house.boxes.entries(account, keys[:MOST_KEYS])
        else:
            lying = self._house.boxes.waiting(account, limit=MOST_KEYS)
        related = frozenset(wanted.relates_to)  # a client names as many as a message has room for
        found = Found([entry.key for entry in lying if _matches(entry, wanted, related)], form, page)
        if not found.keys:
            return request_id, NO_MATCH
        self._iterators.keep(account, request_id, found)
        return request_id, found

    def _resumed(self, call: Call) -> tuple[str, Found | str]:
        """An iterator that a client goes on with, or the reason why it cannot."""
        request, account = _next_request(call), call.client.kennung
        found = self._iterators.get(account, request.request_id)
        if found is None:
            return request.request_id, REQUEST_ID_INVALID
        with found.lock:
            found.received([key for key in map(self._ids.key_of, request.received) if key is not None])
        return request.request_id, found

    def _listed(self, call: Call, iterated: tuple[str, Found | str]) -> Result:
        request_id, found = iterated
        if isinstance(found, str):
            return _nothing(request_id, found, body=write_status_list(StatusList()))
        with found.lock:
            entries: Sequence[Entry] = ()
            while not entries and found.pending:
                entries = self._house.boxes.entries(call.client.kennung, found.next(found.page))
            pending = found.pending
        if not entries:
            return _nothing(request_id, NO_MATCH, body=write_status_list(StatusList()))
        if found.form == MSG_ATTRIBUTES:
            listed = StatusList(attributes=tuple(self._attributes(one) for one in entries))
        else:
            listed = StatusList(orders=tuple(self._order(one) for one in entries))
        return Result(write_status_list(listed), (write_box_response(BoxResponse(request_id, pending)),))

    def _fetched(self, call: Call, iterated: tuple[str, Found | str], part: MsgPart) -> Result:
        """One message is handed out; what was closed in the meantime is passed over."""
        request_id, found = iterated
        if isinstance(found, str):
            return _nothing(request_id, found)
        account, boxes = call.client.kennung, self._house.boxes
        while True:
            with found.lock:
                keys, pending = found.next(1), found.pending
            if not keys:
                return _nothing(request_id, NO_MATCH)
            entries = boxes.entries(account, keys)
            container = boxes.content(account, keys[0]) if entries and part != "Header" else None
            if not entries or (container is None and part != "Header"):
                continue
            boxes.fetched(account, keys[0], call.at)
            order = write_metadata(self._order(entries[0], fetched_at=call.at))
            headers = (*(() if part == "Body" else (order,)), write_box_response(BoxResponse(request_id, pending)))
            return Result(headers=headers, container=container)

    def _order(self, entry: Entry, *, fetched_at: datetime | None = None) -> MessageMetaData:
        identification = replace(entry.order.identification, message_id=self._ids.of_zustellung(entry.key))
        first = entry.fetched_at or fetched_at
        times: DeliveryAttributes = replace(
            entry.order.delivery,
            delivery=stamp(entry.entered_at),
            initial_fetch=stamp(first) if first is not None else "",
        )
        size = entry.size or None
        return replace(entry.order, identification=identification, delivery=times, size=size)

    def _attributes(self, entry: Entry) -> MsgAttributes:
        scenario = entry.order.qualifier.scenario
        return MsgAttributes(
            message_id=self._ids.of_zustellung(entry.key),
            relates_to=entry.order.identification.in_reply_to,
            scenario=scenario.code if isinstance(scenario, CodeValue) else scenario,
            size=min(entry.size, 2**31 - 1),
            delivered=stamp(entry.entered_at),
            first_fetched=stamp(entry.fetched_at) if entry.fetched_at is not None else "",
        )


def stamp(moment: datetime) -> str:
    """A moment as `xs:dateTime`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _next_request(call: Call) -> NextRequest:
    """More ids than an iterator ever has are none that were received: the store is not asked for them."""
    request = read_next_request(call.body)
    if len(request.received) > MOST_KEYS:
        raise NoCall(f"Mehr als {MOST_KEYS} LastMsgReceived")
    return request


def _nothing(request_id: str, reason: str, *, body: str = "") -> Result:
    return Result(body, (write_box_response(BoxResponse(request_id, None, reason)),))


def _is_window(selector: Selector) -> bool:
    moments = [moment_of(text) for text in (selector.entered_from, selector.entered_to) if text]
    known = [moment for moment in moments if moment is not None]
    return len(known) == len(moments) and sorted(known) == known


def _matches(entry: Entry, selector: Selector, related: frozenset[str]) -> bool:
    since, until = moment_of(selector.entered_from), moment_of(selector.entered_to)
    return (
        (since is None or entry.entered_at >= since)
        and (until is None or entry.entered_at <= until)
        and (selector.new_entry is None or selector.new_entry is (entry.fetched_at is None))
        and (not related or not related.isdisjoint(entry.order.identification.in_reply_to))
    )
