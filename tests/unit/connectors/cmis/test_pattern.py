"""Names and values made from patterns: nothing a sender writes leads elsewhere, nothing missing is guessed."""

from __future__ import annotations

import pytest

from connectors.cmis.pattern import Pattern, filled, name_of, path_of
from intermediary.core.faults import Misconfigured


def test_values_stand_unchanged_in_properties() -> None:
    """A property keeps the value; line breaks become blanks."""
    assert "Az. BV/2026/17" == filled(Pattern("Az. {az}"), {"az": "BV/2026/17\n"}, where="x")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("BV/2026:17", "BV_2026_17"),
        ("../../etc", "_.._etc"),
        ("..", "Fall"),
        ("a\\b*c?", "a_b_c_"),
        ("x" * 300, "x" * 200),
        ("Müller ", "Müller"),
        ("ende.", "ende"),
    ],
)
def test_a_name_is_one_segment(value: str, name: str) -> None:
    """No value makes a second segment, a hidden one or one that some server refuses."""
    pattern = Pattern("{az}" if name != "Fall" else "Fall{az}")

    assert name == name_of(pattern, {"az": value}, where="case.name").rstrip(".")


@pytest.mark.parametrize("value", ["", "..", " / ", "///"])
def test_a_value_that_gives_no_name_waits(value: str) -> None:
    """Nothing is filed under a name that is none."""
    with pytest.raises(Misconfigured) as raised:
        name_of(Pattern("{az}"), {"az": value}, where="case.name")

    assert "case.name: gives no name" == raised.value.where


def test_a_place_without_value_is_named_but_no_value_is() -> None:
    """The operator learns which key is missing; nothing of the content stands in the fault."""
    with pytest.raises(Misconfigured) as raised:
        filled(Pattern("{aktenzeichen} {name}"), {"name": "Erika"}, where="case.name")

    assert "case.name: {aktenzeichen} has no value here" == raised.value.where
    assert "Erika" not in str(raised.value)


def test_values_stay_inside_their_segment_of_a_path() -> None:
    """A path has as many segments as its pattern."""
    assert "/Eingang/a_b/2026" == path_of(Pattern("/Eingang/{mandant}/2026/"), {"mandant": "a/b"}, where="folder")


@pytest.mark.parametrize("text", ["", "  ", "{key", "key}", "{}", "{{key}}"])
def test_broken_patterns_are_refused(text: str) -> None:
    """A mistake in a pattern is found by lint, not by the first Nachricht."""
    with pytest.raises(ValueError, match=r"pattern|brace"):
        Pattern(text)
