"""Quittungen as files: whole, durable, repeatable, under names of ours."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured, Transient
from intermediary.ingress.folder_answers import FolderAnswers

ID = "0d9f1a52-7c9a-5c56-9a52-6d1a2f7b8c9d"
NAMES = {"message_id": "Mustermann-Antrag", "correlation_id": "Mustermann"}


def test_a_quittung_is_written_once_however_often(tmp_path: Path) -> None:
    """The same Quittung again is the same file; the name is made of our id, not of the sender's."""
    answers = FolderAnswers(tmp_path)
    proofs = [answers.answer(b"{}", quittung_id=ID, reply_to="", **NAMES) for _ in range(2)]

    assert [f"quittung-{ID}.json"] == os.listdir(tmp_path)
    assert b"{}" == (tmp_path / f"quittung-{ID}.json").read_bytes()
    assert proofs[0] == proofs[1]
    assert f"quittung-{ID}.json" == proofs[0]["file"]


def test_a_way_back_is_a_folder_inside(tmp_path: Path) -> None:
    """`reply_to` names a folder that its reader has made."""
    (tmp_path / "portal-a").mkdir()
    FolderAnswers(tmp_path).answer(b"{}", quittung_id=ID, reply_to="portal-a", **NAMES)

    assert [f"quittung-{ID}.json"] == os.listdir(tmp_path / "portal-a")


@pytest.mark.parametrize("reply_to", ["missing", "../outside", "/tmp", ".hidden"])
def test_a_way_back_that_is_not_there_is_the_operators(tmp_path: Path, reply_to: str) -> None:
    """A folder that does not exist, or is not inside, waits for the operator."""
    with pytest.raises(Misconfigured) as waits:
        FolderAnswers(tmp_path).answer(b"{}", quittung_id=ID, reply_to=reply_to, **NAMES)

    assert "receipt.undeliverable" == waits.value.code


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk heals by time, and no half file remains."""

    def full(_: int) -> None:
        raise OSError(28, "no space")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Transient) as waits:
        FolderAnswers(tmp_path).answer(b"{}", quittung_id=ID, reply_to="", **NAMES)

    assert "receipt.unreachable" == waits.value.code
    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize("quittung_id", ["", "../x", ID.upper()])
def test_the_id_is_ours(tmp_path: Path, quittung_id: str) -> None:
    """Anything but a UUID of ours is a defect of the caller."""
    with pytest.raises(ValueError, match="UUID"):
        FolderAnswers(tmp_path).answer(b"{}", quittung_id=quittung_id, reply_to="", **NAMES)
