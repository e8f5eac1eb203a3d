"""The second place of the heads: never made by us, and complete again as soon as it is back (T26)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intermediary.audit.chain import START
from intermediary.audit.sealer import Head
from intermediary.audit.second_place import HEADS_FILE, copy_missing, read_heads, write_head
from intermediary.core.faults import Transient

AT = datetime(2026, 11, 21, tzinfo=UTC)


def _heads(count: int, *, root: str = "ab") -> list[Head]:
    made: list[Head] = []
    for place in range(1, count + 1):
        previous = made[-1].digest() if made else START
        at = AT + timedelta(seconds=place)
        made.append(Head("i", place * 10, root * 32, at, previous, b"signature"))
    return made


class Kept:
    """The heads of a store, and from which sizes on they were asked for."""

    def __init__(self, heads: list[Head]) -> None:
        self.heads = heads
        self.asked: list[int] = []

    def __call__(self, size: int) -> list[Head]:
        self.asked.append(size)
        return [head for head in self.heads if head.size >= size]


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    """Where a share is not mounted, nothing may be written to the disk below it."""
    folder = tmp_path / "share" / "heads"

    for write in (lambda: write_head(folder, _heads(1)[0]), lambda: copy_missing(folder, Kept(_heads(1)))):
        with pytest.raises(Transient) as fault:
            write()
        assert ("audit.second-place", str(folder)) == (fault.value.code, fault.value.where.split(": ")[-1])
    assert not (tmp_path / "share").exists()


def test_a_missing_folder_is_told_even_with_nothing_to_copy(tmp_path: Path) -> None:
    """An idle installation notices that its second place has gone, too."""
    with pytest.raises(Transient):
        copy_missing(tmp_path / "heads", Kept([]))


def test_what_was_missed_is_appended_in_order(tmp_path: Path) -> None:
    """Heads sealed while the place was away follow when it is back, once each, and only the tail is asked for."""
    heads = _heads(5)
    write_head(tmp_path, heads[0])
    kept = Kept(heads)

    assert [4, 0] == [copy_missing(tmp_path, kept), copy_missing(tmp_path, kept)]
    assert tuple(heads) == read_heads(tmp_path)
    assert [10, 50] == kept.asked


def test_a_torn_line_is_written_again(tmp_path: Path) -> None:
    """A head whose line a crash cut short counts as missed."""
    heads = _heads(3)
    copy_missing(tmp_path, Kept(heads[:2]))
    file = tmp_path / HEADS_FILE
    file.write_bytes(file.read_bytes()[:-20])

    copy_missing(tmp_path, Kept(heads))

    assert tuple(heads) == read_heads(tmp_path)


def test_another_history_is_kept_beside_the_old_one(tmp_path: Path) -> None:
    """After a rollback of the store nothing is taken away: the old heads stay and testify, the new ones follow."""
    old, new = _heads(4), [*_heads(1), *_heads(3, root="cd")[1:]]
    copy_missing(tmp_path, Kept(old))

    assert [2, 0] == [copy_missing(tmp_path, Kept(new)), copy_missing(tmp_path, Kept(new))]
    assert (*old, *new[1:]) == read_heads(tmp_path)
