"""The wheel: what is in it, and that it runs in an empty environment far from the source."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.packaging.installing import Environment, run

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


def test_the_wheel_runs_from_an_empty_environment(environment: Environment, tmp_path: Path) -> None:
    """The console script works where there is no source around it."""
    version = run(environment.program, "--version", folder=tmp_path)
    place = run(environment.python, "-c", "import intermediary; print(intermediary.__file__)", folder=tmp_path)

    assert version.startswith("intermediary, version ")
    assert Path(place.strip()).is_relative_to(environment.place)


def test_the_packaged_example_is_linted_by_the_packaged_program(environment: Environment, tmp_path: Path) -> None:
    """Data files reach the installation: the example can be read from the wheel."""
    script = (
        "import config, pathlib; from intermediary.settings import load;"
        "print(load(pathlib.Path(config.__file__).parent / 'example/intermediary.toml').installation.name)"
    )

    assert "rechenzentrum-musterland\n" == run(environment.python, "-c", script, folder=tmp_path)


def test_a_plugin_of_a_third_party_is_found(environment: Environment, tmp_path: Path) -> None:
    """A mapping of another vendor's package is found and loaded beside ours, through the same entry points."""
    (packages,) = environment.place.glob("lib/python3*/site-packages")
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

    told = run(environment.python, "-c", script, folder=tmp_path)

    names = told.split()
    assert ["x-test", "1.0"] == names[-2:]
    assert {"bewohnerparken@1", "hundesteuer@1"} <= set(names)
