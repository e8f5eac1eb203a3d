"""Reads texts of the form."""

from __future__ import annotations

from intermediary.mapping.api import Group, Sourced


def angegeben(group: Group | None, name: str) -> Sourced[str] | None:
    """LEER-IST-NICHT-ANGEGEBEN: an optional text of blanks is left out."""
    value = group.optional(name) if group is not None else None
    return value if value is not None and value.value.strip() else None
