"""The wheel: what is in it, and that it runs in an empty environment far from the source."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest


def _run(*command: str | Path, folder: Path, **environment: str) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        command, cwd=folder, env={**inherited, **environment}, check=False, capture_output=True, text=True
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


PLUGIN = """
from intermediary.core.values import Ausgabe


class Hundesteuer:
    name = "hundesteuer"
    version = 1
    input_root = "{urn:x-test}antrag"
    standard = "x-test 1.0"

    def map(self, antrag, kontext) -> Ausgabe:
        raise NotImplementedError


MAPPING = Hundesteuer()
"""


@pytest.fixture(scope="module")
def wheel(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the working tree, built with what set-up has left in the cache: no network."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(project / ".ci/uv", "build", "--offline", "--wheel", "--quiet", "--out-dir", folder, folder=project)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(project: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the locked dependencies and the wheel, and nothing of the source."""
    place = tmp_path_factory.mktemp("installed") / "env"
    _run(
        *(project / ".ci/uv", "sync", "--offline", "--frozen", "--quiet", "--no-dev", "--no-install-project"),
        folder=project,
        UV_PROJECT_ENVIRONMENT=str(place),
    )
    _run(
        *(project / ".ci/uv", "pip", "install", "--offline", "--quiet", "--no-deps", "--python", place / "bin/python"),
        wheel,
        folder=place,
    )
    return place


def test_the_wheel_has_everything_and_no_secret(wheel: Path) -> None:
    """Plug-ins, example configuration and types travel with the wheel; secrets, tests and tools do not."""
    names = set(zipfile.ZipFile(wheel).namelist())

    wanted = {
        "intermediary/py.typed",
        "intermediary/cli/main.py",
        "mappings/__init__.py",
        "connectors/__init__.py",
        "config/example/intermediary.toml",
        "config/example/routes.toml",
    }
    assert set() == wanted - names
    assert [] == [name for name in names if "secrets/" in name or name.startswith(("tests/", "docs/", ".ci/"))]


def test_the_licence_travels_with_the_wheel(wheel: Path) -> None:
    """The text of the EUPL is in the wheel's metadata."""
    archive = zipfile.ZipFile(wheel)
    (licence,) = (name for name in archive.namelist() if name.endswith("licenses/LICENSE"))

    assert b"EUROPEAN UNION PUBLIC LICENCE v. 1.2" in archive.read(licence)


def test_the_wheel_runs_from_an_empty_environment(environment: Path, tmp_path: Path) -> None:
    """The console script works where there is no source around it."""
    version = _run(environment / "bin/intermediary", "--version", folder=tmp_path)
    place = _run(environment / "bin/python", "-c", "import intermediary; print(intermediary.__file__)", folder=tmp_path)

    assert version.startswith("intermediary, version ")
    assert Path(place.strip()).is_relative_to(environment)


def test_the_packaged_example_is_linted_by_the_packaged_program(environment: Path, tmp_path: Path) -> None:
    """Data files reach the installation: the example can be read from the wheel."""
    script = (
        "import config, pathlib; from intermediary.settings import load;"
        "print(load(pathlib.Path(config.__file__).parent / 'example/intermediary.toml').installation.name)"
    )

    assert "rechenzentrum-musterland\n" == _run(environment / "bin/python", "-c", script, folder=tmp_path)


def test_a_plugin_of_a_third_party_is_found(environment: Path, tmp_path: Path) -> None:
    """A mapping of another vendor's package is found and loaded beside ours, through the same entry points."""
    (packages,) = environment.glob("lib/python3*/site-packages")
    (packages / "drittanbieter.py").write_text(PLUGIN, encoding="utf-8")
    about = packages / "drittanbieter-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: drittanbieter\nVersion: 1.0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text(
        "[intermediary.mappings]\nhundesteuer@1 = drittanbieter:MAPPING\n", encoding="utf-8"
    )
    script = (
        "from intermediary.route.plugins import Mappings; found = Mappings();"
        "print(*(one for one in found.names() if found.get(one)), found.get('hundesteuer@1').standard)"
    )

    told = _run(environment / "bin/python", "-c", script, folder=tmp_path)

    names = told.split()
    assert ["x-test", "1.0"] == names[-2:]
    assert {"bewohnerparken@1", "hundesteuer@1"} <= set(names)
