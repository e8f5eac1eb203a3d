"""Whether a method can be called as a port says."""

from __future__ import annotations

from typing import Any

import pytest

from intermediary.core.calls import takes


class Plugin:
    word = "map"

    def map(self, antrag: Any, kontext: Any, *, strict: bool = True) -> None: ...

    def keyword(self, antrag: Any, *, kontext: Any) -> None: ...


@pytest.mark.parametrize(
    ("plugin", "method", "arguments", "expected"),
    [
        (Plugin(), "map", 2, True),
        (Plugin(), "map", 1, False),
        (Plugin(), "map", 3, False),
        (Plugin(), "keyword", 2, False),
        (Plugin(), "word", 2, False),
        (Plugin(), "missing", 2, False),
        (Plugin, "map", 2, False),
    ],
)
def test_only_what_can_be_called_counts(plugin: object, method: str, arguments: int, expected: bool) -> None:
    """A method counts with exactly so many positional arguments; a class in place of its instance lacks one."""
    assert expected is takes(plugin, method, arguments)
