"""What the settings of a target name: secrets that everybody reads, folders with files of the installation in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from intermediary.connect.lane.grounds import ground_of
from intermediary.connect.settings import Isolated
from intermediary.core.ports import Idempotency, Manifest
from intermediary.operations.target_files import lint_target_files

MANIFEST = Manifest("m", Idempotency.NONE, "x")


@dataclass(frozen=True, slots=True)
class Settings:
    folder: Path = field(metadata={"help": "h"})
    password_file: Path = field(metadata={"help": "h", "secret": True})


class Ours:
    manifest, settings_type = MANIFEST, Settings


class Vendors(Isolated):
    manifest = MANIFEST

    def paths(self, table: Mapping[str, object], *, base: Path, where: str) -> list[tuple[Path, bool]]:
        return [(base / str(table["folder"]), False), (base / str(table["password_file"]), True)]

    def open(self, table: Mapping[str, object], *, base: Path, where: str) -> Any:
        return SimpleNamespace()


def found(folder: Path, factory: object, target: str) -> list[tuple[str, str]]:
    """The findings of a target that names this folder, as place and text."""
    settings: Any = SimpleNamespace(
        file=folder / "conf" / "intermediary.toml",
        installation=SimpleNamespace(routes=folder / "routes.toml", data=folder / "data"),
        mandant=[
            SimpleNamespace(keyring=folder / "keys/ring.toml", kek_file=folder / "keys/kek", previous_kek_files=())
        ],
    )
    named = SimpleNamespace(name="t", connector="m", settings={"folder": target, "password_file": "password"})
    table: Any = SimpleNamespace(routes=[SimpleNamespace(name="r", targets=[named])])
    shelf: Any = SimpleNamespace(get=lambda _name: factory)
    return [(one.path, one.what) for one in lint_target_files(settings, table, shelf)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("conf", "data", "keys", "out"):
        (tmp_path / name).mkdir()
    (tmp_path / "password").write_text("x")
    (tmp_path / "password").chmod(0o600)
    return tmp_path


@pytest.mark.parametrize("factory", [Ours(), Vendors()], ids=["ours", "vendors"])
def test_a_secret_that_everybody_reads_is_found(folder: Path, factory: object) -> None:
    """Wherever the connector's code runs; and one that is missing."""
    assert [] == found(folder, factory, "out")
    (folder / "password").chmod(0o644)
    [(place, what)] = found(folder, factory, "out")
    (folder / "password").unlink()
    [(_, missing)] = found(folder, factory, "out")

    assert "route[r].target[t].settings" == place
    assert "password" in what
    assert "there is no file" in missing


@pytest.mark.parametrize("target", ["keys", ".", "data", "conf", "keys/new.csv"])
def test_a_folder_with_our_files_is_not_for_vendors(folder: Path, target: str) -> None:
    """Whatever lies in it, the vendor's code reads and changes; ours may share a folder."""
    [(place, what)] = found(folder, Vendors(), target)

    assert "route[r].target[t].settings" == place
    assert "enthält Dateien der Installation" in what
    assert [] == found(folder, Ours(), target)


def test_the_ground_of_a_path(folder: Path) -> None:
    """A folder with everything; a file alone; a secret to read; what is not there yet: the folder it would be made in."""
    file = folder / "out" / "journal"
    file.touch()
    named = [(folder / "out", False), (file, False), (folder / "password", True), (folder / "keys" / "new", False)]
    ground = ground_of(named)

    assert (str(folder / "out"), str(file), str(folder / "keys")) == ground.write
    assert (str(folder / "out"),) == ground.listed
    assert str(folder / "password") in ground.read
