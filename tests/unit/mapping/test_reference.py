"""Fields that a configuration names are found in the form and in the payload, with their origin."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from intermediary.mapping.entries import entries_of_xml
from intermediary.mapping.form import Form, FormField, FormGroup, identity_of
from intermediary.mapping.reference import Reference
from intermediary.xml.parser import parse


def _field(name: str, kind: str = "text", **more: object) -> FormField:
    return FormField(identity_of(name), name, name, kind, **more)  # type: ignore[arg-type]


def _group(name: str, *members: FormField | FormGroup) -> FormGroup:
    return FormGroup(identity_of(name), name, name, members)


FORM = Form(
    _group(
        "S99000000001V1.0.0",
        _group(
            "G99000000001V1.0.0", _field("F99000000001V1.0.0"), _group("G99000000002", _field("F99000000002", "date"))
        ),
        _group("G99000000003", _field("F99000000001V1.1.0"), _group("G99000000002", _field("F99000000002", "date"))),
        _field("F99000000009", values=MappingProxyType({"m": "Rüde"}), list_name="urn:x_1"),
    )
)
PAYLOAD = entries_of_xml(
    parse(
        b"<S99000000001V1.0.0><G99000000001V1.0.0><F99000000001V1.0.0>eins\n zwei</F99000000001V1.0.0>"
        b"<G99000000002><F99000000002>2026-05-04</F99000000002></G99000000002></G99000000001V1.0.0>"
        b"<G99000000003><F99000000001V1.1.0>drei</F99000000001V1.1.0><G99000000002><F99000000002/></G99000000002>"
        b"</G99000000003><F99000000009>m</F99000000009></S99000000001V1.0.0>"
    )
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("F99000001", ["eins zwei", "drei"]),
        ("F99000000001V1.1", ["drei"]),
        ("G99000003/F99000001", ["drei"]),
        ("G99000001/F99000002", ["04.05.2026"]),
        ("G99000001/G99000002/F99000000002", ["04.05.2026"]),
        ("G99000002/G99000001/F99000002", []),
        ("F99000009", ["Rüde"]),
        ("F99000777", []),
    ],
)
def test_values_are_found_by_place(text: str, expected: list[str]) -> None:
    """By id, version, and the groups above in their order; in one line each, codes by meaning, nothing for empty texts."""
    assert expected == [one.value for one in Reference(text).values(FORM, PAYLOAD)]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("F99000002", True),
        ("G99000003/F99000002", True),
        ("G99000009/F99000002", False),
        ("G99000001", False),
        ("F1", False),
    ],
)
def test_lint_knows_whether_the_form_has_the_field(text: str, known: bool) -> None:
    """A field of the form is found by the same rules; a group is no field."""
    assert known is (Reference(text).field(FORM) is not None)


def test_origins_tell_input_rule_and_list_apart() -> None:
    """What was sent as it is, what was rewritten, and what a code list said."""
    origins = [Reference(text).values(FORM, PAYLOAD)[0] for text in ("G99000003/F99000001", "F99000002", "F99000009")]

    assert ["input", "rule", "codelist"] == [one.kind for one in origins]
    assert "/S99000000001V1.0.0/G99000000003/F99000000001V1.1.0" == origins[0].source
    assert "LESBAR(" in origins[1].source
    assert "urn:x_1(" in origins[2].source


@pytest.mark.parametrize("text", ["", "F1/", "/F1", "F1 F2", "F1}{", "ä", "F1;G2"])
def test_what_cannot_be_a_field_is_refused(text: str) -> None:
    """A typing error is told when the configuration is read."""
    with pytest.raises(ValueError, match="expected a field"):
        Reference(text)
