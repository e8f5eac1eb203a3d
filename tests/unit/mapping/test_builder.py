"""Building from a shape: order, cardinality, types, fixed values, codes, origins, and mistakes that name the line."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from intermediary.mapping.builder import Builder, BuildError
from intermediary.mapping.lexical import allows, write
from intermediary.mapping.provenance import Sourced, codelist, constant, metadata, rule
from intermediary.mapping.structure import Shape, Simple, load

SHAPE = """
standard = "x 1"
package = "x@1"
sha256 = "0"
root = { name = "Root", prefix = "x", type = "/Root", least = 1, most = 1 }
namespaces = { x = "urn:x" }
[complex."/Root"]
child = [
    { name = "First", prefix = "x", type = "xs:string", least = 1, most = 1 },
    { name = "Many", prefix = "x", type = "xs:date", least = 0, most = 2 },
    { name = "Fixed", prefix = "x", type = "xs:boolean", least = 0, most = 1, fixed = "1" },
    { name = "Kind", prefix = "x", type = "KindCode", least = 0, most = 1 },
    { name = "Pick", prefix = "x", type = "Pick", least = 0, most = "unbounded" },
]
[complex."KindCode"]
child = [{ name = "code", prefix = "", type = "Kind", least = 1, most = 1 }]
attribute = [{ name = "listURI", required = false, fixed = "urn:l" }, { name = "listVersionID", required = true }]
[complex."Pick"]
child = [
    { name = "A", prefix = "x", type = "xs:string", least = 1, most = 1, choice = "A" },
    { name = "B", prefix = "x", type = "xs:string", least = 1, most = 1, choice = "A" },
]
[simple."xs:string"]
base = "string"
[simple."xs:date"]
base = "date"
[simple."xs:boolean"]
base = "boolean"
[simple."Kind"]
base = "token"
enumeration = ["1", "2"]
"""


@pytest.fixture
def shape(tmp_path: Path) -> Shape:
    """A small shape with everything a shape can say."""
    path = tmp_path / "shape.toml"
    path.write_text(SHAPE, encoding="utf-8")
    return load(path)


def test_children_are_put_in_schema_order(shape: Shape) -> None:
    """Whatever the order of adding, the output has the order of the schema; equal names keep theirs."""
    root = Builder(shape)
    root.element("Pick").leaf("B", constant("b & <c>"))
    root.leaf("Many", constant(dt.date(2026, 2, 1)))
    root.code("Kind", codelist("urn:l", "1", "2"))
    root.leaf("Many", constant(dt.date(2026, 1, 1)))
    root.leaf("Fixed", constant(True))
    root.leaf("First", metadata("ä", "settings.first"))
    built = root.finish()

    assert (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<x:Root xmlns:x="urn:x">\n'
        "  <x:First>ä</x:First>\n"
        "  <x:Many>2026-02-01</x:Many>\n"
        "  <x:Many>2026-01-01</x:Many>\n"
        "  <x:Fixed>1</x:Fixed>\n"
        '  <x:Kind listURI="urn:l" listVersionID="1">\n'
        "    <code>2</code>\n"
        "  </x:Kind>\n"
        "  <x:Pick>\n"
        "    <x:B>b &amp; &lt;c&gt;</x:B>\n"
        "  </x:Pick>\n"
        "</x:Root>\n"
    ) == built.xml.decode()
    assert [
        ("/Root/First", "metadata", "settings.first"),
        ("/Root/Many[1]", "constant", ""),
        ("/Root/Many[2]", "constant", ""),
        ("/Root/Fixed", "constant", ""),
        ("/Root/Kind/code", "codelist", "urn:l_1"),
        ("/Root/Pick[1]/B", "constant", ""),
    ] == [(one.target, one.kind, one.source) for one in built.herkunft]


def test_none_adds_nothing(shape: Shape) -> None:
    """An optional input that was not sent leaves no element."""
    root = Builder(shape)
    root.leaf("First", constant("x"))
    root.leaf("Many", None)
    root.code("Kind", None)

    assert b"Many" not in root.finish().xml


def test_mistakes_name_place_rule_and_line(shape: Shape) -> None:
    """An unknown child is refused at once, with the line of the mapping and what the shape knows there."""
    with pytest.raises(BuildError, match=r"/Root/Frist: not in the shape.*First.*test_builder\.py:\d+") as mistake:
        Builder(shape).leaf("Frist", constant("secret"))

    assert "secret" not in str(mistake.value)
    assert "mapping.output.invalid" == mistake.value.code


@pytest.mark.parametrize(
    ("name", "value", "rule_name"),
    [
        ("Many", "2026-01-01", "type date"),
        ("Many", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "type date"),
        ("Fixed", False, "fixed value"),
        ("Fixed", "1", "type boolean"),
        ("First", 1, "type string"),
        ("First", "a\x00b", "characters of XML"),
        ("Kind", "2", "use element or code"),
    ],
)
def test_wrong_values_are_refused(shape: Shape, name: str, value: object, rule_name: str) -> None:
    """A value that the target type does not allow is a mistake of the mapping."""
    with pytest.raises(BuildError, match=rule_name):
        Builder(shape).leaf(name, constant(value))


def test_codes_are_checked(shape: Shape) -> None:
    """Code, list and version must be those of the shape."""
    with pytest.raises(BuildError, match="enumeration"):
        Builder(shape).code("Kind", codelist("urn:l", "1", "3"))
    with pytest.raises(BuildError, match="fixed value"):
        Builder(shape).code("Kind", codelist("urn:other", "1", "1"))
    with pytest.raises(BuildError, match="has a value, not children"):
        Builder(shape).element("First")


def test_incomplete_elements_are_refused(shape: Shape) -> None:
    """Cardinalities, choices and required attributes are checked when the message is finished."""
    empty = Builder(shape)
    crowded = Builder(shape)
    crowded.leaf("First", constant("x"))
    for day in (1, 2, 3):
        crowded.leaf("Many", constant(dt.date(2026, 1, day)))
    both = Builder(shape)
    both.leaf("First", constant("x"))
    pick = both.element("Pick")
    pick.leaf("A", constant("a"))
    pick.leaf("B", constant("b"))
    neither = Builder(shape)
    neither.leaf("First", constant("x"))
    neither.element("Pick")
    bare = Builder(shape)
    bare.leaf("First", constant("x"))
    bare.element("Kind").leaf("code", constant("1"))

    for builder, message in (
        (empty, "/Root/First: at least 1, has 0"),
        (crowded, "/Root/Many: at most 2, has 3"),
        (both, "/Root/Pick/A and B: only one of these"),
        (neither, "/Root/Pick: one alternative of the choice is needed"),
        (bare, "/Root/Kind/@listVersionID: required"),
    ):
        with pytest.raises(BuildError, match=message):
            builder.finish()


def test_rules_name_their_inputs() -> None:
    """Provenance of a rule says what it looked at."""
    field = Sourced("x", "input", "/S/F")

    assert ("RULE(/S/F)", "rule") == (rule("RULE", 1, field).source, rule("RULE", 1).kind)
    assert "RULE" == rule("RULE", 1).source
    assert ("X", "RULE(/S/F)") == (field.by("RULE", str.upper).value, field.by("RULE", str.upper).source)


@pytest.mark.parametrize(
    ("value", "simple", "expected"),
    [
        (
            dt.datetime(2026, 5, 4, 8, 15, 30, 250_999, tzinfo=dt.UTC),
            Simple("dateTime"),
            "2026-05-04T08:15:30.250+00:00",
        ),
        (Decimal("1E+3"), Simple("decimal"), "1000"),
        (4294967295, Simple("unsignedInt"), "4294967295"),
        ("a\tb", Simple("string"), "a\tb"),
        ("ab", Simple("string", least_length=2, most_length=2), "ab"),
        (5, Simple("integer", least="5", most="5"), "5"),
        ("1980", Simple("gYear"), "1980"),
        ("1980-05", Simple("gYearMonth"), "1980-05"),
        (b"%PDF", Simple("base64Binary"), "JVBERg=="),
    ],
)
def test_values_are_written(value: object, simple: Simple, expected: str) -> None:
    """Every base has one lexical form."""
    assert expected == write(value, simple, None)
    assert allows(simple, value)


@pytest.mark.parametrize(
    ("value", "simple"),
    [
        (dt.datetime(2026, 5, 4), Simple("dateTime")),  # noqa: DTZ001
        (4294967296, Simple("unsignedInt")),
        (-1, Simple("unsignedShort")),
        (True, Simple("integer")),
        ("a\tb", Simple("normalizedString")),
        (" a", Simple("token")),
        ("abc", Simple("string", most_length=2)),
        ("a", Simple("string", least_length=2)),
        ("a", Simple("string", patterns=("^(?:b)$",))),
        (6, Simple("integer", most="5")),
        (4, Simple("integer", least="5")),
        (Decimal("NaN"), Simple("decimal")),
        ("\ud800", Simple("string")),
        ("0000", Simple("gYear")),
        ("1980", Simple("gYearMonth")),
        ("1980-13", Simple("gYearMonth")),
        ("JVBERg==", Simple("base64Binary")),
    ],
)
def test_impossible_values_are_refused(value: object, simple: Simple) -> None:
    """What a type does not allow is refused."""
    with pytest.raises(ValueError):
        write(value, simple, None)
    assert not allows(simple, value)


def test_attributes_are_written_in_schema_order(shape: Shape) -> None:
    """Attributes stand in the order of the schema, None adds none, and unknown, fixed and impossible ones are refused."""
    root = Builder(shape)
    root.leaf("First", constant("a"))
    kind = root.element("Kind")
    kind.attribute("listVersionID", '1 "&')
    kind.attribute("listURI", None)
    kind.attribute("listURI", "urn:l")
    kind.leaf("code", constant("1"))

    assert b'<x:Kind listURI="urn:l" listVersionID="1 &quot;&amp;">' in root.finish().xml
    for name, value, rule_name in (
        ("lang", "de", "not in the shape"),
        ("lang", None, "not in the shape"),
        ("listURI", "urn:m", "fixed value"),
        ("listVersionID", "\x01", "characters of XML"),
    ):
        with pytest.raises(BuildError) as caught:
            kind.attribute(name, value)
        assert (f"/Root/Kind/@{name}", rule_name) == (caught.value.path, caught.value.rule)


def test_optional_groups_are_left_out_when_empty(shape: Shape) -> None:
    """A group opened as optional is written with its content, and without any it is as if it had not been opened."""
    root = Builder(shape)
    root.leaf("First", constant("a"))
    root.optional("Pick").leaf("A", None)
    root.optional("Pick").leaf("B", constant("b"))
    built = root.finish()

    assert 1 == built.xml.count(b"<x:Pick>")
    assert ["/Root/First", "/Root/Pick[1]/B"] == [one.target for one in built.herkunft]
