"""The search for canaries finds what it is there to find: a search that finds nothing proves something only then."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import random
import sqlite3
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.canaries import forms, search, search_pages, search_tree, search_values, word

CANARY = {"probe": word("probe")}
NOISE = random.Random(7).randbytes(5000)


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _zip(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("name.txt", data)
    return out.getvalue()


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": bytes,
    "JSON": lambda data: json.dumps({"a": data.decode("utf-16-le", "replace"), "b": data.hex()}).encode(),
    "URL": lambda data: urllib.parse.quote_from_bytes(data).encode(),
    "base64": base64.b64encode,
    "base64url": base64.urlsafe_b64encode,
    "MIME base64": lambda data: base64.encodebytes(data).replace(b"\n", b"\r\n"),
    "indented base64": lambda data: base64.encodebytes(data).replace(b"\n", b"\n    "),
    "base64 in JSON": lambda data: json.dumps(base64.encodebytes(data).decode()).encode(),
    "base64 twice": lambda data: base64.b64encode(base64.b64encode(data)),
    "hex": lambda data: data.hex(" ").encode(),
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "deflate": _deflate,
    "zip": _zip,
    "base64 of zlib": lambda data: base64.b64encode(zlib.compress(data)),
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("offset", range(3))
def test_a_canary_is_found_in_every_packing(packing, offset):
    """Wherever it stands in what was packed, and whatever stands around it."""
    packed = PACKINGS[packing](b"x" * offset + b"vorher " + CANARY["probe"].encode() + b" nachher")
    data = packed if packing == "deflate" else NOISE + b" " + packed + b" " + NOISE

    assert "probe" in {hit.canary for hit in search(data, CANARY, "hier")}


@pytest.mark.parametrize("form", forms(word("probe")))
def test_a_canary_is_found_in_every_form(form):
    """Each form that is looked for is found by its own name, in the middle of noise and in UTF-16."""
    hits = {hit.form for hit in search(NOISE + forms(word("probe"))[form] + NOISE, CANARY, "hier")}

    assert form in hits


@pytest.mark.parametrize("offset", range(3))
def test_the_base64_forms_are_those_of_the_standard_library(offset):
    """At each of the three alignments the common part is what base64 writes."""
    written = base64.b64encode(b"abc"[:offset] + word("probe").encode() + b"def")

    assert forms(word("probe"))[f"base64 at {offset}"] in written
    assert len(forms(word("probe"))[f"base64 at {offset}"]) >= 20


def test_a_broken_stream_betrays_its_beginning():
    """What was compressed is found even if the rest of the stream is missing or damaged."""
    packed = zlib.compress(word("probe").encode() + random.Random(1).randbytes(4000))

    assert list(search(NOISE + packed[:2000], CANARY, "hier"))


def test_noise_and_foreign_packings_are_clean():
    """Nothing is found where nothing is: encrypted bytes, other words, a packing that is not looked into."""
    others = b"".join(packing(word("andere")[:9].encode() + NOISE) for packing in PACKINGS.values())

    assert [] == list(search(NOISE + others + bz2.compress(word("probe").encode()), CANARY, "hier"))


def test_words_differ_and_stay_the_same():
    """A canary is known by its name and is no part of another."""
    words = {word(f"wort {number}") for number in range(200)}

    assert 200 == len(words)
    assert word("wort 3") == word("wort 3")


def _database(path: Path, *, page_size: int = 512, wal: bool = False) -> sqlite3.Connection:
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA page_size = {page_size}")
    if wal:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
    database.execute("PRAGMA secure_delete = OFF")
    database.execute("CREATE TABLE briefe (id INTEGER PRIMARY KEY, inhalt BLOB)")
    return database


def _insert(database: sqlite3.Connection, text: str, *, position: int) -> None:
    value = b"." * position + text.encode() + b"." * (3000 - position)
    database.execute("INSERT INTO briefe (inhalt) VALUES (?)", (value,))


def test_a_canary_cut_by_a_page_is_found_at_every_cut(tmp_path):
    """A long value is spread over pages; wherever the cut falls, in the file or in its WAL, the canary is found."""
    was_cut = 0
    for shift in range(0, 508, 4):
        for wal in (False, True):
            path = tmp_path / f"{shift}-{wal}.db"
            database = _database(path, wal=wal)
            _insert(database, word("probe"), position=900 + shift)
            database.commit()
            data = path.with_name(path.name + "-wal").read_bytes() if wal else path.read_bytes()
            plainly = list(search(data, CANARY, "hier", depth=0))
            was_cut += not plainly

            assert plainly or list(search_pages(data, CANARY, "hier")), (shift, wal)
            database.close()
    assert was_cut >= 6


def test_a_deleted_value_is_found_in_free_pages(tmp_path):
    """What was deleted rests until its page is overwritten, cut or not."""
    path = tmp_path / "store.db"
    database = _database(path)
    for shift in range(40):
        _insert(database, word(f"k{shift}"), position=1000 + 13 * shift)
    database.commit()
    database.execute("DELETE FROM briefe")
    database.commit()
    planted = {f"k{shift}": word(f"k{shift}") for shift in range(40)}

    found = {hit.canary for hit in search_tree([tmp_path], planted)}

    assert planted.keys() == found
    assert [] == list(search_values(path, planted, "store.db"))
    database.close()


def test_a_value_is_found_as_sqlite_reads_it(tmp_path):
    """Also UTF-16 databases and values compressed before they were stored are looked into."""
    database = sqlite3.connect(tmp_path / "store.db")
    database.execute("PRAGMA encoding = 'UTF-16le'")
    database.execute("CREATE TABLE t (a, b)")
    database.execute("INSERT INTO t VALUES (?, ?)", (word("text"), zlib.compress(word("packed").encode() * 3)))
    database.commit()
    planted = {"text": word("text"), "packed": word("packed")}

    assert planted.keys() == {hit.canary for hit in search_values(tmp_path / "store.db", planted, "store.db")}
    database.close()


def test_names_count_and_exceptions_hold(tmp_path):
    """A file's name betrays as much as its content; what is left out is left out with everything below it."""
    (tmp_path / "ziel").mkdir()
    (tmp_path / "ziel" / "paket").write_text(word("probe"))
    (tmp_path / f"{word('probe')}.osci").write_bytes(NOISE)
    (tmp_path / base64.urlsafe_b64encode(word("probe").encode()).decode()).write_bytes(NOISE)

    hits = search_tree([tmp_path], CANARY, leave_out=[tmp_path / "ziel"])

    assert 2 <= len(hits)
    assert all(hit.place.startswith("name of ") for hit in hits)
