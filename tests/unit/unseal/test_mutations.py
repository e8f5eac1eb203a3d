"""Mutated messages: whatever is broken in them, the answer is a refusal with a code or an equal result, never a crash."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from intermediary.core.values import MemoryContent, Opened
from intermediary.keys import private
from intermediary.keys.ring import Keyring
from intermediary.unseal import NotOpened, profile, unseal
from intermediary.unseal.formats import OSCI_TYPE
from tests.vectors.cases import AT, PASSWORD

FOLDER = Path(__file__).parents[2] / "vectors" / "osci"
SIGNED = (FOLDER / "positive" / "accept-25-plain-signed-attach.osci").read_bytes()
OPEN = (FOLDER / "positive" / "accept-27-plain-transport-gcm.osci").read_bytes()
RING = Keyring([private.from_p12(FOLDER / "keys" / f"{n}-cipher.p12", PASSWORD, n) for n in ("reader", "recipient")])


def open_bytes(message: bytes) -> Opened | None:
    try:
        return unseal(MemoryContent(message), content_type=OSCI_TYPE, keyring=RING, policy=profile("legacy"), at=AT)
    except NotOpened as refusal:
        assert refusal.known is not None
        return None


def hashes(opened: Opened) -> list[str]:
    return [part.content.sha256 for part in (*opened.contents, *opened.attachments)]


GOOD = {message: open_bytes(message) for message in (SIGNED, OPEN)}


@settings(max_examples=300)
@given(
    message=st.sampled_from([SIGNED, OPEN]),
    place=st.floats(0, 0.999),
    octets=st.binary(max_size=3),
    cut=st.integers(0, 3),
)
def test_bytes(message: bytes, place: float, octets: bytes, cut: int) -> None:
    """Bytes replaced anywhere: refused, or what is inside is unchanged where a signature covers it."""
    at = int(place * len(message))
    mutated = message[:at] + octets + message[at + cut :]
    opened = open_bytes(mutated)
    good = GOOD[message]

    assert good is not None
    if opened is not None and opened.signatures == good.signatures:
        assert hashes(opened) == hashes(good)


def split(message: bytes) -> tuple[bytes, bytes, bytes]:
    begin = message.index(b"<?xml")
    end = message.index(b"</soap:Envelope>") + len(b"</soap:Envelope>")
    return message[:begin], message[begin:end], message[end:]


ACTIONS = ["remove", "double", "empty", "rename", "retext", "move", "attribute"]


@settings(max_examples=300)
@given(
    message=st.sampled_from([SIGNED, OPEN]),
    index=st.integers(0, 400),
    other=st.integers(0, 400),
    action=st.sampled_from(ACTIONS),
)
def test_elements(message: bytes, index: int, other: int, action: str) -> None:
    """An element removed, doubled, emptied, renamed or moved: refused, or the same contents come out."""
    head, document, tail = split(message)
    root = etree.fromstring(document)
    elements = list(root.iter("*"))[1:]
    element, second = elements[index % len(elements)], elements[other % len(elements)]
    _mutate(element, second, action)
    opened = open_bytes(head + etree.tostring(root, encoding="UTF-8", xml_declaration=True) + tail)
    good = GOOD[message]

    assert good is not None
    if opened is not None and {s.layer for s in opened.signatures if s.valid} == {"content", "transport"}:
        assert hashes(opened) == hashes(good)


def _mutate(element: etree._Element, second: etree._Element, action: str) -> None:
    parent = element.getparent()
    assert parent is not None
    if action == "remove":
        parent.remove(element)
    elif action == "double":
        parent.insert(parent.index(element), etree.fromstring(etree.tostring(element, with_tail=False)))
    elif action == "empty":
        for child in list(element):
            element.remove(child)
        element.text = None
    elif action == "rename":
        element.tag = second.tag
    elif action == "retext":
        element.text = second.text
    elif action == "attribute":
        for name, value in second.attrib.items():
            element.set(name, value)
    elif second not in element.iter() and second not in element.iterancestors():
        second.append(element)
