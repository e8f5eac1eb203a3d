"""The progress bar of long work."""

from __future__ import annotations

import io
import sys

import pytest

from intermediary.cli.options import progress


class Screen(io.StringIO):
    """A stream that is a terminal, or not."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


@pytest.mark.parametrize(
    ("out", "err", "is_silent", "shown"),
    [
        (True, True, False, False),
        (False, True, False, True),
        (True, True, True, True),
        (False, False, True, False),
    ],
)
def test_a_bar_is_shown_only_to_a_person_who_sees_nothing_else(monkeypatch, out, err, is_silent, shown):
    """Scripts and logs never get a bar, and neither does a terminal that shows a line per item."""
    screen = Screen(is_terminal=err)
    monkeypatch.setattr(sys, "stdout", Screen(is_terminal=out))
    monkeypatch.setattr(sys, "stderr", screen)

    items = list(progress(iter([1, 2, 3]), label="Prüfen", length=3, is_silent=is_silent))

    assert [1, 2, 3] == items
    assert shown is ("Prüfen" in screen.getvalue())
