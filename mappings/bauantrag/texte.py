"""Reads texts of the form as XBau can write them: normal form C, and plain signs for typographic ones."""

from __future__ import annotations

from intermediary.mapping.api import Group, Sourced, normal, rule

# What word processors put in by themselves; String.Latin has the plain sign only. Letters are never replaced.
TYPOGRAFIE = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
        "\u2026": "...",
        "\u00ad": "",
    }
)


def schlicht(text: str) -> str:
    """The text in normal form C with plain signs: what the rules judge and the message contains."""
    return normal(text).translate(TYPOGRAFIE)


def pflicht(group: Group, name: str) -> Sourced[str]:
    """A text that has to be there."""
    return _typografie(group.required(name, normal))


def angegeben(group: Group, name: str) -> Sourced[str] | None:
    """LEER-IST-NICHT-ANGEGEBEN: an optional text of blanks is left out."""
    value = group.optional(name, normal)
    return _typografie(value) if value is not None and schlicht(value.value).strip() else None


def mehrfach(group: Group, name: str) -> list[Sourced[str]]:
    """All texts of that name, in the sender's order."""
    return [_typografie(one) for one in group.repeated(name, normal)]


def verbunden(name: str, trenner: str, *teile: Sourced[str] | None) -> Sourced[str] | None:
    """One text from those that were given; a single one stays as it was sent."""
    gegeben = [one for one in teile if one is not None]
    if len(gegeben) < 2:
        return gegeben[0] if gegeben else None
    return rule(name, trenner.join(one.value for one in gegeben), *gegeben)


def _typografie(text: Sourced[str]) -> Sourced[str]:
    """TYPOGRAFIE: dashes, quotes and blanks as String.Latin has them; the form data keep what was sent."""
    return text if text.value == schlicht(text.value) else text.by("TYPOGRAFIE", schlicht)
