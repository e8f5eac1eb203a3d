"""A line of `doctor` about a fault."""

from __future__ import annotations

import pytest

from intermediary.core.faults import Transient
from intermediary.operations.diagnosis import bad, counted


@pytest.mark.parametrize(
    ("where", "places"),
    [("partner ags:1", "(partner ags:1)"), ("partner ags:1: 9200", "(partner ags:1: 9200)"), ("", "(partner ags:1)")],
)
def test_a_place_is_named_once(where: str, places: str) -> None:
    """Most faults of a dialog name the partner themselves."""
    assert bad("door", Transient("dialog.unreachable", where=where), "partner ags:1").what.endswith(f". {places}")


def test_what_was_counted_has_its_noun() -> None:
    """One finding is one finding."""
    assert ["0 files", "1 file", "2 files"] == [counted(number, "file") for number in range(3)]
    assert ["1 Zustellung", "2 Zustellungen"] == [counted(one, "Zustellung", "Zustellungen") for one in (1, 2)]
