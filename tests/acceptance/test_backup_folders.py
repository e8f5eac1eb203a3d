"""Folders of backups that share a folder of data keys, or are written to at the same time: neither harms the other."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from intermediary.operations.vault import Vault, prune, run_name
from intermediary.wiring import utc_now
from tests.acceptance.office import Office

LONG_AGO = "2026-10-01T00-00-00.000000Z"


def _runs(folder: Path) -> set[str]:
    return {run.name for run in (folder / "runs").iterdir()}


def _days_ago(days: int) -> str:
    return run_name(utc_now() - timedelta(days=days))


def test_folders_share_one_place_of_keys(own: Office) -> None:
    """A backup into a second folder takes nothing from the first: the data keys of every run are there, and open it."""
    keys, first, second = (own.folder / name for name in ("datenschluessel", "taeglich", "stuendlich"))
    for folder in (first, second, first):
        assert 0 == own.call("backup", "-o", folder, "--keys", keys).code

    runs = _runs(first) | _runs(second)
    assert (3, {f"{run}.jsonl" for run in runs}) == (len(runs), {file.name for file in keys.iterdir()})
    for folder in (first, second):
        assert 0 == own.call("restore", folder, "--keys", keys, "--check").code


def test_the_term_holds_for_keys_of_every_folder(own: Office) -> None:
    """What is older than 14 days goes, whoever made it; what is not stays, unless its own folder keeps runs less long."""
    keys, folder, other = (own.folder / name for name in ("datenschluessel", "taeglich", "anders"))
    own.call("backup", "-o", folder, "--keys", keys)
    (run,), (file,) = (folder / "runs").iterdir(), keys.iterdir()
    recent = _days_ago(5)
    for name in (LONG_AGO, recent):
        shutil.copyfile(file, keys / f"{name}.jsonl")
        shutil.copytree(run, folder / "runs" / name)

    assert 0 == own.call("backup", "-o", other, "--keys", keys).code
    assert {f"{one}.jsonl" for one in {recent, run.name} | _runs(other)} == {one.name for one in keys.iterdir()}
    assert 0 == own.call("backup", "-o", folder, "--keys", keys, "--keep-days", "3").code
    assert {f"{one}.jsonl" for one in _runs(folder) | _runs(other)} == {one.name for one in keys.iterdir()}
    assert recent not in _runs(folder)


def test_data_keys_that_go_elsewhere_from_now_on(own: Office) -> None:
    """Runs that have theirs beside them stay whole, and what is over its term goes there too: nobody else removes it."""
    folder, keys = own.folder / "backups", own.folder / "datenschluessel"
    own.call("backup", "-o", folder)
    (run,), (file,) = (folder / "runs").iterdir(), (folder / "keys").iterdir()
    own.call("mandant", "delete", "musterstadt", "--force", "--reason", "Vertrag beendet")  # only the run has them now
    shutil.copyfile(file, folder / "keys" / f"{LONG_AGO}.jsonl")

    assert 0 == own.call("backup", "-o", folder, "--keys", keys).code

    assert [file] == list((folder / "keys").iterdir())
    assert 0 == own.call("restore", run, "--check").code
    recent = _days_ago(5)
    run.rename(run.with_name(recent))
    file.rename(file.with_name(f"{recent}.jsonl"))
    assert 0 == own.call("backup", "-o", folder, "--keys", keys, "--keep-days", "3").code
    assert [] == list((folder / "keys").iterdir())


def test_a_killed_backup_leaves_no_data_keys(own: Office) -> None:
    """The next run into its folder removes what it wrote; one into another folder leaves it alone: it may be at work."""
    keys, folder, other = (own.folder / name for name in ("datenschluessel", "taeglich", "anders"))
    own.call("backup", "-o", folder, "--keys", keys)
    killed = _days_ago(1)
    (folder / "runs" / f".{killed}.part").mkdir()
    (keys / f"{killed}.jsonl").write_text("{}\n")

    own.call("backup", "-o", other, "--keys", keys)
    assert (keys / f"{killed}.jsonl").exists()
    own.call("backup", "-o", folder, "--keys", keys)
    assert {f"{one}.jsonl" for one in _runs(folder) | _runs(other)} == {one.name for one in keys.iterdir()}


def test_one_moment_in_two_folders(own: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose name another one has in the folder of data keys is refused, and leaves that one's."""
    keys, first, second = (own.folder / name for name in ("datenschluessel", "taeglich", "stuendlich"))
    name = _days_ago(0)
    monkeypatch.setattr("intermediary.operations.vault.run_name", lambda _now: name)
    assert 0 == own.call("backup", "-o", first, "--keys", keys).code
    refused = own.call("backup", "-o", second, "--keys", keys)

    assert (2, True) == (refused.code, str(keys) in refused.err)
    assert 0 == own.call("restore", first, "--keys", keys, "--check").code


def test_a_second_backup_into_one_folder_is_refused(own: Office) -> None:
    """While one is at work another changes nothing there, neither its draft nor its data keys."""
    folder = own.folder / "backups"
    vault = Vault(folder, folder / "keys")
    with vault.writing():
        draft, keys = vault.runs / f".{LONG_AGO}.part", vault.keys_of(LONG_AGO)
        draft.mkdir()
        keys.touch()
        refused = own.call("backup", "-o", folder)
        assert (2, True, True) == (refused.code, draft.exists(), keys.exists())
    assert "another backup is running" in refused.err


def test_two_folders_end_one_term_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both find the same file over its term; the one that comes second finds it gone, which is as good."""
    vault = Vault(tmp_path / "a", tmp_path / "keys")
    with vault.writing():
        file = vault.keys_of(LONG_AGO)
        file.touch()
        listed = list(vault.keys.glob("*.jsonl"))
        file.unlink()
        monkeypatch.setattr(Path, "glob", lambda self, pattern: iter(listed if self == vault.keys else ()))

        assert 0 == prune(vault, keep=timedelta(days=14), now=datetime.fromisoformat("2026-11-22T00:00:00+00:00"))


def test_a_run_whose_removal_was_broken_off_goes_with_the_next(own: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much of it is gone already: what is over its term does not stay because nobody recognises it as a run."""
    folder = own.folder / "backups"
    own.call("backup", "-o", folder)
    (run,) = (folder / "runs").iterdir()
    shutil.copytree(run, run.with_name(LONG_AGO))
    monkeypatch.setattr(shutil, "rmtree", _break_off)
    assert 2 == own.call("backup", "-o", folder).code
    monkeypatch.undo()

    assert 0 == own.call("backup", "-o", folder).code
    assert not [one for one in (folder / "runs").iterdir() if LONG_AGO in one.name]
    assert 0 == own.call("restore", folder, "--check").code


def _break_off(place: Path, **_named: object) -> None:
    (place / "manifest.sig").unlink()
    raise OSError(5, "Input/output error", str(place))
