"""Bodies on their way: the same bytes come out, nothing readable lies on the disk, nothing remains."""

from __future__ import annotations

import gc
import hashlib
import io
import os
from pathlib import Path

import pytest

from intermediary.core.values import Content, MemoryContent
from intermediary.keys.spool import Spool, SpoolStopped, SpoolTooLarge

MARK = b"SYNTHETISCHER-KLARTEXT-"


def body_of(size: int) -> bytes:
    return (MARK * (size // len(MARK) + 1))[:size]


@pytest.mark.parametrize("size", [0, 1, 1000, 1001, 262143, 262144, 262145, 3 * 262144 + 17])
def test_bytes_come_out_as_they_went_in(tmp_path: Path, size: int) -> None:
    """Length, hash and bytes are those of the body, in memory and in a file, read at once or in pieces, twice."""
    body = body_of(size)

    content = Spool(tmp_path, memory_bytes=1000).keep(body)

    assert isinstance(content, Content)
    assert (size, hashlib.sha256(body).hexdigest(), body) == (content.length, content.sha256, content.read())
    with content.open() as first, content.open() as second:
        assert body == b"".join(iter(lambda: first.read(7919), b""))
        assert body == second.read()


def test_a_stream_can_be_read_from_anywhere(tmp_path: Path) -> None:
    """A stream over a spooled body seeks like a file."""
    body = os.urandom(600_000)
    with Spool(tmp_path, memory_bytes=10).keep(body).open() as stream:
        stream.seek(262_140)
        assert body[262_140:262_150] == stream.read(10)
        stream.seek(-5, io.SEEK_END)
        assert body[-5:] == stream.read()


def test_small_bodies_stay_in_memory(tmp_path: Path) -> None:
    """Up to the threshold no file is made."""
    assert isinstance(Spool(tmp_path, memory_bytes=10).keep(b"0123456789"), MemoryContent)
    assert not isinstance(Spool(tmp_path, memory_bytes=9).keep(b"0123456789"), MemoryContent)


def test_nothing_readable_and_nothing_named_lies_on_the_disk(tmp_path: Path) -> None:
    """The folder is empty while content is held, and what the open file holds is not the plaintext."""
    content = Spool(tmp_path, memory_bytes=10).keep(body_of(500_000))

    ours = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd") if _points_into(fd, tmp_path)]
    assert [] == os.listdir(tmp_path)
    assert 1 == len(ours)
    assert MARK not in Path(ours[0]).read_bytes()
    assert "500000" in repr(content)


def test_the_file_is_closed_with_its_content(tmp_path: Path) -> None:
    """No descriptor outlives the content, and a stream keeps it alive."""
    spool = Spool(tmp_path, memory_bytes=10)
    content: Content | None = spool.keep(body_of(100))
    assert content is not None
    stream = content.open()
    content = None
    gc.collect()
    assert body_of(100) == stream.read()
    stream.close()
    del stream
    gc.collect()

    assert [] == [fd for fd in os.listdir("/proc/self/fd") if _points_into(fd, tmp_path)]


@pytest.mark.parametrize("size", [0, 1, 1000, 1001, 3 * 262144 + 17])
def test_what_arrives_in_pieces_is_whole(tmp_path: Path, size: int) -> None:
    """Pieces of any length make the same content, in memory up to the threshold and in a file above it."""
    body = body_of(size)
    arriving = Spool(tmp_path, memory_bytes=1000).receive()
    for start in range(0, size, 777):
        arriving.write(body[start : start + 777])
    content = arriving.finish()

    assert (size, hashlib.sha256(body).hexdigest(), body) == (content.length, content.sha256, content.read())
    assert isinstance(content, MemoryContent) == (size <= 1000)


def test_what_is_abandoned_leaves_nothing(tmp_path: Path) -> None:
    """A sender that goes away holds no descriptor."""
    arriving = Spool(tmp_path, memory_bytes=10).receive()
    arriving.write(body_of(100_000))
    arriving.abandon()

    assert [] == [fd for fd in os.listdir("/proc/self/fd") if _points_into(fd, tmp_path)]


def test_a_stream_that_is_too_long_is_not_kept(tmp_path: Path) -> None:
    """One byte over the limit ends the copy, in memory and in the file."""
    for memory in (10, 10_000):
        with pytest.raises(SpoolTooLarge):
            Spool(tmp_path, memory_bytes=memory).copy(io.BytesIO(b"x" * 1001), max_bytes=1000)

    assert [] == [fd for fd in os.listdir("/proc/self/fd") if _points_into(fd, tmp_path)]


def test_copying_stops_when_asked(tmp_path: Path) -> None:
    """A large copy does not hold up the end of the process."""
    with pytest.raises(SpoolStopped):
        Spool(tmp_path, memory_bytes=10).copy(io.BytesIO(b"x" * 1000), max_bytes=1000, should_stop=lambda: True)


def test_a_damaged_file_is_noticed(tmp_path: Path) -> None:
    """A flipped bit in the spool is an error, never other bytes."""
    content = Spool(tmp_path, memory_bytes=10).keep(body_of(1000))
    (fd,) = [fd for fd in os.listdir("/proc/self/fd") if _points_into(fd, tmp_path)]
    os.pwrite(int(fd), b"\x00\x00\x00\x00", 100)

    with pytest.raises(OSError, match="damaged"):
        content.read()


def _points_into(fd: str, folder: Path) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{fd}").startswith(str(folder) + "/")
    except OSError:
        return False
