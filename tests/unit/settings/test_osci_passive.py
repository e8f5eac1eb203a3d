"""The settings of an endpoint for OSCI intermediaries: what fits together, and what is told when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.settings.finding import ConfigurationError
from intermediary.settings.lint import lint
from intermediary.settings.load import load

DOOR = """
[[channel]]
name = "osci"
type = "osci_passive"
mandanten = ["musterstadt"]
[channel.osci_passive]
"""
TLS = 'tls_cert = "secrets/tls.pem"\ntls_key = "secrets/tls.key"\n'


def written(installation: Path, text: str) -> Path:
    installation.write_text(installation.read_text(encoding="utf-8") + DOOR + text, encoding="utf-8")
    return installation


def test_an_endpoint_is_read(installation: Path) -> None:
    """Host and port come apart, also of an IPv6 address; an answer waits ten seconds unless told otherwise."""
    door = load(written(installation, 'listen = "[::]:8443"\n' + TLS)).channel_named("osci").osci_passive

    assert door is not None
    assert ("::", 8443, 10) == (door.host, door.port, door.judged_seconds)


@pytest.mark.parametrize("text", ['listen = "127.0.0.1:8080"', 'listen = "0.0.0.0:8080"\nbehind_proxy = true'])
def test_plain_http_stays_at_home(installation: Path, text: str) -> None:
    """Without TLS: on the loopback interface, or where the operator says that a proxy ends it."""
    assert load(written(installation, text)).channel_named("osci").osci_passive is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('listen = "0.0.0.0:8443"', "without TLS only the loopback interface is listened on"),
        ('listen = "0.0.0.0:8443"\ntls_cert = "secrets/tls.pem"', "`tls_cert` and `tls_key` go together"),
        ('listen = "127.0.0.1:8443"\nclient_ca = "ca.pem"', "`client_ca` needs `tls_cert` and `tls_key`"),
        ('listen = "8443"', "an address is `host:port`"),
        ('listen = "localhost:99999"', "an address is `host:port`"),
        ('listen = "localhost:8443"\njudged_seconds = 0', "greater than or equal to 1"),
    ],
)
def test_what_does_not_fit_is_told(installation: Path, text: str, said: str) -> None:
    """Each mistake is one finding in words of the setting."""
    with pytest.raises(ConfigurationError) as caught:
        load(written(installation, text))

    assert 1 == len(caught.value.findings)
    assert said in caught.value.findings[0].what


def test_two_endpoints_do_not_share_a_port(installation: Path) -> None:
    """Every interface includes the loopback interface."""
    second = DOOR.replace('"osci"', '"osci-2"') + 'listen = "127.0.0.1:8443"\n'
    with pytest.raises(ConfigurationError) as caught:
        load(written(installation, 'listen = "0.0.0.0:8443"\n' + TLS + second))

    assert ["channel[osci-2].osci_passive.listen"] == [one.path for one in caught.value.findings if one.is_blocking]


def test_missing_files_are_found(installation: Path) -> None:
    """`lint` names the files of the endpoint that are not there, and a key that others can read."""
    (installation.parent / "secrets" / "tls.key").write_text("x")
    (installation.parent / "secrets" / "tls.key").chmod(0o644)
    written(installation, 'listen = "0.0.0.0:8443"\nclient_ca = "secrets/ca.pem"\n' + TLS)

    places = {one.path for one in lint(installation)}

    assert {f"channel[osci].osci_passive.{name}" for name in ("tls_key", "tls_cert", "client_ca")} <= places
