"""Channels that fetch by XTA and answers that go by XTA: what they need, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.settings.finding import ConfigurationError
from intermediary.settings.lint import lint
from intermediary.settings.load import load

CHANNEL = """
[[channel]]
name = "xta"
type = "xta_fetch"
mandanten = ["musterstadt"]
[channel.xta_fetch]
@DOOR@
[channel.xta_fetch.msgbox]
url = "https://xta.example/box"
@SEND@
[[channel.xta_fetch.account]]
mandant = "musterstadt"
identifier = "stv:05999044"
tls_cert = "xta.pem"
tls_key = "xta.key"
@ACCOUNT@
[channel.answer]
@ANSWER@
"""
SEND = '[channel.xta_fetch.management]\nurl = "https://xta.example/m"\n[channel.xta_fetch.send]\nurl = "https://xta.example/s"\n'
ANSWER = 'type = "xta"\n[channel.answer.xta]\nservice = "urn:q"\n'
FOLDER = 'type = "folder"\nfolder = "xta-quittungen"\n'
SECOND = (
    '[[channel.xta_fetch.account]]\nmandant = "@M@"\nidentifier = "@I@"\ntls_cert = "xta.pem"\ntls_key = "xta.key"\n'
)


def written(installation: Path, *, door: str = "", send: str = SEND, account: str = "", answer: str = ANSWER) -> Path:
    text = CHANNEL.replace("@DOOR@", door).replace("@SEND@", send).replace("@ACCOUNT@", account)
    installation.write_text(
        installation.read_text(encoding="utf-8") + text.replace("@ANSWER@", answer), encoding="utf-8"
    )
    return installation


def second(mandant: str, identifier: str) -> str:
    """Another account."""
    return SECOND.replace("@M@", mandant).replace("@I@", identifier)


def test_a_channel_with_several_accounts_is_read(installation: Path) -> None:
    """Only the box's endpoint and an account are needed; a Mandant may have several; secrets are looked at."""
    path = written(installation, send="", account=second("musterstadt", "stv:2"), answer=FOLDER)
    door = load(path).channel_named("xta").xta_fetch

    assert door is not None
    assert (5, 120, 4, ["msgbox"], 2) == (
        door.poll_seconds,
        door.poll_most_seconds,
        door.threads,
        list(door.addresses),
        len(door.account),
    )
    assert "xoev" == door.account[0].identifier_type
    told = {finding.path for finding in lint(path)}
    assert {
        "channel[xta].xta_fetch.account[musterstadt].tls_key",
        "channel[xta].xta_fetch.account[musterstadt].tls_cert",
    } <= told


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"door": "poll_seconds = 200"}, "poll_seconds is longer than poll_most_seconds"),
        ({"account": second("musterstadt", "stv:05999044")}, "more than once"),
        ({"account": second("anderswo", "stv:2")}, "has an account, and every account one of these Mandanten"),
        ({"send": SEND.replace("https", "http")}, "an address of XTA is `https://host[:port]/path`"),
        ({"send": SEND.replace("xta.example/m", "me:geheim@xta.example/m")}, "without an account in it"),
        ({"send": ""}, "with `send` and `management`"),
        ({"answer": 'type = "xta"'}, "has `xta` and nothing else"),
        ({"answer": ANSWER.replace("service", "folder")}, "service"),
    ],
)
def test_what_does_not_fit_is_told(changes: dict[str, str], said: str, installation: Path) -> None:
    """Each mistake is told in words of the setting, and no password of an address is repeated."""
    with pytest.raises(ConfigurationError) as caught:
        load(written(installation, **changes))

    told = [f"{one.path} {one.what} {one.hint}" for one in caught.value.findings]
    assert any(said in one for one in told)
    assert not any("geheim" in one for one in told)


def test_an_answer_by_xta_belongs_to_a_channel_of_xta(installation: Path) -> None:
    """No other door knows to whom a message of XTA is answered."""
    text = installation.read_text(encoding="utf-8")
    answer = 'answer = { type = "xta", xta = { service = "urn:q" } }'
    installation.write_text(
        text.replace('answer = { type = "folder", folder = "quittungen" }', answer), encoding="utf-8"
    )
    with pytest.raises(ConfigurationError) as caught:
        load(installation)

    assert any('a channel of type "xta_fetch"' in one.what for one in caught.value.findings)
