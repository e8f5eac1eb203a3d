"""The generated tables beside a mapping are what their generators make today, and contain none of the publisher's text."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest
import xmlschema

from intermediary.mapping.codes import code_table
from intermediary.mapping.labels import labels_of
from intermediary.mapping.shape import ShapeError, parse_path, paths_of, shape_of
from intermediary.validate.lock import read_lock
from intermediary.xml.parser import parse
from mappings.bewohnerparken.mapping import HERE, MAPPING

FORM = "schemas/xdatenfelder/3.0.0/beispiele/bewohnerparken_S05000058_xdf3.xml"
LISTS = "schemas/xdatenfelder/2.0/beispiele/bewohnerparken"
COUNTRIES = "schemas/xdomea/3.0.0/codelisten/Country Codes_7.xml"


@pytest.fixture
def schema(shared: Path, schemas_folder: Path) -> xmlschema.XMLSchema:
    """xdomea 3.1.0 as installed."""
    return xmlschema.XMLSchema(str(schemas_folder / "xdomea@3.1.0/files/xsd/xdomea.xsd"))


def _emitted() -> set[tuple[str, ...]]:
    messages = sorted(HERE.glob("golden/*/expected/nachricht.xml"))
    assert messages
    return {path for message in messages for path in paths_of(parse(message.read_bytes()))}


def test_shape_is_regenerated(schema: xmlschema.XMLSchema, schemas_folder: Path) -> None:
    """shape.toml is a function of the installed package and the golden messages."""
    sha256 = read_lock(schemas_folder)["xdomea@3.1.0"].sha256
    made = shape_of(schema, _emitted(), standard=MAPPING.standard, package="xdomea@3.1.0", sha256=sha256)

    assert (HERE / "shape.toml").read_text(encoding="utf-8") == made


def test_shape_has_only_what_is_emitted() -> None:
    """Every element of the shape occurs in a golden message."""
    shape = tomllib.loads((HERE / "shape.toml").read_text(encoding="utf-8"))
    known = {child["name"] for kind in shape["complex"].values() for child in kind.get("child", ())}

    assert known <= {path[-1] for path in _emitted()}


def test_shape_refuses_what_the_schema_lacks(schema: xmlschema.XMLSchema) -> None:
    """A path the schema does not know is an error that names the place, never a silent gap."""
    path = parse_path("Abgabe.Abgabe.0401", "Kopf/Fantasie")

    with pytest.raises(ShapeError, match=r"Kopf: the schema has no element Fantasie here"):
        shape_of(schema, [path], standard="xdomea 3.1.0", package="p", sha256="0")


def test_labels_are_regenerated(shared: Path) -> None:
    """labels.toml is a function of the form's schema and the code lists at hand."""
    form = (shared / FORM).read_bytes()
    lists = [parse(path.read_bytes()) for path in sorted((shared / LISTS).glob("C*_genericode.xml"))]
    made = labels_of(parse(form), lists, sha256=hashlib.sha256(form).hexdigest())

    assert (HERE / "labels.toml").read_text(encoding="utf-8") == made


def test_countries_are_regenerated(shared: Path) -> None:
    """staat.toml is a function of the code list it names."""
    codelist = parse((shared / COUNTRIES).read_bytes())
    made = code_table("destatis-staat", codelist, key_column="DESTATIS-Code-Staat", value_column="ISOAlpha2code")

    assert (HERE / "staat.toml").read_text(encoding="utf-8") == made
