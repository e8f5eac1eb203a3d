"""What `doctor` says of alerts."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.operations.alerting import alerting
from intermediary.settings.load import load
from intermediary.settings.models import Settings
from tests.acceptance.receivers import MailRelay
from tests.unit.settings.conftest import MINIMAL


def _settings(folder: Path, text: str) -> Settings:
    (folder / "intermediary.toml").write_text(MINIMAL + text, encoding="utf-8")
    return load(folder / "intermediary.toml")


@pytest.mark.parametrize(
    ("content", "verdict"),
    [("https://alerts.example/hook?token=geheim", "ok"), ("alerts.example", "bad"), ("", "bad"), (None, "bad")],
)
def test_the_address_of_a_webhook(tmp_path: Path, content: str | None, verdict: str) -> None:
    """An address in the file is all that can be told without sending; it is never shown."""
    if content is not None:
        (tmp_path / "url").write_text(content, encoding="utf-8")
    [found] = alerting(_settings(tmp_path, '[alerts]\nwebhook_url_file = "url"\n'))

    assert verdict == found.verdict
    assert "geheim" not in str(found)


def test_a_relay_that_answers_or_not(tmp_path: Path) -> None:
    """The relay is greeted, and nothing is sent."""
    text = '[alerts]\nmail_server = "{}"\nmail_from = "a@it.example"\nmail_to = ["b@it.example"]\n'
    with MailRelay() as relay:
        settings = _settings(tmp_path, text.format(relay.address))
        [there] = alerting(settings)
    [gone] = alerting(settings)

    assert ("ok", "bad") == (there.verdict, gone.verdict)
    assert [] == relay.mails


def test_without_any_the_log_tells(tmp_path: Path) -> None:
    """That is said, so that nobody waits for a mail."""
    [found] = alerting(_settings(tmp_path, ""))

    assert ("ok", True) == (found.verdict, "log" in found.what)
