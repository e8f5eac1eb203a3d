"""The wire format of XTA: what is written is official, what is read is the same again."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from intermediary.core.values import MemoryContent
from intermediary.keys.spool import Spool
from intermediary.unseal.xta.container import ContentContainer, read_container, same_sha256
from intermediary.unseal.xta.entity import entity_head, read_entity
from intermediary.unseal.xta.envelope import Envelope
from intermediary.unseal.xta.metadata import read_metadata
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
