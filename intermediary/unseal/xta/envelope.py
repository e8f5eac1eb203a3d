"""Reads the SOAP 1.2 envelope: header blocks by name, what addresses the message, and the one child of the body.

No header block is believed for being there: who reads one asks for it, and one that demands to be understood and is not
known here is a refusal (SOAP 1.2 part 1, 2.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.core.values import Content
from intermediary.unseal.xta.metadata import read_metadata, read_party
from intermediary.unseal.xta.names import (
    AUTHOR,
    BOX_RESPONSE,
    METADATA,
    SOAP,
    SOAP_1_1_URI,
    TOKEN_CONTAINER,
    WSA,
)
from intermediary.unseal.xta.reading import Children, boolean, broken, local, token
from intermediary.unseal.xta.values import MessageMetaData, Party
from intermediary.xml.long import NO_TEXTS, LongTexts
from intermediary.xml.parser import Element

UNDERSTOOD = frozenset({AUTHOR, METADATA, BOX_RESPONSE, TOKEN_CONTAINER})

_ULTIMATE = "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver"
_NEXT = "http://www.w3.org/2003/05/soap-envelope/role/next"


@dataclass(frozen=True, slots=True)
class Addressing:
    """What WS-Addressing says of the SOAP message; its `message_id` is not that of the transport order."""

    action: str
    to: str = ""
    message_id: str = ""
    relates_to: str = ""
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A SOAP message: `body` is the one child of its body, None if that is empty.

    `texts` are the long texts of the document, `parts` the MIME parts beside it by Content-ID (both for `container`).
    """

    headers: Mapping[str, Element] = field(repr=False)
    body: Element | None = field(repr=False)
    addressing: Addressing | None = field(default=None, repr=False)
    texts: LongTexts = field(default=NO_TEXTS, repr=False)
    parts: Mapping[str, Content] = field(default_factory=dict, repr=False)

    def author(self) -> Party | None:
        """The account the client acts for (header `Author`), if it says so."""
        element = self.headers.get(AUTHOR)
        return None if element is None else read_party(element)

    def metadata(self) -> MessageMetaData:
        """The transport order in the header; `Rejected("xta.structure")` where there is none."""
        element = self.headers.get(METADATA)
        if element is None:
            raise broken("MessageMetaData")
        return read_metadata(element)

    @property
    def kind(self) -> str:
        """The `{namespace}name` of what the body holds; empty for an empty one."""
        return "" if self.body is None else str(self.body.tag)


def read_envelope(root: Element, texts: LongTexts = NO_TEXTS, parts: Mapping[str, Content] | None = None) -> Envelope:
    """The envelope whose root element this is.

    Raises `Rejected`: `xta.soap.version` for another SOAP, `xta.soap.not-understood` for a header block that must be
    understood, `xta.structure`.
    """
    if root.tag != SOAP + "Envelope":
        if str(root.tag) == f"{{{SOAP_1_1_URI}}}Envelope":
            raise Rejected("xta.soap.version")
        raise broken("Envelope")
    children = Children(root)
    header, body = children.maybe(SOAP + "Header"), children.one(SOAP + "Body")
    children.end()
    blocks = [] if header is None else list(header)
    headers = _by_name(blocks)
    inside = list(body)
    if len(inside) > 1:
        raise broken("Body")
    Children(body)  # no text beside the child
    content = inside[0] if inside else None
    return Envelope(headers, content, _addressing(headers), texts, parts or {})


def _by_name(blocks: list[Element]) -> dict[str, Element]:
    """The header blocks meant for us. One that is asked for may stand there once; others may repeat."""
    found: dict[str, Element] = {}
    for block in blocks:
        name = str(block.tag)
        if block.get(SOAP + "role", _ULTIMATE) not in (_ULTIMATE, _NEXT, ""):
            continue
        is_known = name in UNDERSTOOD or name.startswith(WSA)
        where = f"{local(name)}/@mustUnderstand"
        if not is_known and boolean(block.get(SOAP + "mustUnderstand", "false"), where):
            raise Rejected("xta.soap.not-understood", where=local(name))
        if is_known and name in found and name != WSA + "RelatesTo":
            raise broken(local(name))
        found.setdefault(name, block)
    return found


def _addressing(headers: Mapping[str, Element]) -> Addressing | None:
    action = headers.get(WSA + "Action")
    if action is None:
        return None
    texts = {
        name: token(headers[WSA + name]) if WSA + name in headers else "" for name in ("To", "MessageID", "RelatesTo")
    }
    reply_to = headers.get(WSA + "ReplyTo")
    address = "" if reply_to is None else token(Children(reply_to).one(WSA + "Address"))
    return Addressing(token(action), texts["To"], texts["MessageID"], texts["RelatesTo"], address)
