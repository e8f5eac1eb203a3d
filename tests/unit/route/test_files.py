"""What `[route.files]` names reaches the mapping as bytes, and a file that cannot be read is said with its place."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.route import files
from intermediary.route.table import RoutingTable, parse_routes

ROUTE = """
[[route]]
name = "hund"
mandant = "musterstadt"
mapping = "fim_eakte@1"
[route.files]
formular = "hund.xml"
codelisten = "listen"
[[route.target]]
name = "eakte"
connector = "ordner"
"""


@pytest.fixture
def table() -> RoutingTable:
    """A table of one route that names a file and a folder."""
    return parse_routes(ROUTE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the routes file, with everything that the route names."""
    (tmp_path / "listen/darunter").mkdir(parents=True)
    (tmp_path / "hund.xml").write_bytes(b"<S/>")
    for name in ("b.xml", "a.xml", ".versteckt", "darunter/c.xml"):
        (tmp_path / "listen" / name).write_bytes(name.encode())
    return tmp_path


def test_files_and_folders_are_read_by_name(table: RoutingTable, folder: Path) -> None:
    """A file under its name, a folder's files under name and file name, in order; hidden and deeper ones are not."""
    route = table.routes[0]
    read = files.read_all(table, folder)

    assert ["formular", "codelisten/a.xml", "codelisten/b.xml"] == list(read.of(route))
    assert b"<S/>" == read.of(route)["formular"]
    assert b"a.xml" == read.of(route)["codelisten/a.xml"]
    assert hashlib.sha256(b"<S/>").hexdigest() == read.pins(route)["file formular"]


def test_a_missing_file_is_named_with_its_place(table: RoutingTable, folder: Path) -> None:
    """The finding leads to the line of the routes file."""
    (folder / "hund.xml").unlink()

    with pytest.raises(Misconfigured) as caught:
        files.read_all(table, folder)

    assert "route.file.unreadable" == caught.value.code
    assert ["route[hund].files.formular"] == [one.path for one in caught.value.findings]


def test_too_much_is_refused_before_it_is_read(
    table: RoutingTable, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with too many or too large files is refused, not swallowed."""
    monkeypatch.setattr(files, "MOST_BYTES", 8)
    with pytest.raises(Misconfigured):
        files.read_all(table, folder)
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    monkeypatch.setattr(files, "MOST_FILES", 2)

    with pytest.raises(Misconfigured, match=r"files.codelisten"):
        files.read_all(table, folder)


def test_everything_named_is_watched(table: RoutingTable, folder: Path) -> None:
    """A changed file, a new one in a folder, and one that is not there yet make another configuration."""
    (folder / "hund.xml").unlink()
    names = [path.relative_to(folder).as_posix() for path in files.watched(table, folder)]

    assert ["hund.xml", "listen", "listen/a.xml", "listen/b.xml"] == names
