"""Our connectors and a package of any size: passed on in pieces, never held whole."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from intermediary.core.joined import JoinedContent
from intermediary.core.steps import Checkpoints
from intermediary.core.values import Dokument
from intermediary.testing.connectors import NOW, FakeTarget, make_auftrag
from tests.conformance.eakte_target import EakteTarget
from tests.conformance.ordner_target import OrdnerTarget

MOST_BYTES_AT_ONCE = 1 << 20
LENGTH = 5 * MOST_BYTES_AT_ONCE + 17


class _Pieces(io.BytesIO):
    """A stream that gives no more than a mebibyte at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 <= size <= MOST_BYTES_AT_ONCE
        return super().read(size)


class _Unwieldy:
    """Content that cannot be read whole."""

    length = LENGTH
    sha256 = hashlib.sha256(bytes(LENGTH)).hexdigest()

    def open(self) -> BinaryIO:
        return _Pieces(bytes(LENGTH))

    def read(self) -> bytes:
        raise AssertionError("read whole")


@pytest.mark.parametrize("make", [OrdnerTarget, EakteTarget])
def test_a_package_is_never_held_whole(make: Callable[[Path], FakeTarget], tmp_path: Path) -> None:
    """A package that can only be read in pieces, and knows its hash only by being read, arrives unchanged."""
    target, auftrag = make(tmp_path / "target"), make_auftrag()
    package = Dokument(auftrag.package.file_name, "application/zip", JoinedContent([b"head", _Unwieldy(), b"end"]))
    large = replace(auftrag, package=package)
    target.connect().deliver(large, Checkpoints(), NOW)

    assert sorted(target.expects(large)) == sorted(target.arrived())
