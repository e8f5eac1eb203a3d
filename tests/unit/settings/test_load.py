"""The main file: what it becomes, and everything that is said when it is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from intermediary.settings import ConfigurationError, Finding, load


def _findings(file: Path, text: str) -> list[tuple[str, str, str]]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    return [(finding.path, finding.what, finding.hint) for finding in caught.value.findings]


def test_paths_are_absolute_and_relative_to_the_file(installation: Path) -> None:
    """A relative path refers to the folder of the file, wherever the program was started."""
    settings = load(installation)

    assert installation.parent / "data" == settings.installation.data
    assert installation.parent / "secrets/musterstadt.kek" == settings.mandant_named("musterstadt").kek_file


def test_a_linked_file_keeps_its_folder(installation: Path, tmp_path: Path) -> None:
    """A file that is a rotating link is read relative to the link, not to where it points today."""
    (tmp_path / "today").mkdir()
    installation.rename(tmp_path / "today" / "intermediary.toml")
    installation.symlink_to(tmp_path / "today" / "intermediary.toml")

    assert tmp_path / "data" == load(installation).installation.data


def test_defaults_are_those_of_the_design(installation: Path) -> None:
    """What the file does not say has the documented default."""
    settings = load(installation)

    assert 120 == settings.store.lease_seconds
    assert timedelta(hours=72) == settings.delivery.schedule.deadline
    assert timedelta(seconds=10) == settings.delivery.schedule.first
    assert timedelta(hours=6) == settings.delivery.schedule.longest
    assert timedelta(minutes=5) == settings.delivery.recheck
    assert 4 * 1024**3 == settings.channel_named("ablage").max_bytes


def test_settings_cannot_be_changed(installation: Path) -> None:
    """Nobody changes a setting after it was read."""
    settings = load(installation)

    with pytest.raises(ValidationError):
        settings.store.lease_seconds = 1  # type: ignore[misc]


def test_the_file_is_remembered(installation: Path) -> None:
    """Messages to people name the file the settings came from."""
    assert installation == load(installation).file


CASES = [
    (
        'heads_folder = "heads"',
        'heads_folder = "heads"\nhead_second = 5',
        ("audit.head_second", "is not a setting", 'did you mean "head_seconds"?'),
    ),
    (
        'folder = { inbox = "eingang" }',
        'folder = { inbocks = "eingang", inbox = "eingang" }',
        ("channel[ablage].folder.inbocks", "is not a setting", 'did you mean "inbox"?'),
    ),
    (
        'kek_file = "secrets/musterstadt.kek"',
        'kek_file = "secrets/musterstadt.kek"\nkek = "geheim"',
        ("mandant[musterstadt].kek", "is not a setting", 'secrets are files: name one in "kek_file"'),
    ),
    (
        'data = "data"',
        "data = 7",
        ("installation.data", "a path is a text that is not empty", ""),
    ),
    (
        'data = "data"\n',
        "",
        ("installation.data", "is missing", ""),
    ),
    (
        'type = "folder"\n',
        'type = "ordner"\n',
        (
            "channel[ablage].type",
            "is not one of the choices",
            'choose "folder", "amqp", "osci_passive", "osci_fetch", "xta_fetch" or "xta_passive"',
        ),
    ),
    (
        'type = "folder"\n',
        'type = "amqp"\n',
        ("channel[ablage]", 'a channel of type "amqp" has the table [channel.amqp] and no other', ""),
    ),
    (
        'name = "ablage"',
        'name = "Ablage Eins"',
        (
            "channel[Ablage Eins].name",
            "a name has 1 to 63 of a-z, 0-9, - and _, and begins with a letter or digit",
            "",
        ),
    ),
    (
        'mandanten = ["musterstadt"]',
        'mandanten = ["musterstatt"]',
        ("channel[ablage].mandanten", 'there is no Mandant "musterstatt"', 'did you mean "musterstadt"?'),
    ),
    (
        "[schemas]",
        "[store]\nlease_seconds = true\n[schemas]",
        ("store.lease_seconds", "input should be a valid integer", ""),
    ),
    (
        "[schemas]",
        "[delivery]\nfirst_wait_seconds = 99999\n[schemas]",
        ("delivery", "first_wait_seconds is longer than longest_wait_seconds", ""),
    ),
    (
        'kek_file = "secrets/musterstadt.kek"',
        'kek_file = "data/musterstadt.kek"',
        (
            "mandant[musterstadt].kek_file",
            "the key lies in the data folder it protects: one backup would hold both",
            "keep keys outside `installation.data`",
        ),
    ),
    (
        'inbox = "eingang"',
        'inbox = "data/eingang"',
        ("channel[ablage].folder.inbox", "lies inside installation.data", "put it beside, not inside"),
    ),
    (
        'data = "data"',
        'data = "eingang/data"',
        ("installation.data", "lies inside channel[ablage].folder.inbox", "put it beside, not inside"),
    ),
    (
        'folder = "quittungen"',
        'folder = "eingang"',
        (
            "channel[ablage].answer.folder",
            "is the same folder as channel[ablage].folder.inbox",
            "every duty has a folder of its own",
        ),
    ),
    (
        'answer = { type = "folder", folder = "quittungen" }',
        'answer = { type = "amqp", queue = "q" }',
        ("channel[ablage]", 'an answer of type "amqp" needs the broker of a channel of type "amqp"', ""),
    ),
    (
        'answer = { type = "folder", folder = "quittungen" }',
        'answer = { type = "folder", queue = "q" }',
        ("channel[ablage].answer", 'an answer of type "folder" has `folder` and nothing else', ""),
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_a_mistake_is_named(
    installation: Path, minimal: str, old: str, new: str, expected: tuple[str, str, str]
) -> None:
    """One mistake is one finding: its dotted path, what is wrong, and what to do."""
    assert old in minimal

    assert [expected] == _findings(installation, minimal.replace(old, new, 1))


def test_all_mistakes_are_told_at_once(installation: Path, minimal: str) -> None:
    """The operator learns of every mistake in one run."""
    text = minimal.replace('data = "data"\n', "").replace('routes = "routes.toml"', "route = 1")

    assert {"installation.data", "installation.routes", "installation.route"} == {
        path for path, _, _ in _findings(installation, text)
    }


def test_names_are_unique(installation: Path, minimal: str) -> None:
    """A second entry of the same name is refused."""
    channel = minimal[minimal.index("[[channel]]") :].replace("eingang", "eingang2")

    assert [("channel[ablage]", "stands in the file more than once", "names are unique")] == _findings(
        installation, minimal + channel
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"name = ", "is not TOML: Invalid value (at end of document)"),
        (b'name = "\xff"', "is not UTF-8"),
    ],
)
def test_what_is_not_toml_is_said_so(installation: Path, content: bytes, what: str) -> None:
    """A file that cannot be read as TOML gives one finding for the file."""
    installation.write_bytes(content)

    with pytest.raises(ConfigurationError) as caught:
        load(installation)
    assert [what] == [finding.what for finding in caught.value.findings]


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    """A file that is not there is said in the operator's words, with the place."""
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path / "none.toml")

    assert ["cannot be read: No such file or directory"] == [finding.what for finding in caught.value.findings]


def test_values_of_secrets_are_never_repeated(installation: Path, minimal: str) -> None:
    """A secret written into the file by mistake does not appear in the message about it."""
    text = minimal.replace(
        'name = "musterstadt"', 'name = "musterstadt"\nkek = "streng-geheim"\nkeyrin = "auch-geheim"'
    )
    installation.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        load(installation)
    assert "geheim" not in str(caught.value)


def test_a_finding_reads_like_a_message_to_a_person(tmp_path: Path) -> None:
    """What, where, and on its own line what to do."""
    finding = Finding(tmp_path / "a.toml", "audit.x", "is not a setting", 'did you mean "y"?')

    assert (
        f"intermediary: error: {tmp_path}/a.toml: audit.x: is not a setting",
        'intermediary: hint: did you mean "y"?',
    ) == finding.lines()
