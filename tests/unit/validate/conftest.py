"""Synthetic schema packages, and an installation with every official one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.validate.lock import product_pins
from tests.unit.validate.samples import ANTRAG, MANIFEST, TYPEN, PackageMaker, shared_folder


@pytest.fixture
def make_package(tmp_path: Path) -> PackageMaker:
    """Writes a package folder: schema files by path and a package.toml."""

    def make(name: str = "paket", files: Mapping[str, str] | None = None, manifest: str = MANIFEST) -> Path:
        folder = tmp_path / name
        for path, text in (files or {"antrag.xsd": ANTRAG, "typen.xsd": TYPEN}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        if manifest:
            (folder / "package.toml").write_text(manifest, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def official_or_none(shared_or_none: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A schemas folder with every pinned package; None without the shared material."""
    if shared_or_none is None:
        return None
    folder = tmp_path_factory.mktemp("schemas")
    pins = product_pins()
    waiting = list(pins)
    while waiting:
        ready = next(one for one in waiting if not set(pins[one].manifest.requires) & set(waiting))
        install(shared_folder(shared_or_none, ready), folder, pins)
        waiting.remove(ready)
    return folder


@pytest.fixture
def official(shared: Path, official_or_none: Path | None) -> Path:
    """As `official_or_none`; without the shared material the test is skipped or fails, as `shared` decides."""
    assert official_or_none is not None, shared
    return official_or_none


@pytest.fixture
def official_catalogue(official: Path) -> Catalogue:
    """The catalogue over every official package."""
    return Catalogue.open(official)
