"""Custom header blocks: the XTA MessageMetaData a portal adds, and what another has written (§6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from intermediary.osci.write.block import Block
from intermediary.osci.write.laufzettel import written
from intermediary.osci.write.markup import FIVE, element, text
from intermediary.xml.canonical import inclusive
from intermediary.xml.parser import parse

_SEVEN = FIVE.replace(" xmlns:soap=", ' xmlns:oscimeta="http://www.osci.eu/ws/2014/10/transport" xmlns:soap=').replace(
    " xmlns:xenc=", ' xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:xenc='
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaData:
    """The XTA MessageMetaData a portal adds as its own header (§6). `author` and `reader` are party identifiers."""

    service: str
    author: str
    reader: str
    origin: datetime
    message_id: str
    subject: str = field(default="", repr=False)
    quality: str = "EfA-Antrag"


def metadata_block(metadata: MetaData, *, size: int) -> Block:
    """The XTA MessageMetaData as custom header `MetaData`; `size` in bytes."""
    inside = (
        element(
            "oscimeta:DeliveryAttributes",
            element("oscimeta:Origin", text(written(metadata.origin)))
            + element("oscimeta:ServiceQuality", text(metadata.quality)),
        )
        + element("oscimeta:Originators", element("oscimeta:Author", _party("Autor", metadata.author)))
        + element("oscimeta:Destinations", element("oscimeta:Reader", _party("Leser", metadata.reader)))
        + element("oscimeta:MsgIdentification", element("wsa:MessageID", text(metadata.message_id)))
        + element(
            "oscimeta:Qualifier",
            element("oscimeta:Subject", text(metadata.subject)) + element("oscimeta:Service", text(metadata.service)),
        )
        + element("oscimeta:MsgSize", str(size))
    )
    return Block("MetaData", element("oscimeta:MessageMetaData", inside, f'{_SEVEN} Id="MetaData"'))


def custom_block(xml: bytes) -> Block:
    """A header block from elsewhere, one element as it stood (or could stand) in a SOAP header, in canonical form.

    ValueError if it has no Id; `Rejected` (`xml.…`) if it is not well-formed with the five prefixes of §2.
    """
    block = parse(b"<holder%b>%b</holder>" % (FIVE.encode(), xml))[0]
    identifier = block.get("Id")
    if not identifier:
        raise ValueError("a header block needs an Id")
    return Block(identifier, inclusive(block).decode())


def _party(name: str, identifier: str) -> str:
    return element("oscimeta:Identifier", text(identifier), f' name="{name}" type="xoev"')
