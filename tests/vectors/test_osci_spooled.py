"""The OSCI vectors once more, through spool files: nothing about a message depends on where its parts are held."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intermediary.core.values import Opened, Part
from intermediary.keys.spool import Spool
from intermediary.unseal import NotOpened
from tests.vectors import cases as c

FOLDER = Path(__file__).parent / "osci"
KINDS = ("positive", "variants", "negative")
COMMITTED = [case for kind in KINDS for case in c.cases(FOLDER, kind)]
TINY = 64
"""Every part, and every Base64 text of more than 16 bytes."""


def outcome(case: c.Case, spool: Spool | None) -> tuple[Any, ...]:
    """Everything that can be said about the opened message, or about its refusal."""
    try:
        opened = c.open_case(case, spool=spool)
    except NotOpened as fault:
        known = None if fault.known is None else told(fault.known)
        return fault.code, fault.where, fault.osci_code, fault.findings, known
    return told(opened)


def told(opened: Opened) -> tuple[Any, ...]:
    """The facts, and every part with its bytes."""
    parts = [*opened.contents, *opened.attachments]
    return (replace(opened, contents=(), attachments=()), [_told_of(part) for part in parts])


def _told_of(part: Part) -> tuple[Any, ...]:
    data = part.content.read()
    with part.content.open() as stream:
        assert stream.read() == data
    assert part.content.length == len(data)
    return replace(part, content=None), data, part.content.sha256  # type: ignore[arg-type]


@pytest.mark.parametrize("case", COMMITTED, ids=lambda case: f"{case.kind}-{case.name}")
def test_committed(case: c.Case, tmp_path: Path) -> None:
    """Opened or refused with the same words, facts and bytes as in memory; no file is left."""
    assert outcome(case, None) == outcome(case, Spool(tmp_path, memory_bytes=TINY))
    assert not list(tmp_path.iterdir())


def test_shared(shared: Path, tmp_path: Path) -> None:
    """The same for all vectors."""
    folder = shared / "vectors" / "osci"
    every = [case for kind in KINDS for case in c.cases(folder, kind)]
    different = [
        case.name for case in every if outcome(case, None) != outcome(case, Spool(tmp_path, memory_bytes=TINY))
    ]

    assert len(every) >= 210
    assert different == []
