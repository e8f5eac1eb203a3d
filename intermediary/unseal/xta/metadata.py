"""Reads MessageMetaData, and parties and codes wherever else they stand (digest §3)."""

from __future__ import annotations

from intermediary.unseal.xta.names import META, WSA
from intermediary.unseal.xta.reading import (
    Children,
    boolean,
    broken,
    day,
    local,
    moment,
    normalized,
    number,
    required,
    text,
    token,
)
from intermediary.unseal.xta.values import (
    CodeValue,
    DeliveryAttributes,
    MessageMetaData,
    MessageProperty,
    MessageType,
    MsgIdentification,
    OtherDestinations,
    Party,
    ProcessId,
    Qualifier,
    ReceiptRequests,
)
from intermediary.xml.canonical import exclusive
from intermediary.xml.parser import Element

RECEIPTS = ("Submission", "Relay", "Delivery", "Fetch", "Reception")


def read_metadata(element: Element) -> MessageMetaData:
    """The transport order in a MessageMetaData element. Raises `Rejected("xta.structure")` naming the place."""
    children = Children(element)
    delivery = _delivery(children.one(META + "DeliveryAttributes"))
    originators = Children(children.one(META + "Originators"))
    author = read_party(originators.one(META + "Author"))
    sender, reply_to = _party(originators.maybe(META + "Sender")), _party(originators.maybe(META + "ReplyTo"))
    originators.end()
    destinations = Children(children.one(META + "Destinations"))
    reader = read_party(destinations.one(META + "Reader"))
    others = _others(destinations.maybe(META + "OtherDestinations"))
    destinations.end()
    identification = _identification(children.one(META + "MsgIdentification"))
    qualifier = _qualifier(children.one(META + "Qualifier"))
    properties = _properties(children.maybe(META + "MessageProperties"))
    size = children.maybe(META + "MsgSize")
    children.end()
    return MessageMetaData(
        author=author,
        reader=reader,
        identification=identification,
        qualifier=qualifier,
        delivery=delivery,
        sender=sender,
        reply_to=reply_to,
        others=others,
        properties=properties,
        size=None if size is None else _positive(size),
        is_test=boolean(element.get("TestMsg", "false"), "MessageMetaData/@TestMsg"),
    )


def read_party(element: Element) -> Party:
    """A party with its identifier and tokens (Author, Reader, …)."""
    children = Children(element)
    identifier = children.one(META + "Identifier")
    tokens = children.many(META + "SecurityToken")
    children.end()
    return _identified(identifier, tuple(kept(one) for one in tokens))


def read_code(element: Element, *, listed: bool = True) -> CodeValue:
    """A code; its children have no namespace. `listed`: it must name its list."""
    children = Children(element)
    code = token(children.one("code"))
    name = children.maybe("name")
    children.end()
    uri, version = element.get("listURI"), element.get("listVersionID")
    if listed and (uri is None or version is None):
        raise broken(f"{local(str(element.tag))}/@listURI")
    return CodeValue(code, uri or "", version or "", "" if name is None else normalized(name))


def read_uri(element: Element) -> str:
    """A URI that must not be empty, like a MessageID."""
    value = token(element)
    if not value:
        raise broken(local(str(element.tag)))
    return value


def kept(element: Element) -> str:
    """An element that is handed on as it is: its text in exclusive canonical form."""
    return exclusive(element).decode()


def _party(element: Element | None) -> Party | None:
    return None if element is None else read_party(element)


def _identified(identifier: Element, tokens: tuple[str, ...] = ()) -> Party:
    kind = required(identifier, "type")
    named = {name: identifier.get(name, "") for name in ("name", "category")}
    return Party(normalized(identifier), kind, named["name"], named["category"], tokens)


def _others(element: Element | None) -> OtherDestinations | None:
    if element is None:
        return None
    children = Children(element)
    readers, copies = children.many(META + "OtherReaders"), children.many(META + "CcReaders")
    children.end()
    if not readers:
        raise broken("OtherDestinations")
    return OtherDestinations(tuple(map(_identified, readers)), tuple(map(_identified, copies)))


def _delivery(element: Element) -> DeliveryAttributes:
    children = Children(element)
    found = DeliveryAttributes(
        origin=moment(children.maybe(META + "Origin")),
        initial_send=moment(children.maybe(META + "InitialSend")),
        not_before=moment(children.maybe(META + "NotBefore")),
        obsolete_after=day(children.maybe(META + "ObsoleteAfter")),
        delivery=moment(children.maybe(META + "Delivery")),
        initial_fetch=moment(children.maybe(META + "InitialFetch")),
        reception=moment(children.maybe(META + "Reception")),
        service_quality=_filled(children.maybe(META + "ServiceQuality")),
        receipts=_receipts(children.maybe(META + "ReceiptRequests")),
    )
    children.end()
    return found


def _receipts(element: Element | None) -> ReceiptRequests | None:
    if element is None:
        return None
    children = Children(element)
    wanted = tuple(name for name in RECEIPTS if children.maybe(META + name) is not None)
    to = children.maybe(META + "ReceiptTo")
    children.end()
    return ReceiptRequests(wanted, "" if to is None else kept(to))


def _identification(element: Element) -> MsgIdentification:
    children = Children(element)
    message_id = read_uri(children.one(WSA + "MessageID"))
    in_reply_to = tuple(token(one) for one in children.many(META + "In-Reply-To"))
    process = children.maybe(META + "ProcessRef")
    children.end()
    if process is None:
        return MsgIdentification(message_id, in_reply_to)
    inside = Children(process)
    requester = _process(inside.maybe(META + "Requester"))
    responder = _process(inside.maybe(META + "Responder"))
    inside.end()
    return MsgIdentification(message_id, in_reply_to, requester, responder)


def _process(element: Element | None) -> ProcessId | None:
    return None if element is None else ProcessId(_filled(element), element.get("ProccesName", ""))


def _qualifier(element: Element) -> Qualifier:
    children = Children(element)
    subject = children.maybe(META + "Subject")
    service = token(children.one(META + "Service"))
    scenario = _scenario(children.one(META + "BusinessScenario"))
    kind = children.one(META + "MessageType")
    children.end()
    message_type = MessageType(read_code(kind), required(kind, "payloadSchema"))
    return Qualifier(service, scenario, message_type, None if subject is None else text(subject))


def _scenario(element: Element) -> CodeValue | str:
    children = Children(element)
    defined = children.maybe(META + "Defined")
    undefined = children.one(META + "Undefined") if defined is None else None
    children.end()
    if defined is not None:
        return read_code(defined)
    return "" if undefined is None else normalized(undefined)


def _properties(element: Element | None) -> tuple[MessageProperty, ...]:
    if element is None:
        return ()
    children = Children(element)
    entries = children.many(META + "Property")
    children.end()
    if not entries:
        raise broken("MessageProperties")
    return tuple(map(_property, entries))


def _property(element: Element) -> MessageProperty:
    children = Children(element)
    key, value = read_code(children.one(META + "Key")), _filled(children.one(META + "Value"))
    children.end()
    return MessageProperty(key, value)


def _filled(element: Element | None) -> str:
    """A text that must not be empty, if the element is there."""
    if element is None:
        return ""
    value = text(element)
    if not value:
        raise broken(local(str(element.tag)))
    return value


def _positive(element: Element) -> int:
    value = number(element)
    if value < 1:
        raise broken(local(str(element.tag)))
    return value
