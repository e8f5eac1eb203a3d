"""The settings of health, incidents and alerts: what fits together, and what is told when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.settings.finding import ConfigurationError
from intermediary.settings.lint import lint
from intermediary.settings.load import load

MAIL = '[alerts]\nmail_server = "relay:587"\nmail_from = "a@it.example"\nmail_to = ["b@it.example"]\n'
DOOR = """
[[channel]]
name = "osci"
type = "osci_passive"
mandanten = ["musterstadt"]
[channel.osci_passive]
listen = "0.0.0.0:9464"
behind_proxy = true
"""


def _written(installation: Path, text: str) -> Path:
    installation.write_text(installation.read_text(encoding="utf-8") + text, encoding="utf-8")
    return installation


def test_without_any_the_log_tells(installation: Path) -> None:
    """Nothing listens and nothing is sent unless the operator says where."""
    settings = load(installation)

    assert (None, None, None) == (
        settings.health.listen,
        settings.alerts.webhook_url_file,
        settings.alerts.mail_server,
    )


def test_an_address_comes_apart(installation: Path) -> None:
    """Host and port of health, also of an IPv6 address."""
    health = load(_written(installation, '[health]\nlisten = "[::1]:9464"\n')).health

    assert ("::1", 9464) == (health.host, health.port)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[health]\nlisten = "9464"\n', "an address is `host:port`"),
        ("[incidents]\nlook_seconds = 200\n", "`quiet_seconds` is at least twice `look_seconds`"),
        ('[alerts]\nmail_server = "relay:25"\n', "`mail_server` needs `mail_from` and `mail_to`"),
        ('[alerts]\nmail_to = ["b@it.example"]\n', "`mail_from` and `mail_to` need `mail_server`"),
        (MAIL + 'mail_user = "a"\n', "`mail_user` and `mail_password_file` go together"),
        (MAIL + 'mail_tls = "none"\nmail_user = "a"\nmail_password_file = "p"\n', "a password goes over TLS only"),
        (MAIL.replace("b@it.example", "B <b@it.example>"), "a mail address is `name@domain`"),
        (MAIL.replace("b@it.example", "b@it.example\\nBcc: c@d"), "a mail address is `name@domain`"),
    ],
)
def test_what_does_not_fit_is_told(installation: Path, text: str, said: str) -> None:
    """Each mistake is one finding in words of the setting."""
    with pytest.raises(ConfigurationError) as caught:
        load(_written(installation, text))

    assert 1 == len(caught.value.findings)
    assert said in caught.value.findings[0].what


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('[health]\nlisten = "0.0.0.0:9464"\n', "health.listen"),
        (DOOR + '[health]\nlisten = "127.0.0.1:9464"\n', "health.listen"),
        (MAIL + 'mail_tls = "none"\n', "alerts.mail_tls"),
    ],
)
def test_what_could_hurt_is_found(installation: Path, text: str, path: str) -> None:
    """Figures for everybody, a port that is taken, mails in the clear."""
    assert path in {finding.path for finding in lint(_written(installation, text))}


def test_a_sound_one_has_no_finding(installation: Path) -> None:
    """The defaults and an address of this host are fine."""
    assert [] == lint(_written(installation, MAIL + '[health]\nlisten = "127.0.0.1:9464"\n'))
