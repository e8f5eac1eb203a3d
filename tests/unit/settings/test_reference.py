"""The reference page of the settings."""

from __future__ import annotations

from pathlib import Path

from intermediary.settings.reference import render


def test_the_reference_is_current(project: Path) -> None:
    """The committed page is what the models say; `make docs` writes it."""
    assert render() == (project / "docs/reference/settings.md").read_text(encoding="utf-8")


def test_every_setting_has_a_meaning() -> None:
    """No setting is without a description."""
    assert "| None |" not in render()
