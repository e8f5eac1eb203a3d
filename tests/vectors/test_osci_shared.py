"""The whole shared set of OSCI vectors, where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.vectors import cases as c

FOLDER = (
    Path(os.environ.get("INTERMEDIARY_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "vectors" / "osci"
)
POSITIVE = [*c.cases(FOLDER, "positive"), *c.cases(FOLDER, "variants")]
ACCEPTED = [case for case in POSITIVE if case.sidecar["expected"]["outcome"] == "accept"]
NOT_ACCEPTED = [case for case in POSITIVE if case not in ACCEPTED]
NEGATIVE = c.cases(FOLDER, "negative")


def test_all_vectors_were_found(shared: Path) -> None:
    """The set is complete: 89 positive messages, 17 variants, 104 negative ones."""
    counts = [len(c.cases(shared / "vectors" / "osci", kind)) for kind in ("positive", "variants", "negative")]

    assert counts == [89, 17, 104]
    assert len(POSITIVE) + len(NEGATIVE) == 210


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case.name)
def test_accepted(case: c.Case) -> None:
    """A good message is opened, and contents, attachments, signatures and trust are those of its sidecar."""
    c.accepted(case)


@pytest.mark.parametrize("case", NOT_ACCEPTED, ids=lambda case: case.name)
def test_known_but_rejected(case: c.Case) -> None:
    """A SOAP fault or a message for strangers is refused, and what was established before is told."""
    c.known_but_rejected(case)


@pytest.mark.parametrize("case", NEGATIVE, ids=lambda case: case.name)
def test_rejected(case: c.Case) -> None:
    """A manipulated message is refused for its own defect, with an OSCI code its sidecar allows."""
    c.rejected(case)


FAMILIES = [
    [case for case in NEGATIVE if family in case.sidecar["expected"].get("policyNote", "")]
    for family in ("Padding-Orakel-Familie Inhalt", "Padding-Orakel-Familie Transport", "Bleichenbacher-Familie")
]


@pytest.mark.parametrize("family", FAMILIES, ids=["content-padding", "transport-padding", "rsa-1_5"])
def test_families_are_alike(family: list[c.Case], shared: Path) -> None:
    """Vectors of one family cannot be told apart by their refusal (rule R3)."""
    refusals = {(str(refusal), refusal.where, refusal.osci_code) for refusal in map(c.refused, family)}

    assert len(family) >= 2
    assert len(refusals) == 1
