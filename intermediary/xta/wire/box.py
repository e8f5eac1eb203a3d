"""Requests to a post box and what it answers: selector, lists, iterator (digest §3, §5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from intermediary.unseal.xta.envelope import Envelope
from intermediary.unseal.xta.metadata import kept, read_metadata, read_uri
from intermediary.unseal.xta.names import BOX_RESPONSE, META, OSCI, WSA
from intermediary.unseal.xta.reading import Children, boolean, broken, day, moment, number, required, token
from intermediary.unseal.xta.values import MessageMetaData
from intermediary.xml.markup import element
from intermediary.xml.parser import Element
from intermediary.xta.wire.markup import leaf, leaf_if, said
from intermediary.xta.wire.metadata import write_metadata

REASONS = "http://www.osci.eu/ws/2008/05/transport/MsgBox/reasons/"
NO_MATCH = REASONS + "NoMatch"
SEARCH_ARGS_INVALID = REASONS + "SearchArgsInvalid"
REQUEST_ID_INVALID = REASONS + "RequestIdInvalid"

ListForm = Literal["", "MsgAtrributes", "MessageMetaData"]

MESSAGE_META_DATA: Final = "MessageMetaData"
MSG_ATTRIBUTES: Final = "MsgAtrributes"
"""Misspelt in the official schema."""

_ITEMS = re.compile(r"[0-9]{1,99}")

MsgPart = Literal["", "Envelope", "Header", "Body"]


@dataclass(frozen=True, slots=True)
class Selector:
    """Which messages: those with these ids, that relate to these, that entered in this window; nothing given: all.

    `new_entry`: only those never fetched (True) or already fetched (False). Times as `xs:dateTime`.
    """

    message_ids: tuple[str, ...] = field(default=(), repr=False)
    relates_to: tuple[str, ...] = field(default=(), repr=False)
    entered_from: str = ""
    entered_to: str = ""
    new_entry: bool | None = None


@dataclass(frozen=True, slots=True)
class StatusListRequest:
    """What lies there? `selector` None is everything; `max_items` None leaves the number to the box."""

    selector: Selector | None = None
    max_items: int | None = None
    list_form: ListForm = ""


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """The first message that the selector names; `part` limits what of it (empty: all)."""

    selector: Selector | None = None
    part: MsgPart = ""


@dataclass(frozen=True, slots=True)
class NextRequest:
    """The next list or message of an iterator (the action says which), or with `close` its end.

    `received` are the ids that are safely received since the last request.
    """

    request_id: str
    received: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class BoxResponse:
    """The header of an answer: the iterator, and how many items remain or for what `reason` there is none."""

    request_id: str
    pending: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MsgAttributes:
    """The short form of an entry; `sender` is an EndpointReference as XML, `size` in bytes."""

    message_id: str = field(repr=False)
    scenario: str
    size: int
    delivered: str
    relates_to: tuple[str, ...] = field(default=(), repr=False)
    sender: str = field(default="", repr=False)
    obsolete_after: str = ""
    first_fetched: str = ""


@dataclass(frozen=True, slots=True)
class StatusList:
    """Entries of a box, in one of two forms."""

    attributes: tuple[MsgAttributes, ...] = ()
    orders: tuple[MessageMetaData, ...] = ()

    @property
    def message_ids(self) -> tuple[str, ...]:
        """Of all entries, in order."""
        return (*(one.message_id for one in self.attributes), *(one.message_id for one in self.orders))


def write_status_list_request(request: StatusListRequest) -> str:
    items = "" if request.max_items is None else str(request.max_items)
    return element(
        "osci:MsgBoxStatusListRequest",
        _selector(request.selector),
        said(maxListItems=items, ListForm=request.list_form),
    )


def write_fetch_request(request: FetchRequest) -> str:
    return element("osci:MsgBoxFetchRequest", _selector(request.selector), said(MsgPart=request.part))


def write_next_request(request: NextRequest) -> str:
    return _next("osci:MsgBoxGetNextRequest", request)


def write_close_request(request: NextRequest) -> str:
    return _next("osci:MsgBoxCloseRequest", request)


def write_box_response(response: BoxResponse) -> str:
    """The header block of an answer."""
    if response.pending is None:
        inside = element("osci:NoMessageAvailable", "", said(reason=response.reason or NO_MATCH))
    else:
        inside = leaf("osci:ItemsPending", str(response.pending))
    return element("osci:MsgBoxResponse", inside, said(MsgBoxRequestID=response.request_id))


def write_status_list(found: StatusList) -> str:
    inside = "".join(map(_attributes, found.attributes)) + "".join(map(write_metadata, found.orders))
    return element("osci:MsgStatusList", inside)


def read_status_list_request(body: Element) -> StatusListRequest:
    """Raises `Rejected("xta.structure")`, as all readers here."""
    selector = _only_selector(body)
    items = body.get("maxListItems")
    if items is not None and not (_ITEMS.fullmatch(items.strip()) and 0 < int(items) < 10**9):
        raise broken("MsgBoxStatusListRequest/@maxListItems")
    form = body.get("ListForm", "")
    if form == MESSAGE_META_DATA:
        return StatusListRequest(selector, None if items is None else int(items), "MessageMetaData")
    if form == MSG_ATTRIBUTES:
        return StatusListRequest(selector, None if items is None else int(items), "MsgAtrributes")
    if form:
        raise broken("MsgBoxStatusListRequest/@ListForm")
    return StatusListRequest(selector, None if items is None else int(items))


def read_fetch_request(body: Element) -> FetchRequest:
    selector = _only_selector(body)
    part = body.get("MsgPart", "Envelope")
    if part == "Envelope":
        return FetchRequest(selector, "Envelope")
    if part == "Header":
        return FetchRequest(selector, "Header")
    if part == "Body":
        return FetchRequest(selector, "Body")
    raise broken("MsgBoxFetchRequest/@MsgPart")


def read_next_request(body: Element) -> NextRequest:
    """A MsgBoxGetNextRequest or a MsgBoxCloseRequest."""
    children = Children(body)
    received = children.many(OSCI + "LastMsgReceived")
    children.end()
    return NextRequest(required(body, "MsgBoxRequestID"), tuple(map(read_uri, received)))


def read_box_response(envelope: Envelope) -> BoxResponse | None:
    """The header block of an answer, if it has one."""
    block = envelope.headers.get(BOX_RESPONSE)
    if block is None:
        return None
    children = Children(block)
    none = children.maybe(OSCI + "NoMessageAvailable")
    pending = children.one(OSCI + "ItemsPending") if none is None else None
    children.end()
    request_id = required(block, "MsgBoxRequestID")
    if pending is not None:
        return BoxResponse(request_id, _count(pending))
    return BoxResponse(request_id, None, "" if none is None else required(none, "reason").strip())


def read_status_list(body: Element) -> StatusList:
    children = Children(body)
    attributes, orders = children.many(OSCI + "MsgAttributes"), children.many(META + "MessageMetaData")
    children.end()
    return StatusList(tuple(map(_read_attributes, attributes)), tuple(map(read_metadata, orders)))


def _next(name: str, request: NextRequest) -> str:
    inside = "".join(leaf("osci:LastMsgReceived", one) for one in request.received)
    return element(name, inside, said(MsgBoxRequestID=request.request_id))


def _selector(selector: Selector | None) -> str:
    if selector is None:
        return ""
    inside = (
        _all("wsa:MessageID", selector.message_ids)
        + _all("wsa:RelatesTo", selector.relates_to)
        + leaf_if("osci:MsgBoxEntryTimeFrom", selector.entered_from)
        + leaf_if("osci:MsgBoxEntryTimeTo", selector.entered_to)
    )
    new_entry = "" if selector.new_entry is None else str(selector.new_entry).lower()
    return element("osci:MsgSelector", inside, said(newEntry=new_entry))


def _all(name: str, values: Iterable[str]) -> str:
    return "".join(leaf(name, one) for one in values)


def _attributes(one: MsgAttributes) -> str:
    return element(
        "osci:MsgAttributes",
        leaf("wsa:MessageID", one.message_id)
        + _all("wsa:RelatesTo", one.relates_to)
        + one.sender
        + leaf("osci:TypeOfBusinessScenario", one.scenario)
        + leaf("osci:MsgSize", str(one.size))
        + leaf_if("osci:ObsoleteAfterDate", one.obsolete_after)
        + leaf("osci:DeliveryTime", one.delivered)
        + leaf_if("osci:InitialFetchedTime", one.first_fetched),
    )


def _only_selector(body: Element) -> Selector | None:
    children = Children(body)
    selector = children.maybe(OSCI + "MsgSelector")
    children.end()
    if selector is None:
        return None
    inside = Children(selector)
    message_ids, relates_to = inside.many(WSA + "MessageID"), inside.many(WSA + "RelatesTo")
    entered_from = moment(inside.maybe(OSCI + "MsgBoxEntryTimeFrom"))
    entered_to = moment(inside.maybe(OSCI + "MsgBoxEntryTimeTo"))
    extension = inside.maybe(OSCI + "Extension")  # gSOAP writes it always, and empty
    inside.end()
    if extension is not None and (extension.attrib or token(extension)):  # it selects by what nobody here knows
        raise broken("MsgSelector/Extension")
    new_entry = selector.get("newEntry")
    return Selector(
        tuple(map(read_uri, message_ids)),
        tuple(map(read_uri, relates_to)),
        entered_from,
        entered_to,
        None if new_entry is None else boolean(new_entry, "MsgSelector/@newEntry"),
    )


def _read_attributes(element: Element) -> MsgAttributes:
    children = Children(element)
    message_id = read_uri(children.one(WSA + "MessageID"))
    relates_to = tuple(map(read_uri, children.many(WSA + "RelatesTo")))
    sender = children.maybe(WSA + "From")
    scenario = token(children.one(OSCI + "TypeOfBusinessScenario"))
    size = _count(children.one(OSCI + "MsgSize"))
    obsolete_after = day(children.maybe(OSCI + "ObsoleteAfterDate"))
    delivered = moment(children.one(OSCI + "DeliveryTime"))
    first_fetched = moment(children.maybe(OSCI + "InitialFetchedTime"))
    children.end()
    return MsgAttributes(
        message_id,
        scenario,
        size,
        delivered,
        relates_to,
        "" if sender is None else kept(sender),
        obsolete_after,
        first_fetched,
    )


def _count(element: Element) -> int:
    value = number(element)
    if value < 0:
        raise broken(str(element.tag).rpartition("}")[2])
    return value
