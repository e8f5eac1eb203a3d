"""The conformance kit at the connector `eakte_xdomea`, over each of its transports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.core.ports import Idempotency
from intermediary.testing.kit.check import check
from intermediary.testing.kit.description import Candidate, candidates
from intermediary.testing.kit.eakte_target import OverRest

LEVELS = {
    "OverRest": Idempotency.NATIVE,
    "OverSoap": Idempotency.LOOKUP,
    "OverSftp": Idempotency.LOOKUP,
    "OverAmqp": Idempotency.NATIVE,
}


def _candidate(kit: str) -> Candidate:
    (found,) = candidates("eakte_xdomea")
    return Candidate(found.entry, replace(found.description, kit=f"{OverRest.__module__}:{kit}", seconds=120))


def test_eakte_keeps_its_word_without_trouble() -> None:
    """One effect and the same answer again: what the transport promises, with the notes for the answers around it."""
    report = check(_candidate("OverRest"), wanted=["whole", "probe", "repeat", "discreet"])

    assert report.manifest.idempotency is Idempotency.NATIVE
    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing != "holds"]


@pytest.mark.soak
@pytest.mark.parametrize("kit", LEVELS)
def test_eakte_passes_at_the_level_of_its_transport(kit: str) -> None:
    """Every guarantee that the transport's target can make trouble for holds, and the level is that of the transport."""
    report = check(_candidate(kit))

    assert LEVELS[kit] == report.manifest.idempotency
    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing == "broken"]
    assert {"whole", "probe", "loss", "kills", "memory", "discreet"} <= {
        one.name for one in report.verdicts if one.standing == "holds"
    }


@pytest.mark.soak
def test_eakte_ordner_passes_at_its_level() -> None:
    """The same with an import folder on this machine."""
    (found,) = candidates("eakte_ordner")
    report = check(Candidate(found.entry, replace(found.description, seconds=120)))

    assert report.manifest.idempotency is Idempotency.LOOKUP
    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing == "broken"]
