"""The shape of an OSCI message: one Envelope, known blocks at their places, unique ids (digest §4, §6; rule R1).

Everything later is taken from the elements found here, by position; nothing is looked up again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.unseal.nodes import broken, children, elements, local, only, optional, single, text
from intermediary.unseal.osci.names import (
    ENCRYPTED_ENVELOPE,
    KINDS,
    OSCI,
    OSCI_2017,
    SCHEMA_LOCATION,
    SOAP,
    SOAP_FAULT,
    XSI,
    Kind,
)
from intermediary.xml import queries
from intermediary.xml.long import NO_TEXTS, LongTexts
from intermediary.xml.parser import Element

CONTROL_BLOCK = OSCI + "ControlBlock"
CLIENT_SIGNATURE = OSCI + "ClientSignature"
SUPPLIER_SIGNATURE = OSCI + "SupplierSignature"
CERTIFICATE_BLOCKS = (OSCI + "IntermediaryCertificates", OSCI + "NonIntermediaryCertificates")
QUALITY = OSCI + "QualityOfTimestamp"
METADATA = "{http://www.osci.eu/ws/2014/10/transport}MessageMetaData"
CONTENT_PACKAGE = OSCI + "ContentPackage"

_GENERAL = frozenset(
    {
        CONTROL_BLOCK,
        OSCI + "DesiredLanguages",
        QUALITY,
        *CERTIFICATE_BLOCKS,
        OSCI_2017 + "FeatureDescription",
    }
)
_OWN_NAMESPACES = (SOAP, OSCI, OSCI_2017)
_CODE = re.compile(r"[0-9]{4}")
_ID_NAMES = frozenset({"Id", "ID", "id"})


@dataclass(frozen=True, slots=True)
class Structure:
    """A message by its parts: header blocks in order, body, order element, and the content package if there is one.

    `texts` are the long texts of its document.
    """

    kind: Kind
    blocks: tuple[Element, ...] = field(repr=False)
    body: Element = field(repr=False)
    order: Element = field(repr=False)
    signature: Element | None = field(repr=False)
    package: Element | None = field(repr=False)
    texts: LongTexts = field(repr=False, default=NO_TEXTS)

    def block(self, name: str) -> Element | None:
        """The header block of this name (each occurs at most once, QualityOfTimestamp aside)."""
        return next((block for block in self.blocks if block.tag == name), None)


def message_type(envelope: Element) -> str:
    """The type an Envelope declares: a kind's name, `MessageEncrypted` or `SOAPFault` (digest §4)."""
    if envelope.tag != SOAP + "Envelope":
        raise broken("Envelope")
    declared = envelope.get(XSI + "schemaLocation")
    if declared is None:
        body = single(envelope, SOAP + "Body")
        if len(envelope) == 1 and len(body) == 1 and body[0].tag == SOAP + "Fault":
            return SOAP_FAULT
        raise Rejected("osci.type.unknown")
    words = declared.split()
    if len(words) != len(SCHEMA_LOCATION):
        raise Rejected("osci.type.unknown")
    name = words[1].removeprefix("soap").removesuffix(".xsd")
    expected = [word.format(name) for word in SCHEMA_LOCATION]
    if words != expected or (name not in KINDS and name != ENCRYPTED_ENVELOPE):
        raise Rejected("osci.type.unknown")
    return name


def fault_code(envelope: Element) -> str:
    """The OSCI code in a SOAP fault; empty if there is none, or something else in its place."""
    fault = single(single(envelope, SOAP + "Body"), SOAP + "Fault")
    detail = optional(fault, "detail")
    code = None if detail is None else optional(detail, OSCI + "Code")
    written = "" if code is None else text(code).strip()
    return written if _CODE.fullmatch(written) else ""


def read_structure(envelope: Element, name: str, texts: LongTexts = NO_TEXTS) -> Structure:
    """Checks the whole frame of a message of this type and gives its parts."""
    kind = KINDS[name]
    only(envelope, SOAP + "Header", SOAP + "Body")
    header, body = single(envelope, SOAP + "Header"), single(envelope, SOAP + "Body")
    _refuse_stray_soap(envelope, header, body)
    check_ids(envelope)
    blocks = tuple(header)
    _check_blocks(blocks, kind)
    if body.get("Id") is None:
        raise broken("Body/@Id")
    signature_name = SUPPLIER_SIGNATURE if kind.is_response else CLIENT_SIGNATURE
    order = _order(header, body, kind)
    return Structure(kind, blocks, body, order, optional(header, signature_name), _package(body, kind), texts)


def check_ids(root: Element) -> None:
    """No two elements of a document share an id, however the attribute is spelled (rule R1)."""
    candidates = queries.short_named(root)
    if len(set(candidates)) == len(candidates):
        return
    seen: set[str] = set()
    for element in elements(root):
        own = {str(value) for name, value in element.attrib.items() if local(str(name)) in _ID_NAMES}
        if not seen.isdisjoint(own):
            raise Rejected("osci.duplicate-id", where=local(str(element.tag)))
        seen |= own


def _refuse_stray_soap(envelope: Element, header: Element, body: Element) -> None:
    places = (envelope, header, body)
    for element in envelope.iter(SOAP + "*"):
        if element not in places:
            raise broken(local(str(element.tag)))


def _check_blocks(blocks: tuple[Element, ...], kind: Kind) -> None:
    signature = SUPPLIER_SIGNATURE if kind.is_response else CLIENT_SIGNATURE
    known = _GENERAL | {signature} | (set() if kind.body == "order" else {kind.order})
    seen: set[str] = set()
    for block in blocks:
        name = str(block.tag)
        if not block.get("Id"):
            raise broken("header without Id")
        if name not in known:
            _check_custom(block)
        key = f"{name} {block.get('Service')}" if name == QUALITY else name
        if key in seen:
            raise broken(local(name))
        seen.add(key)


def _check_custom(block: Element) -> None:
    if str(block.tag).startswith(_OWN_NAMESPACES):
        raise broken(local(str(block.tag)))
    if block.tag != METADATA and (block.get(SOAP + "mustUnderstand") or "0") not in ("0", "false"):
        raise broken("mustUnderstand")


def _order(header: Element, body: Element, kind: Kind) -> Element:
    if kind.body != "order":
        return single(header, kind.order)
    only(body, kind.order)
    return single(body, kind.order)


def _package(body: Element, kind: Kind) -> Element | None:
    if kind.body == "order":
        return None
    if kind.body == "empty":
        only(body)
        return None
    only(body, CONTENT_PACKAGE)
    if len(children(body, CONTENT_PACKAGE)) != 1:
        raise broken("ContentPackage")
    return body[0]
