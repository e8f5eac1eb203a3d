"""The configuration while the daemon runs: what changes is noticed, what does not load changes nothing."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from intermediary.pipeline import Werkbank
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
        "a = " + "[" * 3000,
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


def test_nobody_is_given_the_old_one_while_it_is_made_anew(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads after a change: the second one does not go on with what the operator has just replaced."""
    configuration = Configuration(rig.installation.settings)
    before, load = configuration.bank(), configuration._load
    is_loading, may_load = threading.Event(), threading.Event()

    def slowly() -> object:
        is_loading.set()
        assert may_load.wait(60)
        return load()

    monkeypatch.setattr(configuration, "_load", slowly)
    _touch(rig.installation.settings.installation.routes)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(configuration.bank)
        assert is_loading.wait(60)
        second = pool.submit(configuration.bank)
        wait([second], timeout=0.2)  # it could have returned by now
        may_load.set()
        banks: set[int] = {id(one) for one in (first.result(60), second.result(60))}

    made: Werkbank = configuration.bank()
    assert {id(made)} == banks
    assert made is not before
    assert 1 == configuration.generation
