"""What a message carries for somebody else, passed on untouched: package, attachments, certificates, custom headers."""

from __future__ import annotations

from dataclasses import dataclass, field

from intermediary.core.faults import Rejected
from intermediary.osci.write import (
    Block,
    CertificateList,
    Package,
    WirePart,
    foreign_certificates,
    foreign_package,
)
from intermediary.testing.simulate.osci.reading import Unreadable, structure_of
from intermediary.unseal import mime
from intermediary.unseal.mime import MimeMessage
from intermediary.unseal.osci.names import OSCI, OSCI_2017
from intermediary.unseal.osci.structure import CERTIFICATE_BLOCKS, Structure
from intermediary.xml.canonical import inclusive

_BEGIN, _END = b"<osci:ContentPackage", b"</osci:ContentPackage>"


@dataclass(frozen=True, slots=True)
class Carried:
    """Written into another message as it came; a missing package means that there is nothing in it."""

    package: Package | None = None
    certificates: CertificateList = field(default=CertificateList())
    custom: tuple[Block, ...] = ()


NOTHING = Carried()


def carried(plain: bytes) -> Carried:
    """What a message in the open carries.

    Unreadable (9100) if its package cannot stand in another envelope byte for byte: writers must use the prefixes of
    digest §2 and declare them on the Envelope, otherwise every signature inside would break on the way.
    """
    message, structure = mime.read(plain), structure_of(plain)
    listed = tuple(
        one
        for block in structure.blocks
        if block.tag == CERTIFICATE_BLOCKS[1]
        for one in foreign_certificates(inclusive(block))
    )
    custom = tuple(
        Block(str(block.get("Id")), inclusive(block).decode())
        for block in structure.blocks
        if not str(block.tag).startswith((OSCI, OSCI_2017))
    )
    return Carried(_package(message, structure), CertificateList(others=listed), custom)


def only_attachment(plain: bytes) -> bytes | None:
    """The one attachment of a message, or None if it has none or several."""
    others = mime.read(plain).others
    return others[0].data if len(others) == 1 else None


def _package(message: MimeMessage, structure: Structure) -> Package | None:
    if structure.package is None or not len(structure.package):
        return None
    written = message.root.data
    begin, end = written.find(_BEGIN, max(written.find(b"</soap:Header>"), 0)), written.rfind(_END)
    parts = tuple(WirePart(part.content_id, part.media_type, part.data) for part in message.others)
    try:
        package = foreign_package(written[begin : end + len(_END)], parts)
    except (Rejected, ValueError):
        raise Unreadable("9100") from None
    if _inside(package.xml("")) != _inside(inclusive(structure.package).decode()):
        raise Unreadable("9100")
    return package


def _inside(element: str) -> str:
    return element[element.index(">") + 1 : element.rindex("</")]
