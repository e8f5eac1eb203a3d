"""The configuration while the daemon runs: what changes is noticed, what does not load changes nothing."""

from __future__ import annotations

import os

import pytest

from intermediary.wiring import Configuration
from tests.acceptance.rig import Rig


def _touch(path: os.PathLike[str]) -> None:
    """A new stamp, as if the file had been replaced."""
    os.utime(path, ns=(1, 1))


def test_a_renewed_key_file_is_noticed(rig: Rig) -> None:
    """The keyring names it and stays as it is; its certificate or password is a new one."""
    configuration = Configuration(rig.installation.settings)
    before = configuration.bank()
    keys = [path for path in (rig.site.folder / "keys").iterdir() if path.suffix in (".p12", ".pass", ".pem")]
    named = [path for path in keys if path.name in (rig.site.folder / "keys" / "keyring.toml").read_text()]

    assert len(named) >= 3
    for number, path in enumerate(named, 1):
        _touch(path)

        assert configuration.bank() is not before
        assert number == configuration.generation


def test_a_key_that_comes_after_its_keyring_is_noticed(rig: Rig) -> None:
    """First the keyring names a file that is not there, then the operator puts it there."""
    configuration = Configuration(rig.installation.settings)
    keyring = rig.site.folder / "keys" / "keyring.toml"
    keyring.write_text(keyring.read_text() + '\n[[trust]]\npem = "later.pem"\n')
    configuration.bank()

    assert 0 == configuration.generation

    anchors = next(path for path in (rig.site.folder / "keys").glob("*.pem") if "BEGIN CERT" in path.read_text())
    (rig.site.folder / "keys" / "later.pem").write_bytes(anchors.read_bytes())
    configuration.bank()

    assert 1 == configuration.generation


@pytest.mark.parametrize(
    "text",
    [
        '[[key]]\np12 = "a\\u0000b"\n',
        '[[trust]]\npem = "a\\u0000b"\n',
        '[[trust]]\npem = "x"\npurpose = [[]]\n',
        "[[key",
    ],
)
def test_a_broken_keyring_leaves_the_one_before_in_force(rig: Rig, text: str) -> None:
    """Whatever is wrong with it, the generation stays, and mending it makes the next one."""
    configuration = Configuration(rig.installation.settings)
    before = configuration.bank()
    keyring = rig.site.folder / "keys" / "keyring.toml"
    good = keyring.read_text()
    keyring.write_text(text)

    assert before is configuration.bank()
    assert before is configuration.bank()

    keyring.write_text(good)
    configuration.bank()

    assert 1 == configuration.generation
