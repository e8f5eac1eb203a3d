"""The conformance kit at the connector `cmis`, whose target is the small DMS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intermediary.core.ports import Idempotency
from intermediary.testing.kit.check import check
from intermediary.testing.kit.description import Candidate, candidates
from intermediary.testing.kit.verdict import GUARANTEES


def _candidate() -> Candidate:
    (found,) = candidates("cmis")
    return Candidate(found.entry, replace(found.description, seconds=120))


def test_cmis_keeps_its_word_without_trouble() -> None:
    """One effect of each kind, none by asking or repeating, and nothing said of content."""
    report = check(_candidate(), wanted=["whole", "probe", "repeat", "lookup", "discreet"])

    assert report.manifest.idempotency is Idempotency.LOOKUP
    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing != "holds"]


@pytest.mark.soak
def test_cmis_passes_at_its_level() -> None:
    """Every guarantee holds in every trouble, and answers about somebody else's objects lead nothing astray."""
    report = check(_candidate())

    assert report.manifest.idempotency is Idempotency.LOOKUP
    assert [] == [(one.name, one.seen) for one in report.verdicts if one.standing == "broken"]
    assert list(GUARANTEES) == [one.name for one in report.verdicts if one.standing == "holds"]
