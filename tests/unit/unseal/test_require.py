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


def part(*covered_by: tuple[int, ...]) -> Part:
    return Part("content0", "", "data", MemoryContent(b"x"), "encdata_0/box/content0", covered_by=covered_by)


def opened(*signatures: SignatureFact, parts: tuple[Part, ...] = (part((1,)),)) -> Opened:
    return Opened("osci-1.2", "AcceptDelivery", "", "", parts, (), signatures, (), "osci@1")


ALL = ("transport-signature", "content-signature", "trusted")
STRANGER = replace(SIGNED, signer="CN=Fremder", trusted=False)
BOTH = ("content-signature", "trusted")


@pytest.mark.parametrize(
    ("message", "unmet"),
    [
        (opened(TRANSPORT, SIGNED), ()),
        (opened(), ALL),
        (opened(TRANSPORT), ("content-signature",)),
        (opened(SIGNED, parts=(part((0,)),)), ("transport-signature",)),
        (opened(replace(TRANSPORT, valid=False), SIGNED), ("transport-signature",)),
        (opened(TRANSPORT, replace(SIGNED, valid=False)), ("content-signature",)),
        (opened(TRANSPORT, replace(SIGNED, weak=True)), ("content-signature",)),
        (opened(TRANSPORT, replace(SIGNED, trusted=None)), ("content-signature",)),
        (opened(TRANSPORT, SIGNED, STRANGER, parts=(part((1, 2)),)), ()),
    ],
)
def test_missing(message: Opened, unmet: tuple[str, ...]) -> None:
    """Only valid, sound and trusted signatures count, and every part must be covered by one."""
    assert missing(message, ALL) == unmet


@pytest.mark.parametrize(
    ("parts", "is_covered"),
    [
        ((part((1,)), part((1,))), True),
        ((part((1,)), part((2,))), False),
        ((part((1,)), part(())), False),
        ((part((1,)), part()), False),
        ((part((1,), (1, 2)),), True),
        ((part((1,), (2,)),), False),
        ((part((1,), ()),), False),
        ((part((0,)),), False),
        ((part((7,)),), False),
    ],
)
def test_each_part_at_each_place(parts: tuple[Part, ...], is_covered: bool) -> None:
    """The trusted author (1) must cover each part at each of its places; neither place nor stranger stand in for her."""
    unmet = missing(opened(TRANSPORT, SIGNED, STRANGER, parts=parts), BOTH)

    assert unmet == (() if is_covered else ("content-signature",))


@pytest.mark.parametrize(
    ("message", "is_met"),
    [
        (opened(SIGNED, STRANGER, parts=(part((0,)), part((0, 1)))), True),
        (opened(SIGNED, STRANGER, parts=(part((0,)), part((1,)))), False),
        (opened(SIGNED, parts=(part((0,)), part(()))), False),
        (opened(TRANSPORT, STRANGER), True),
        (opened(replace(TRANSPORT, trusted=False), STRANGER), False),
        (opened(TRANSPORT, parts=()), True),
        (opened(parts=()), False),
    ],
)
def test_trust_is_not_lent(message: Opened, is_met: bool) -> None:
    """Demanded alone, trust must lie on a signature over each part: a content's own, or the transport's over all."""
    assert missing(message, ("trusted",)) == (() if is_met else ("trusted",))


def test_check() -> None:
    """The first unmet demand is named; nothing demanded, nothing refused."""
    with pytest.raises(Rejected) as refusal:
        check(opened(), ALL)

    assert refusal.value.where == "transport-signature"
    assert check(opened(), ()) is None
