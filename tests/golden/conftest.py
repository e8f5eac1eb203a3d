"""Schemas for the golden tests: the mappings' own, and the official ones installed from the shared material."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.validate.lock import product_pins

PROJECT = Path(__file__).resolve().parents[2]
# Official packages that the mappings write, each after those it requires.
OFFICIAL = (
    "xdomea/3.1.0",
    "xdomea/3.0.0",
    "common/xoev.de",
    "common/www.w3.org",
    "common/www.osci.de/xinneres",
    "xplanung/5.1",
    "xbau/2.1",
    "xmeld/25.11a",
)
MAPPINGS = sorted(path.parent for path in (PROJECT / "mappings").glob("*/golden"))
OWN = [folder / "schema" for folder in MAPPINGS if (folder / "schema").is_dir()]


def mapping_of(folder: Path) -> Any:
    """The MAPPING of a folder under mappings/."""
    return import_module(f"mappings.{folder.name}.mapping").MAPPING


@pytest.fixture(scope="session")
def inputs() -> Catalogue:
    """The mappings' own schemas."""
    return Catalogue.open(None, own=OWN)


@pytest.fixture(scope="session")
def schemas_folder(shared_or_none: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A schemas folder with the official packages the mappings write; empty without the shared material."""
    folder = tmp_path_factory.mktemp("schemas")
    if shared_or_none is not None:
        for package in OFFICIAL:
            install(shared_or_none / "schemas" / package, folder, product_pins())
    return folder


@pytest.fixture(scope="session")
def official(schemas_folder: Path) -> Catalogue:
    """The official schemas and the mappings' own; a test that asks for it also asks for `shared`."""
    return Catalogue.open(schemas_folder, own=OWN)
