"""A form with one more field changes the report of its mapping, whichever mapping it is; none is named here."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from lxml import etree

from intermediary.core.ports import ANY_ROOT
from intermediary.mapping.form import Form, FormField, identity_of
from intermediary.mapping.xdatenfelder import read_form
from intermediary.operations.mapping_places import Place, places
from intermediary.testing.forms import xdatenfelder
from intermediary.testing.workbench.bench import bench
from intermediary.testing.workbench.report.facts import Source, facts_of
from intermediary.testing.workbench.report.page import page
from intermediary.validate.catalogue import Catalogue
from intermediary.validate.install import install
from intermediary.validate.lock import product_pins
from intermediary.xml.parser import parse
from tests.golden.conftest import OFFICIAL, PROJECT

XS = "{http://www.w3.org/2001/XMLSchema}"
ADDED = "F99000007777V1.0.0"
INSTALLED = places(())


@pytest.mark.parametrize("place", INSTALLED, ids=lambda place: place.name)
def test_one_more_field_changes_the_report(place: Place, shared: Path, schemas_folder: Path, tmp_path: Path) -> None:
    """The field stands in the report, as one that no case has; everything else is there as before."""
    copied = _copied(place, tmp_path)
    schemas = shutil.copytree(schemas_folder, tmp_path / "schemas") if _reads_a_standard(place) else None
    before, first = _report(copied, schemas)
    _add_a_field(place, copied, tmp_path / "schemas", shared, tmp_path)
    after, second = _report(copied, schemas)
    added = [one for one in second if one.asked.name == ADDED]

    assert first
    assert before != after
    assert ADDED not in before
    assert ADDED in after
    assert ["unseen"] == [one.standing for one in added]
    assert first == [one for one in second if one.asked.name != ADDED]


def _report(place: Place, schemas: Path | None) -> tuple[str, list[Source]]:
    facts = facts_of(bench(place, schemas))
    return page(facts, None, is_official=False).decode().replace("<wbr>", ""), list(facts.sources)


def _copied(place: Place, tmp_path: Path) -> Place:
    """The mapping's folder and the example services, beside each other as in the project."""
    folder = tmp_path / "mappings" / place.folder.name
    shutil.copytree(place.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "config/dienste", tmp_path / "config/dienste")
    return dataclasses.replace(place, folder=folder)


def _reads_a_standard(place: Place) -> bool:
    """Whether the mapping ships no schema of what it reads."""
    root = place.mapping.input_root
    return root != ANY_ROOT and not Catalogue.open(None, own=[place.folder / "schema"]).knows(root)


def _add_a_field(place: Place, copied: Place, schemas: Path, shared: Path, tmp_path: Path) -> None:
    """To a form that a route describes, to the mapping's own schema, or to the package of the standard that it reads."""
    root = place.mapping.input_root
    if root == ANY_ROOT:
        _add_to_a_form(tmp_path / "config/dienste")
    elif not _reads_a_standard(place):
        assert _add_to_a_schema(copied.folder / "schema", root)
    else:
        for package in OFFICIAL:
            changed = tmp_path / "standard" / package
            shutil.copytree(shared / "schemas" / package, changed)
            if _add_to_a_schema(changed, root):
                install(changed, schemas, product_pins(), accept_new=True, as_id=package.replace("/", "@"))


def _add_to_a_schema(folder: Path, root: str) -> bool:
    """An optional field at the end of the root's content; whether the root was found."""
    for path in sorted(folder.rglob("*.xsd")):
        tree = parse(path.read_bytes())
        local = root.rpartition("}")[2]
        found = tree.find(f"{XS}element[@name='{local}']") if tree.get("targetNamespace") in root else None
        if found is None:
            continue
        kind = str(found.get("type", "")).rpartition(":")[2]
        content = tree.find(f"{XS}complexType[@name='{kind}']") if kind else found
        assert content is not None
        sequence = next(content.iter(f"{XS}sequence"))
        field = f'<xs:element xmlns:xs="{XS[1:-1]}" name="{ADDED}" type="xs:string" minOccurs="0"/>'
        sequence.append(parse(field.encode()))
        path.write_bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8"))
        return True
    return False


def _add_to_a_form(dienste: Path) -> None:
    """An optional field at the end of one form that a case is configured with."""
    path = min(dienste.glob("*/formular.xml"))
    form = read_form(parse(path.read_bytes()))
    field = FormField(identity_of(ADDED), ADDED, "Zusatzangabe", least=0)
    root = dataclasses.replace(form.root, members=(*form.root.members, field))
    path.write_bytes(xdatenfelder(Form(root, form.missing)))
