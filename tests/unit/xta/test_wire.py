"""The wire format of XTA: what is written is official, what is read is the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.unseal.xta.container import ContentContainer, read_container, same_sha256
from intermediary.unseal.xta.entity import entity_head, read_entity
from intermediary.unseal.xta.envelope import Envelope
from intermediary.unseal.xta.metadata import read_metadata
from intermediary.xml.parser import parse
from intermediary.xta.wire.box import Selector, read_fetch_request
from intermediary.xta.wire.entity import Entity, OutgoingMessage, request_addressing, write_entity
from intermediary.xta.wire.metadata import write_metadata
from tests.unit.xta.official import official_schema


def received(entity: Entity) -> MemoryContent:
    """An HTTP body as it is kept."""
    return MemoryContent(entity_head(entity.content_type) + entity.content.read())


@pytest.mark.parametrize("mtom", [True, False])
def test_a_container_survives_both_forms(shared: Path, *, mtom: bool) -> None:
    """An order and its container are the same after writing and reading, with their octets inside or beside."""
    folder = shared / "schemas" / "xta" / "2.1.1" / "konstruierte-beispiele"
    metadata = read_metadata(_root(folder / "getMessage_header_MessageMetaData_abgeholt.xml"))
    container = read_container(
        Envelope({}, _root(folder / "sendMessage_body_GenericContentContainer.xml")), Spool(None)
    )
    assert isinstance(container, ContentContainer)
    message = OutgoingMessage(
        request_addressing(action="urn:action", to="https://box.example/", message_id="urn:uuid:1"),
        (write_metadata(metadata),),
        container=container,
    )

    entity = write_entity(message, random=bytes, mtom=mtom)
    envelope = read_entity(received(entity))
    again = read_container(envelope, Spool(None))

    assert envelope.metadata() == metadata
    assert isinstance(again, ContentContainer)
    assert [one.content.read() for one in again.pieces] == [one.content.read() for one in container.pieces]
    assert same_sha256(envelope, Spool(None)) == same_sha256(
        Envelope({}, _root(folder / "sendMessage_body_GenericContentContainer.xml")), Spool(None)
    )
    if not mtom:
        schema = official_schema(shared)
        schema.assertValid(etree.fromstring(entity.content.read()))


def _root(path: Path) -> etree._Element:
    return etree.parse(str(path)).getroot()


def _selected(extension: str) -> Selector | None:
    box, wsa = "http://www.osci.eu/ws/2008/05/transport", "http://www.w3.org/2005/08/addressing"
    inside = f'<w:MessageID xmlns:w="{wsa}">urn:1</w:MessageID>{extension}'
    request = f'<MsgBoxFetchRequest xmlns="{box}"><MsgSelector>{inside}</MsgSelector></MsgBoxFetchRequest>'
    return read_fetch_request(parse(request.encode())).selector


@pytest.mark.parametrize("extension", ["", "<Extension/>", "<Extension></Extension>", "<Extension> \n</Extension>"])
def test_an_empty_extension_selects_by_nothing(extension: str) -> None:
    """Clients that gSOAP has made of the WSDL send it along always."""
    assert Selector(("urn:1",)) == _selected(extension)


@pytest.mark.parametrize("extension", ["<Extension>x</Extension>", "<Extension><a/></Extension>", '<Extension a="b"/>'])
def test_an_extension_that_says_something_is_refused(extension: str) -> None:
    """It would select by something that nobody here knows: more would be handed out than was asked for."""
    with pytest.raises(Rejected):
        _selected(extension)
