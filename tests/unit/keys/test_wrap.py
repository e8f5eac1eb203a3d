"""Data keys, sealed streams and KEK files: what was sealed opens exactly, and nothing else does."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.faults import Misconfigured
from intermediary.keys.stream import CHUNK_BYTES, MAGIC, SealBroken
from intermediary.keys.wrap import DataKey, KekFiles, MandantKeys, create_kek

HEADER = len(MAGIC) + 16
SEALED_CHUNK = CHUNK_BYTES + 16
KEY = DataKey(bytes(range(32)))


def _sealed(data: bytes, purpose: str = "body") -> bytes:
    return b"".join(KEY.seal_stream(io.BytesIO(data), purpose))


def _opened(sealed: bytes, purpose: str = "body", key: DataKey = KEY) -> bytes:
    return key.open_stream(io.BytesIO(sealed), purpose).readall()


@pytest.mark.parametrize("length", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_a_stream_comes_back(length: int) -> None:
    """Of any length, also exactly at the border of a chunk."""
    data = os.urandom(length)

    assert data == _opened(_sealed(data))


def test_a_source_may_give_little_at_a_time() -> None:
    """A pipe that gives 1000 bytes per read makes the same chunks."""
    data = os.urandom(2 * CHUNK_BYTES + 5)

    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(1000 if size is None or size < 0 else min(size, 1000))

    sealed = b"".join(KEY.seal_stream(Trickle(data), "body"))

    assert (len(_sealed(data)), data) == (len(sealed), _opened(sealed))


TAMPERED: dict[str, Callable[[bytes], bytes]] = {
    "cut at a chunk": lambda s: s[: HEADER + 2 * SEALED_CHUNK],
    "cut inside a chunk": lambda s: s[:-1],
    "cut to the header": lambda s: s[:HEADER],
    "cut inside the header": lambda s: s[:5],
    "empty": lambda _s: b"",
    "other magic": lambda s: b"X" + s[1:],
    "other salt": lambda s: s[:4] + bytes([s[4] ^ 1]) + s[5:],
    "flipped": lambda s: s[: HEADER + 9] + bytes([s[HEADER + 9] ^ 1]) + s[HEADER + 10 :],
    "chunks exchanged": lambda s: (
        s[:HEADER]
        + s[HEADER + SEALED_CHUNK : HEADER + 2 * SEALED_CHUNK]
        + s[HEADER : HEADER + SEALED_CHUNK]
        + s[HEADER + 2 * SEALED_CHUNK :]
    ),
    "chunk repeated": lambda s: s[: HEADER + SEALED_CHUNK] + s[HEADER:],
    "first chunk missing": lambda s: s[:HEADER] + s[HEADER + SEALED_CHUNK :],
    "something behind": lambda s: s + b"x",
    "last chunk twice": lambda s: s + s[HEADER + 2 * SEALED_CHUNK :],
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
def test_a_changed_stream_does_not_open(tamper: Callable[[bytes], bytes]) -> None:
    """Flips, cuts, exchanges and repetitions are all noticed before the end is reached."""
    sealed = _sealed(os.urandom(2 * CHUNK_BYTES + 100))

    with pytest.raises(SealBroken):
        _opened(tamper(sealed))


def test_an_empty_chunk_is_no_second_end() -> None:
    """A full last chunk and an added empty one would be two forms of the same content; only one opens."""
    data = os.urandom(CHUNK_BYTES)

    assert HEADER + SEALED_CHUNK == len(_sealed(data))


def test_purposes_and_keys_are_apart() -> None:
    """What was sealed for one purpose or key opens for no other."""
    sealed, small = _sealed(b"x"), KEY.seal(b"x", "headers")

    with pytest.raises(SealBroken):
        _opened(sealed, "headers")
    with pytest.raises(SealBroken):
        _opened(sealed, key=DataKey(bytes(32)))
    with pytest.raises(SealBroken):
        KEY.open(small, "body")


@given(st.binary(max_size=200), st.integers(min_value=0), st.integers(1, 255))
def test_a_changed_small_value_does_not_open(data: bytes, place: int, flip: int) -> None:
    """Every bit of a sealed value counts, and so does its length."""
    sealed = KEY.seal(data, "headers")
    place %= len(sealed)
    changed = sealed[:place] + bytes([sealed[place] ^ flip]) + sealed[place + 1 :]

    assert data == KEY.open(sealed, "headers")
    for bad in (changed, sealed[:place], b""):
        with pytest.raises(SealBroken):
            KEY.open(bad, "headers")


def test_a_long_stream_needs_little_memory() -> None:
    """Sealing reads chunk by chunk: never more than two chunks ahead of what was handed out."""
    source = io.BytesIO(bytes(40 * CHUNK_BYTES))
    given_out = 0
    for piece in KEY.seal_stream(source, "body"):
        given_out += len(piece)

        assert source.tell() - given_out <= 2 * CHUNK_BYTES


@pytest.fixture
def files(tmp_path: Path) -> dict[str, KekFiles]:
    """Two Mandanten with a KEK each."""
    for name in ("a", "b"):
        create_kek(tmp_path / name)
    return {name: KekFiles(tmp_path / name) for name in ("a", "b")}


def test_a_data_key_belongs_to_one_nachricht(files: dict[str, KekFiles]) -> None:
    """Its wrapped form opens for no other Nachricht or Mandant, and not after a change."""
    keys = MandantKeys(files)
    key, wrapped = keys.new_data_key("a", "n-1")
    sealed = key.seal(b"x", "headers")

    assert b"x" == keys.open_data_key("a", "n-1", wrapped).open(sealed, "headers")
    with pytest.raises(SealBroken):
        keys.open_data_key("a", "n-2", wrapped)
    with pytest.raises(SealBroken):
        keys.open_data_key("a", "n-1", wrapped[:-1] + bytes([wrapped[-1] ^ 1]))
    with pytest.raises(Misconfigured, match=r"key\.unavailable"):
        keys.open_data_key("b", "n-1", wrapped)


def test_index_hashes_differ_by_mandant_and_kek(files: dict[str, KekFiles], tmp_path: Path) -> None:
    """Equal texts meet within a Mandant only; after a rotation a look-up asks for both hashes."""
    keys = MandantKeys(files)
    create_kek(tmp_path / "new")
    rotated = MandantKeys({"a": KekFiles(tmp_path / "new", (tmp_path / "a",))})

    assert keys.index_hash("a", "x") == keys.index_hash("a", "x") != keys.index_hash("b", "x")
    assert (rotated.index_hash("a", "x"), keys.index_hash("a", "x")) == rotated.index_hashes("a", "x")


def test_a_kek_file_is_private_and_new(tmp_path: Path) -> None:
    """Created with mode 0600 and 32 random bytes, never over an existing one."""
    create_kek(tmp_path / "a")

    assert (0o600, 32) == (
        (tmp_path / "a").stat().st_mode & 0o777,
        len(base64.b64decode((tmp_path / "a").read_bytes())),
    )
    with pytest.raises(FileExistsError):
        create_kek(tmp_path / "a")


def _write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


GOOD = base64.b64encode(bytes(32))


@pytest.mark.parametrize(
    ("content", "mode"),
    [(GOOD, 0o640), (GOOD, 0o604), (b"", 0o600), (b"***", 0o600), (base64.b64encode(bytes(16)), 0o600)],
    ids=["group", "others", "empty", "not base64", "short"],
)
def test_an_unfit_kek_file_is_refused(tmp_path: Path, content: bytes, mode: int) -> None:
    """With the place and the reason, never with what it contains."""
    path = _write(tmp_path / "a.kek", content, mode)

    with pytest.raises(Misconfigured, match=r"key\.unavailable.*a\.kek"):
        MandantKeys({"a": KekFiles(path)})


def test_a_missing_kek_is_refused(tmp_path: Path) -> None:
    """A missing file, and a Mandant without a KEK."""
    with pytest.raises(Misconfigured, match=r"key\.unavailable"):
        MandantKeys({"a": KekFiles(tmp_path / "none")})
    with pytest.raises(Misconfigured, match=r"key\.unavailable"):
        MandantKeys({}).new_data_key("a", "n")


def test_reprs_tell_nothing(files: dict[str, KekFiles]) -> None:
    """No key material in a repr."""
    assert ("<data key>", "<keys of 2 Mandanten>") == (repr(KEY), repr(MandantKeys(files)))
