"""What is demanded of signatures, and what counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent, Opened, Part, SignatureFact
from intermediary.unseal.require import check, missing

SIGNED = SignatureFact(
    layer="content",
    signer="CN=Autorin",
    algorithm="urn:a",
    intact=True,
    valid=True,
    complete=True,
    trusted=True,
    covers=("#content0",),
    place="encdata_0/box",
)
TRANSPORT = replace(SIGNED, layer="transport", place="")


def part(place: str) -> Part:
    return Part("content0", "", "data", MemoryContent(b"x"), place)


def opened(*signatures: SignatureFact, places: tuple[str, ...] = ("encdata_0/box/content0",)) -> Opened:
    return Opened("osci-1.2", "AcceptDelivery", "", "", tuple(map(part, places)), (), signatures, (), "osci@1")


ALL = ("transport-signature", "content-signature", "trusted")


@pytest.mark.parametrize(
    ("message", "unmet"),
    [
        (opened(TRANSPORT, SIGNED), ()),
        (opened(), ALL),
        (opened(TRANSPORT), ("content-signature",)),
        (opened(SIGNED), ("transport-signature",)),
        (opened(replace(TRANSPORT, valid=False), SIGNED), ("transport-signature",)),
        (opened(TRANSPORT, replace(SIGNED, weak=True)), ("content-signature",)),
        (opened(TRANSPORT, replace(SIGNED, trusted=None)), ("content-signature",)),
        (opened(TRANSPORT, SIGNED, places=("encdata_0/box/content0", "box1/content1")), ("content-signature",)),
        (opened(TRANSPORT, replace(SIGNED, place="encdata_0/bo")), ("content-signature",)),
        (opened(TRANSPORT, SIGNED, places=("encdata_0/box/content1/inner/content2",)), ()),
    ],
)
def test_missing(message: Opened, unmet: tuple[str, ...]) -> None:
    """Only valid, sound and trusted signatures count, and every part must stand in a container they cover."""
    assert missing(message, ALL) == unmet


def test_check() -> None:
    """The first unmet demand is named; nothing demanded, nothing refused."""
    with pytest.raises(Rejected) as refusal:
        check(opened(), ALL)

    assert refusal.value.where == "transport-signature"
    assert check(opened(), ()) is None
