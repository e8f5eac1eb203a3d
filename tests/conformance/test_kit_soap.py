"""The conformance kit at the connector `soap`, at each level that a SOAP target can offer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.core.ports import Idempotency
from intermediary.testing.kit.check import check
from intermediary.testing.kit.description import Candidate, candidates
from intermediary.testing.kit.soap_target import KIT, Native, Silent, Soap

LEVELS = {"KIT": Idempotency.LOOKUP, "Native": Idempotency.NATIVE, "Silent": Idempotency.NONE}


def _candidate(kit: str) -> Candidate:
    (found,) = candidates("soap")
    return Candidate(found.entry, replace(found.description, kit=f"{Soap.__module__}:{kit}", seconds=120))


def test_soap_keeps_its_word_without_trouble() -> None:
    """One effect, a repetition that has none, a look-up that tells the truth, and nothing said of content."""
    report = check(_candidate("KIT"), wanted=["whole", "probe", "repeat", "lookup", "discreet"])

    assert report.manifest.idempotency is Idempotency.LOOKUP
    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing != "holds"]


@pytest.mark.soak
@pytest.mark.parametrize("kit", LEVELS)
def test_soap_passes_at_its_level(kit: str) -> None:
    """Every guarantee holds in every trouble; where it cannot be repeated or asked for, a person decides."""
    report = check(_candidate(kit))

    assert LEVELS[kit] == report.manifest.idempotency
    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing == "broken"]
    assert {"loss", "once", "faults", "time", "kills", "memory"} <= {
        one.name for one in report.verdicts if one.standing == "holds"
    }


def test_each_level_has_a_target() -> None:
    """What the table of the connector names is the target that can be asked."""
    assert LEVELS == {("KIT" if one is KIT else one.__name__): one.level for one in (Soap, Native, Silent)}
