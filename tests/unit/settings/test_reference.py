"""The reference page of the settings."""

from __future__ import annotations

from intermediary.settings.reference import render


def test_every_setting_has_a_meaning() -> None:
    """No setting is without a description."""
    assert "| None |" not in render()


def test_tables_and_settings_are_listed() -> None:
    """A table in a list, a table under names and a setting with limits stand on the page."""
    page = render()

    assert "## `[[mandant]]`" in page
    assert "## `[channel.amqp.claims.NAME]`" in page
    assert "| `readers` | table of text | `{}` |" in page
    assert "| `prefetch` | integer, 1 to 65535 | `200` |" in page
