"""Channels that fetch by OSCI and answers that go by OSCI: what they need, and what contradicts itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from intermediary.settings.finding import ConfigurationError
from intermediary.settings.lint import lint
from intermediary.settings.load import load

CHANNEL = """
[[channel]]
name = "postfach"
type = "osci_fetch"
mandanten = ["musterstadt"]
@PARTNER@
[channel.osci_fetch]
@DOOR@
[channel.answer]
@ANSWER@
"""
PARTNER = 'partner = "test:intermediaer"'
ANSWER = 'type = "osci"\npartner = "test:intermediaer"\nreader = "test:dienst"\n'


def written(
    installation: Path, *, partner: str = PARTNER, door: str = "", answer: str = ANSWER, directory: bool = True
) -> Path:
    text = installation.read_text(encoding="utf-8")
    if directory:
        text = text.replace("[installation]", '[installation]\npartners = "partners.toml"')
        (installation.parent / "partners.toml").touch()
    channel = CHANNEL.replace("@PARTNER@", partner).replace("@DOOR@", door).replace("@ANSWER@", answer)
    installation.write_text(text + channel, encoding="utf-8")
    return installation


def test_a_channel_that_fetches_is_read(installation: Path) -> None:
    """Everything but the partner has a default: one post box for each Mandant, every delivery in one piece."""
    channel = load(written(installation)).channel_named("postfach")

    assert channel.osci_fetch is not None
    assert (2, 60, 4, 1, None) == (
        channel.osci_fetch.poll_seconds,
        channel.osci_fetch.poll_most_seconds,
        channel.osci_fetch.threads,
        channel.osci_fetch.post_boxes,
        channel.osci_fetch.chunk_megabytes,
    )
    assert channel.answer is not None
    assert ("osci", "test:dienst") == (channel.answer.type, channel.answer.reader)
    assert [] == [finding for finding in lint(installation) if finding.is_blocking]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"partner": ""}, "names the intermediary as its `partner`"),
        ({"door": "poll_seconds = 61"}, "poll_seconds is longer than poll_most_seconds"),
        ({"door": "post_boxes = 0"}, "greater than or equal to 1"),
        ({"answer": 'type = "osci"\npartner = "test:x"'}, "has `partner` and `reader` and nothing else"),
        ({"answer": ANSWER + 'folder = "quittungen"'}, "has `partner` and `reader` and nothing else"),
        ({"answer": 'type = "folder"\nfolder = "q"\nca_file = "ca.pem"'}, "has `folder` and nothing else"),
        ({"answer": 'type = "amqp"\nqueue = "q"'}, "needs the broker of a channel"),
    ],
)
def test_what_does_not_fit_is_told(changes: dict[str, str], said: str, installation: Path) -> None:
    """Each mistake is one finding in words of the setting."""
    with pytest.raises(ConfigurationError) as caught:
        load(written(installation, **changes))  # type: ignore[arg-type]

    assert 1 == len(caught.value.findings)
    assert said in caught.value.findings[0].what


def test_partners_need_a_directory(installation: Path) -> None:
    """The intermediary and the reader stand in a partner directory; without one both places are named."""
    places = {finding.path for finding in lint(written(installation, directory=False)) if finding.is_blocking}

    assert {"channel[postfach].partner", "channel[postfach].answer.partner"} == places


def test_a_missing_ca_file_is_found(installation: Path) -> None:
    """At the door and at the answer."""
    written(installation, door='ca_file = "ca.pem"', answer=ANSWER + 'ca_file = "ca.pem"')

    places = {finding.path for finding in lint(installation)}
    assert {"channel[postfach].osci_fetch.ca_file", "channel[postfach].answer.ca_file"} <= places
