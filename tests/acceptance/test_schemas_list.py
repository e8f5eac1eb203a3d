"""What `schemas list` and `doctor` say of packages: which routes use them, and when they end."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner

from intermediary.cli.schemas import command
from intermediary.operations.check import doctor, lint
from intermediary.operations.standards import routes_of_packages
from intermediary.testing.pki import Pki
from intermediary.validate.install import Notes, install
from tests.acceptance.rig import Rig
from tests.unit.validate import code_samples as samples

ROUTE = """
[[route]]
name = "bestellungen"
mandant = "musterstadt"
mapping = "bewohnerparken@1"
[route.when]
root = "{urn:beispiel:codes}bestellung"
[[route.target]]
name = "fachverfahren"
connector = "ordner"
"""
PACKAGE = {
    "package.toml": 'name = "codes"\nversion = "1"\nentries = ["codes.xsd"]\n',
    "codes.xsd": samples.SCHEMA,
}


def test_a_package_is_used_by_the_routes_for_its_roots_and_its_lists_by_them(tmp_path: Path, pki: Pki) -> None:
    """The schema by the root that the route asks for, the list because the schema names it, the other list by nobody."""
    rig = Rig(tmp_path / "site", pki)
    settings = rig.installation.settings
    rig.close()
    ends = rig.clock().date() + timedelta(days=30)
    folder = settings.schemas.folder
    install(
        samples.write_package(tmp_path / "codes", PACKAGE), folder, {}, accept_new=True, notes=Notes(valid_until=ends)
    )
    for name, text in {"land": samples.LAND, "frei": samples.FREI}.items():
        source = samples.write_package(tmp_path / name, {f"{name}.xml": text}) / f"{name}.xml"
        install(source, folder, {}, accept_new=True, as_id=f"{name}@1")
    with settings.installation.routes.open("a") as stream:
        stream.write(ROUTE)
    used = routes_of_packages(settings)
    shown = CliRunner().invoke(command, ["list", "-c", str(rig.site.config)])
    listed = CliRunner().invoke(command, ["list", "-c", str(rig.site.config), "--json"])
    lines = {one.subject: one for one in doctor(rig.site.config, rig.clock())}

    assert (("bestellungen",), ("bestellungen",), None) == (used["codes@1"], used["land@1"], used.get("frei@1"))
    assert all(len(line) <= 100 for line in shown.output.splitlines())
    assert f"bis {ends:%d.%m.%Y} (" in shown.output
    assert {"codes@1": ["bestellungen"], "land@1": ["bestellungen"], "frei@1": []} == {
        one["id"]: one["routes"] for one in map(json.loads, listed.output.splitlines())
    }
    assert ("warning", True) == (lines["schemas codes@1"].verdict, "bestellungen" in lines["schemas codes@1"].hint)
    assert "ok" == lines["schemas land@1"].verdict


def test_a_demanded_list_that_is_not_installed_is_found_by_lint(tmp_path: Path, pki: Pki) -> None:
    """A misspelt URI would make every message wait that uses the right one; it is told with the nearest."""
    rig = Rig(tmp_path / "site", pki)
    folder = rig.installation.settings.schemas.folder
    rig.close()
    source = samples.write_package(tmp_path / "land", {"land.xml": samples.LAND}) / "land.xml"
    install(source, folder, {}, accept_new=True, as_id="land@1")
    text = rig.site.config.read_text()
    demand = 'demanded_lists = ["*", "urn:beispiel:land", "urn:beispiel:lamd"]'
    rig.site.config.write_text(text.replace("[schemas]", f"[schemas]\n{demand}"))
    found = [one for one in lint(rig.site.config) if one.path == "schemas.demanded_lists"]

    assert 1 == len(found)
    assert "urn:beispiel:lamd" in found[0].what
    assert "urn:beispiel:land" in found[0].hint
    assert not found[0].is_blocking
