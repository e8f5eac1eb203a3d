"""The answers of a folder target (`acknowledgement`) and the probe of its folders."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.ordner.connector import Ordner, OrdnerSettings
from intermediary.core.faults import Misconfigured, Transient, Unclear
from intermediary.core.ports import Awaiting, Delivered, Refused
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Zustellauftrag
from intermediary.testing.connectors import NOW, make_auftrag
from tests.conformance.ordner_target import OrdnerTarget


@pytest.fixture
def target(tmp_path: Path) -> OrdnerTarget:
    return OrdnerTarget(tmp_path / "plain")


@pytest.fixture
def answering(tmp_path: Path) -> OrdnerTarget:
    return OrdnerTarget(tmp_path / "answering", deadline_hours=24)


def test_acknowledged_target_is_awaited(answering: OrdnerTarget) -> None:
    """With an acknowledgement folder the hand-over is awaited until its deadline, also by lookup."""
    auftrag = make_auftrag()
    verdict = answering.connect().deliver(auftrag, Checkpoints(), NOW)
    later = NOW + timedelta(hours=2)

    assert isinstance(verdict, Awaiting)
    assert NOW + timedelta(hours=24) == verdict.until
    assert verdict == answering.connect().lookup(auftrag.key, Checkpoints(), later)
    assert answering.connect().collect(auftrag.key, verdict.correlation, later) is None


def test_ok_file_is_the_verdict_delivered(answering: OrdnerTarget) -> None:
    """NAME.ok means delivered; asking again gives the same answer, though the file is cleared away."""
    auftrag, correlation = _handed_over(answering)
    _answer(answering, auftrag, ".ok", b"")
    expected = Delivered({**correlation, "acknowledgement": f"{auftrag.package.file_name}.ok"})

    assert expected == answering.connect().collect(auftrag.key, correlation, NOW)
    assert [] == list(answering.answers.iterdir())
    assert expected == answering.connect().collect(auftrag.key, correlation, NOW)


@pytest.mark.parametrize(
    ("note", "reason"),
    [
        (b"E4711\nzweite Zeile", "E4711"),
        (b"  schema-invalid \r\n", "schema-invalid"),
        (b"Erika Musterfrau fehlt", "unspecified"),
        (b"", "unspecified"),
        (b"\n\n", "unspecified"),
        (b"\xff\xfe", "unspecified"),
        (b"A" * 100_000, "unspecified"),
        (b"\x1b[31mred", "unspecified"),
    ],
)
def test_error_file_is_the_verdict_refused(answering: OrdnerTarget, note: bytes, reason: str) -> None:
    """NAME.error means refused; only a code is taken from it, never free text."""
    auftrag, correlation = _handed_over(answering)
    _answer(answering, auftrag, ".error", note)
    verdict = answering.connect().collect(auftrag.key, correlation, NOW)

    assert isinstance(verdict, Refused)
    assert reason == verdict.reason
    assert verdict == answering.connect().collect(auftrag.key, correlation, NOW)


def test_both_answers_are_unclear(answering: OrdnerTarget) -> None:
    """A target that says yes and no is not believed either."""
    auftrag, correlation = _handed_over(answering)
    _answer(answering, auftrag, ".ok", b"")
    _answer(answering, auftrag, ".error", b"E1")
    with pytest.raises(Unclear):
        answering.connect().collect(auftrag.key, correlation, NOW)


def test_uncollected_answer_holds_its_name_back(answering: OrdnerTarget) -> None:
    """An old answer to the same name is never taken for the answer to a new delivery."""
    auftrag, correlation = _handed_over(answering)
    _answer(answering, auftrag, ".ok", b"")
    again = replace(make_auftrag(2), package=auftrag.package)
    with pytest.raises(Transient) as raised:
        answering.connect().deliver(again, Checkpoints(), NOW)

    assert "acknowledgement.folder" == raised.value.where
    answering.connect().collect(auftrag.key, correlation, NOW)
    assert isinstance(answering.connect().deliver(again, Checkpoints(), NOW), Awaiting)


def test_collecting_again_leaves_a_later_answer_alone(answering: OrdnerTarget) -> None:
    """A verdict that was taken down clears only the file it came from."""
    auftrag, correlation = _handed_over(answering)
    _answer(answering, auftrag, ".ok", b"")
    answering.connect().collect(auftrag.key, correlation, NOW)
    later = _answer(answering, auftrag, ".ok", b"of a redelivery")
    os.utime(later, ns=(1, 1))
    answering.connect().collect(auftrag.key, correlation, NOW)

    assert later.exists()


def test_crash_before_clearing_an_answer_is_made_good(answering: OrdnerTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer taken down and not yet cleared is cleared by the next look."""
    auftrag, correlation = _handed_over(answering)
    answer = _answer(answering, auftrag, ".ok", b"")
    with monkeypatch.context() as patch:
        patch.setattr("connectors.ordner.acknowledgement.clear", _raising(errno.EIO))
        with pytest.raises(OSError):
            answering.connect().collect(auftrag.key, correlation, NOW)
    answering.connect().collect(auftrag.key, correlation, NOW)

    assert not answer.exists()


def test_probe_accepts_what_fits(answering: OrdnerTarget) -> None:
    """Folders on one mount, writable, state private: nothing to complain about."""
    assert answering.connect().probe() is None


@pytest.mark.parametrize("name", ["drop", "state", "answers"])
def test_probe_finds_missing_folders(answering: OrdnerTarget, name: str) -> None:
    """A folder that is not there is found before the first delivery."""
    (answering.root / name).rmdir()
    with pytest.raises(Misconfigured):
        answering.connect().probe()


def test_probe_finds_a_state_folder_others_write_into(target: OrdnerTarget) -> None:
    """Whoever may write into the state folder could forge a delivery."""
    target.state.chmod(0o777)
    with pytest.raises(Misconfigured) as raised:
        target.connect().probe()

    assert "state: others may write into it" == raised.value.where


def test_probe_finds_a_file_of_locks_that_is_not_ours(target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by another user, by hand for example, it would hold up every delivery."""
    target.connect().probe()
    (target.state / "keys.lock").touch()
    real = os.access
    monkeypatch.setattr(os, "access", lambda name, mode, **how: name != "keys.lock" and real(name, mode, **how))
    with pytest.raises(Misconfigured) as raised:
        target.connect().probe()

    assert "state: keys.lock is not ours to write" == raised.value.where


def test_probe_finds_one_folder_used_twice(target: OrdnerTarget) -> None:
    """The drop cannot be its own state folder."""
    with pytest.raises(Misconfigured) as raised:
        Ordner(OrdnerSettings(target.drop, target.drop)).probe()

    assert "state: is the drop itself" == raised.value.where


@pytest.mark.parametrize("what", ["device", "mount"])
def test_probe_finds_folders_a_rename_cannot_join(
    target: OrdnerTarget, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Another device, or the same one mounted twice, is found before the first delivery."""
    if what == "mount":
        mounts = iter(("1", "2"))
        monkeypatch.setattr("connectors.ordner.probe._mount_of", lambda folder: next(mounts))
    else:
        real = os.fstat
        inode = target.drop.stat().st_ino
        monkeypatch.setattr(
            "connectors.ordner.probe.os.fstat",
            lambda fd: _elsewhere(real(fd)) if real(fd).st_ino == inode else real(fd),
        )
    with pytest.raises(Misconfigured) as raised:
        target.connect().probe()

    assert "state: not on the same file system and mount as drop" == raised.value.where


def _handed_over(target: OrdnerTarget) -> tuple[Zustellauftrag, dict[str, str]]:
    auftrag = make_auftrag()
    verdict = target.connect().deliver(auftrag, Checkpoints(), NOW)
    assert isinstance(verdict, Awaiting)
    target.consume()
    return auftrag, dict(verdict.correlation)


def _answer(target: OrdnerTarget, auftrag: Zustellauftrag, suffix: str, note: bytes) -> Path:
    path = target.answers / f"{auftrag.package.file_name}{suffix}"
    path.write_bytes(note)
    return path


def _elsewhere(facts: os.stat_result) -> os.stat_result:
    fields = list(facts)
    fields[2] += 1
    return os.stat_result(fields)


def _raising(number: int) -> Callable[..., Any]:
    def fail(*arguments: Any, **named: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail
