"""What is demanded of signatures, and what counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.core.faults import Rejected
from intermediary.core.values import MemoryContent, Opened, Part, SignatureFact
from intermediary.unseal.require import check, check_transport, is_undetermined, missing

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


UNKNOWN = replace(SIGNED, trusted=None, reason="signature.undetermined")


@pytest.mark.parametrize(
    ("message", "require", "code"),
    [
        (opened(TRANSPORT, UNKNOWN), BOTH, "signature.undetermined"),
        (opened(replace(TRANSPORT, trusted=None)), ("trusted",), "signature.undetermined"),
        (opened(TRANSPORT, STRANGER), BOTH, "signature.required"),
        (opened(TRANSPORT, UNKNOWN, parts=(part((1,)), part())), BOTH, "signature.required"),
        (opened(TRANSPORT, replace(UNKNOWN, valid=False)), BOTH, "signature.required"),
        (opened(TRANSPORT, replace(UNKNOWN, weak=True)), BOTH, "signature.required"),
        (opened(UNKNOWN), ("transport-signature", "trusted"), "signature.required"),
    ],
)
def test_undetermined_is_its_own_answer(message: Opened, require: tuple[str, ...], code: str) -> None:
    """Only when nothing but the doubt about a signer is in the way, the refusal is one that the operator heals."""
    with pytest.raises(Rejected) as refusal:
        check(message, require)

    assert refusal.value.code == code
    assert is_undetermined(message, require) is (code == "signature.undetermined")


@pytest.mark.parametrize(
    ("fact", "code"),
    [
        (replace(TRANSPORT, trusted=None), "signature.undetermined"),
        (replace(TRANSPORT, trusted=False, reason="signature.revoked"), "osci.transport-signature.missing"),
        (replace(TRANSPORT, trusted=None, weak=True), "osci.transport-signature.missing"),
    ],
)
def test_the_transport_signature_alone(fact: SignatureFact, code: str) -> None:
    """The same before any content is opened; the findings say why a signer does not count."""
    with pytest.raises(Rejected) as refusal:
        check_transport([fact], ("transport-signature", "trusted"))

    assert refusal.value.code == code
    assert [finding.code for finding in refusal.value.findings] == ([fact.reason] if fact.reason else [])
    assert check_transport([replace(fact, weak=False)], ("transport-signature",)) is None
