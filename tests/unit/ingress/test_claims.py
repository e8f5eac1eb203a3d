"""The claim check: only a plain name in a listed store, only a regular file, only the bytes that were stated."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from intermediary.core.faults import Rejected, Transient
from intermediary.ingress.claims import Claim, ClaimMissing, Claims, VanishedContent
from intermediary.keys.spool import Spool

BODY = b"synthetischer Inhalt " * 100
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.fixture
def claims(tmp_path: Path, store: Path) -> Claims:
    return Claims({"ablage": store}, spool=Spool(tmp_path / "spool", memory_bytes=100), max_bytes=10_000)


def header(**change: object) -> dict[str, object]:
    return {"store": "ablage", "key": "k1", "size": len(BODY), "sha256": SHA256} | change


def test_a_claimed_file_is_copied_and_stays(claims: Claims, store: Path) -> None:
    """The content is the file's; the file is its owner's and is left alone."""
    (store / "k1").write_bytes(BODY)

    content = claims.fetch(claims.read(header()))

    assert (BODY, SHA256) == (content.read(), content.sha256)
    assert (store / "k1").exists()


@pytest.mark.parametrize(
    "stated",
    [
        None,
        "ablage/k1",
        {},
        {"store": "ablage", "key": "k1", "size": 1},
        header(extra="x"),
        header(store="andere"),
        header(store=["ablage"]),
        header(key="../k1"),
        header(key="a/b"),
        header(key="a\\b"),
        header(key=".."),
        header(key=".k1"),
        header(key=""),
        header(key="a\x00b"),
        header(key="x" * 256),
        header(key="ä" * 128),
        header(key=b"k1"),
        header(size="2100"),
        header(size=True),
        header(size=-1),
        header(sha256=SHA256[:-1]),
        header(sha256=SHA256.upper()),
        header(sha256=SHA256 + "\n"),
    ],
)
def test_a_claim_that_is_not_one_is_refused(claims: Claims, stated: object) -> None:
    """The four fields, of the right types, and a key that cannot leave the store."""
    with pytest.raises(Rejected) as refused:
        claims.read(stated)

    assert "intake.claim.invalid" == refused.value.code


def test_the_limit_applies_before_anything_is_read(claims: Claims) -> None:
    """A claim over the limit is refused by what it states."""
    with pytest.raises(Rejected) as refused:
        claims.read(header(size=10_001))

    assert "intake.size.exceeded" == refused.value.code


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b"x", b"X" + BODY[1:]], ids=["shorter", "longer", "other"])
def test_other_bytes_than_stated_are_refused(claims: Claims, store: Path, body: bytes) -> None:
    """Size and hash are verified on the copy."""
    (store / "k1").write_bytes(body)

    with pytest.raises(Rejected) as refused:
        claims.fetch(claims.read(header()))

    assert "intake.claim.invalid" == refused.value.code


def _link(path: Path) -> None:
    target = path.parent / "target"
    target.write_bytes(BODY)
    path.symlink_to(target)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize("make", [_link, os.mkfifo, Path.mkdir, _socket], ids=["link", "fifo", "folder", "socket"])
def test_only_regular_files_are_opened(claims: Claims, store: Path, make: Callable[[Path], None]) -> None:
    """A link is not followed, a pipe does not block the door, a folder is no file."""
    make(store / "k1")

    with pytest.raises(Rejected) as refused:
        claims.fetch(claims.read(header()))

    assert "intake.claim.invalid" == refused.value.code


def test_a_store_that_is_away_is_no_fault_of_the_sender(claims: Claims, store: Path) -> None:
    """The store's folder missing heals by time; the file missing in it does not."""
    with pytest.raises(ClaimMissing):
        claims.fetch(claims.read(header()))
    store.rmdir()
    with pytest.raises(Transient) as waits:
        claims.fetch(claims.read(header()))

    assert "intake.claim.unreachable" == waits.value.code


def test_a_vanished_file_has_an_identity_and_no_bytes() -> None:
    """For the repetition of a message: length and hash as stated, and a refusal once the bytes are asked for."""
    vanished = VanishedContent(Claim("ablage", "k1", 7, SHA256))

    assert (7, SHA256) == (vanished.length, vanished.sha256)
    for ask in (vanished.open, vanished.read):
        with pytest.raises(Rejected):
            ask()


def test_neither_name_nor_bytes_show(claims: Claims) -> None:
    """The sender's file name does not get into a log by way of a repr."""
    assert "k1" not in repr(claims.read(header()))
