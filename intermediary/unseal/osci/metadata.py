"""The MessageMetaData header of XTA that OSCI messages carry: flat, named facts (xta2 digest)."""

from __future__ import annotations

from intermediary.unseal.nodes import local
from intermediary.unseal.osci.structure import METADATA, Structure
from intermediary.xml.parser import Element

_PLACES = {
    "service": ("Qualifier", "Service"),
    "business_type": ("Qualifier", "MessageType"),
    "metadata.subject": ("Qualifier", "Subject"),
    "origin": ("DeliveryAttributes", "Origin"),
    "service_quality": ("DeliveryAttributes", "ServiceQuality"),
    "author": ("Originators", "Author", "Identifier"),
    "sender": ("Originators", "Sender", "Identifier"),
    "reader": ("Destinations", "Reader", "Identifier"),
    "metadata.message_id": ("MsgIdentification", "MessageID"),
    "metadata.process": ("MsgIdentification", "ProcessRef"),
    "metadata.size": ("MsgSize",),
}


def read_metadata(structure: Structure) -> dict[str, str]:
    """The facts of the header, those that are there; every value is the sender's statement and nothing more."""
    header = structure.block(METADATA)
    if header is None:
        return {}
    found = {name: _at(header, path) for name, path in _PLACES.items()}
    return {name: value for name, value in found.items() if value}


def _at(element: Element, path: tuple[str, ...]) -> str:
    for name in path:
        following = next((child for child in element if local(str(child.tag)) == name), None)
        if following is None:
            return ""
        element = following
    return "" if len(element) else (element.text or "").strip()
