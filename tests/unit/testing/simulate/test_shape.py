"""Every answer has the blocks of digest §7, in their order, and the control values its kind demands."""

from __future__ import annotations

import pytest

from intermediary.osci.write import DialogRequest, Letter, chunk_package
from intermediary.unseal import mime
from intermediary.unseal.nodes import local
from intermediary.unseal.osci.names import SOAP
from intermediary.unseal.osci.partial import ChunkInformation
from intermediary.xml.parser import Element, parse
from tests.unit.testing.simulate.client import SmallClient
from tests.unit.testing.simulate.conftest import KB, Rig

_SIGNED = ["ControlBlock", "SupplierSignature"]
_END = ["IntermediaryCertificates", "FeatureDescription"]
_CARRYING = ["IntermediaryCertificates", "NonIntermediaryCertificates", "FeatureDescription", "MessageMetaData"]
_EXPECTED = {
    "InitDialog": ("RCV", [*_SIGNED, *_END], ["responseToInitDialog"]),
    "GetMessageId": ("RCVS", [*_SIGNED, *_END], ["responseToGetMessageId"]),
    "ExitDialog": ("RVS", [*_SIGNED, *_END], ["responseToExitDialog"]),
    "StoreDelivery": ("RCVS", [*_SIGNED, "responseToStoreDelivery", *_END], []),
    "FetchDelivery": ("RCVS", [*_SIGNED, "responseToFetchDelivery", *_CARRYING], ["ContentPackage"]),
    "FetchProcessCard": ("RCVS", [*_SIGNED, *_END], ["responseToFetchProcessCard"]),
    "PartialStoreDelivery": ("RCVS", [*_SIGNED, "responseToPartialStoreDelivery", *_END], []),
    "PartialFetchDelivery": ("RCVS", [*_SIGNED, "responseToPartialFetchDelivery", *_END], ["ContentPackage"]),
}


def _asked(rig: Rig, client: SmallClient, kind: str, letter: Letter) -> bytes:
    match kind:
        case "InitDialog":
            client.init()
        case "GetMessageId":
            client.ask(kind, DialogRequest())
        case "ExitDialog":
            client.exit()
        case "StoreDelivery":
            client.deposit(kind, client.new_id(), None)
        case "FetchDelivery":
            rig.store(letter)
            client.fetch()
        case "FetchProcessCard":
            client.cards()
        case "PartialStoreDelivery":
            chunk = ChunkInformation(number=1, chunk_bytes=KB, total=2, total_kilobytes=2)
            client.store_chunk(client.new_id(), chunk, chunk_package(b"x" * KB))
        case _:
            rig.store(letter)
            client.fetch_chunk(1, 4 * KB)
    return client.raw


@pytest.mark.parametrize("kind", _EXPECTED)
def test_answers_have_the_blocks_of_the_digest(rig: Rig, letter: Letter, kind: str) -> None:
    """Header blocks in order, the body, and which of Response, Challenge, ConversationId, SequenceNumber stand there."""
    client = rig.client(is_encrypted=False)
    if kind != "InitDialog":
        client.init()
    envelope = parse(mime.read(_asked(rig, client, kind, letter)).root.data)
    header, body = envelope.find(SOAP + "Header"), envelope.find(SOAP + "Body")
    assert header is not None
    assert body is not None
    control, blocks, inside = _EXPECTED[kind]

    assert blocks == [local(str(block.tag)) for block in header]
    assert inside == [local(str(child.tag)) for child in body]
    assert control == _present(header[0])
    assert {"ds", "osci", "soap", "xenc", "xsi"} == set(envelope.nsmap)
    assert f"soapResponseTo{kind}.xsd" in str(envelope.attrib)


def _present(block: Element) -> str:
    found = "".join(local(str(child.tag))[0] for child in block)
    return found + ("V" if block.get("ConversationId") else "") + ("S" if block.get("SequenceNumber") else "")


@pytest.mark.parametrize("is_signed", [True, False])
def test_certificates_of_the_intermediary_stand_in_signed_answers_only(rig: Rig, *, is_signed: bool) -> None:
    """An unsigned answer names no signer."""
    client = rig.client(is_encrypted=False, is_signed=is_signed)
    client.init()

    assert is_signed == (b"SignatureCertificateIntermediary" in client.raw)
    assert is_signed == (b"SupplierSignature" in client.raw)
