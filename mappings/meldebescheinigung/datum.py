"""Dates of which only the year, or year and month, is known: `1980-05-00`, `1980-00-00`, `0000-00-00`."""

from __future__ import annotations

import datetime as dt

from intermediary.mapping.api import Node, Sourced

UNBEKANNT = "0000-00-00"


def is_partial_date(text: str) -> bool:
    """Whether the text is a day, a month, a year, or says that nothing is known."""
    if text == UNBEKANNT:
        return True
    try:
        dt.date.fromisoformat(earliest(text))
    except ValueError:
        return False
    year_only = text.endswith("-00-00")
    return year_only or not text[4:].startswith("-00")


def earliest(text: str) -> str:
    """The first day of the year, month or day that is known."""
    return text.replace("-00", "-01")


def write_partial(ziel: Node, datum: Sourced[str]) -> None:
    """DATUM-TEILBEKANNT: fills a `TeilbekanntesDatum` with as much as is known; it knows no unknown year."""
    year, month, day = datum.value.split("-")
    if day != "00":
        ziel.leaf("jahrMonatTag", datum.by("DATUM-TEILBEKANNT", dt.date.fromisoformat))
    elif month != "00":
        ziel.leaf("jahrMonat", datum.by("DATUM-TEILBEKANNT", lambda _: f"{year}-{month}"))
    else:
        ziel.leaf("jahr", datum.by("DATUM-TEILBEKANNT", lambda _: year))


def write_birthday(ziel: Node, datum: Sourced[str]) -> None:
    """DATUM-TEILBEKANNT: fills a `TeilbekanntesDatumMitUnbekannt`."""
    if datum.value == UNBEKANNT:
        ziel.leaf("unbekannt", datum.by("DATUM-TEILBEKANNT", lambda _: True))
    else:
        write_partial(ziel.element("teilbekanntesDatum"), datum)
