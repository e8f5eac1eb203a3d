"""A line of `doctor` about a fault."""

from __future__ import annotations

import pytest

from intermediary.core.faults import Transient
from intermediary.operations.diagnosis import bad


@pytest.mark.parametrize(
    ("where", "places"),
    [("partner ags:1", "(partner ags:1)"), ("partner ags:1: 9200", "(partner ags:1: 9200)"), ("", "(partner ags:1)")],
)
def test_a_place_is_named_once(where: str, places: str) -> None:
    """Most faults of a dialog name the partner themselves."""
    assert bad("door", Transient("dialog.unreachable", where=where), "partner ags:1").what.endswith(f". {places}")
