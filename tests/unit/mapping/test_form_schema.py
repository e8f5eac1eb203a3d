"""The input schema made from a form accepts what the form allows and nothing else."""

from __future__ import annotations

import tomllib
from types import MappingProxyType

import pytest

from intermediary.mapping.form import Form, FormField, FormGroup, identity_of
from intermediary.mapping.form_schema import NAMESPACE, manifest_of, root_of, schema_of
from intermediary.xml.parser import parse
from intermediary.xml.schema import compile_schema, problems


def _field(name: str, kind: str = "text", **more: object) -> FormField:
    return FormField(identity_of(name), name, name, kind, **more)  # type: ignore[arg-type]


def _form(*members: FormField | FormGroup) -> Form:
    return Form(FormGroup(identity_of("S99000000001V1.0.0"), "S99000000001V1.0.0", "t", members))


FORM = _form(
    FormGroup(
        identity_of("G99000000001"),
        "G99000000001",
        "g",
        (
            _field("F99000000001", limits=MappingProxyType({"maxLength": "5", "minLength": "2", "pattern": "[\\d"})),
            _field("F99000000002", "date", least=0),
            _field("F99000000003", values=MappingProxyType({"a": "A"})),
            _field("F99000000004", values=MappingProxyType({"a": "A"}), list_name="urn:x_1", least=0),
            _field("F99000000005", "num_int", limits=MappingProxyType({"minValue": "1", "maxValue": "viele"}), least=0),
        ),
        least=0,
        most=2,
    ),
    _field("F99000000009", "file", least=0, most=None),
    _field("F99000000010", art="label"),
)
GROUP = "<G99000000001><F99000000001>abc</F99000000001>{}<F99000000003>a</F99000000003>{}</G99000000001>"


@pytest.mark.parametrize(
    ("body", "valid"),
    [
        ("", True),
        (GROUP.format("", "") * 2, True),
        (GROUP.format("", "") * 3, False),
        (GROUP.format("<F99000000002>2026-02-28</F99000000002>", ""), True),
        (GROUP.format("<F99000000002>2026-02-30</F99000000002>", ""), False),
        (GROUP.format("", "").replace("abc", "abcdef"), False),
        (GROUP.format("", "").replace("abc", "a"), False),
        (GROUP.format("", "").replace(">a<", ">b<"), False),
        (GROUP.format("", "<F99000000004>frei</F99000000004>"), True),
        (GROUP.format("", "<F99000000005>0</F99000000005>"), False),
        (GROUP.format("", "<F99000000005>999999</F99000000005>"), True),
        ("<F99000000009/><F99000000009><b xmlns='urn:x'/></F99000000009><F99000000010/>", True),
        ("<F99000000099/>", False),
    ],
)
def test_documents_are_judged_by_the_form(body: str, valid: bool) -> None:
    """Structure, repetition, types, lengths and inline values; lists kept elsewhere and labels bind nobody."""
    compiled = compile_schema({"f.xsd": schema_of(FORM)}, "f.xsd", where="f")
    document = f'<S99000000001V1.0.0 xmlns="{NAMESPACE}">{body}</S99000000001V1.0.0>'

    assert valid is not bool(problems(parse(document.encode()), compiled))


def test_the_package_says_what_it_describes() -> None:
    """Name, root and entry of the package folder beside the schema."""
    manifest = tomllib.loads(manifest_of(FORM))

    assert "xfall-s99000000001" == manifest["name"]
    assert [root_of(FORM)] == manifest["roots"]
    assert ["S99000000001V1.0.0.xsd"] == manifest["entries"]


def test_one_id_with_two_contents_is_refused() -> None:
    """The shape has one global element per id; a form that uses one for two things gets no schema that lies."""
    with pytest.raises(ValueError, match="verschiedenem Inhalt"):
        schema_of(_form(_field("F99000000001"), _field("F99000000001", "date")))


def test_an_id_that_is_no_name_is_refused() -> None:
    """Markup in an id never reaches the schema."""
    with pytest.raises(ValueError, match="kein XML-Name"):
        schema_of(_form(_field('F1"/><x')))
