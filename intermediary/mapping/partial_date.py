"""Days of which only the year, or year and month, is known: `1980-05-00`, `1980-00-00`, `0000-00-00`.

For mappings to standards with the types `TeilbekanntesDatum` and `TeilbekanntesDatumMitUnbekannt` of XInneres.
"""

from __future__ import annotations

import datetime as dt

from intermediary.mapping.builder import Node
from intermediary.mapping.provenance import Sourced

UNKNOWN_DAY = "0000-00-00"


def is_partial_date(text: str) -> bool:
    """Whether the text is a day, a month, a year, or says that nothing is known."""
    if text == UNKNOWN_DAY:
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


def write_partial(target: Node, day: Sourced[str]) -> None:
    """DATUM-TEILBEKANNT: fills a `TeilbekanntesDatum` with as much as is known; it knows no unknown year."""
    year, month, number = day.value.split("-")
    if number != "00":
        target.leaf("jahrMonatTag", day.by("DATUM-TEILBEKANNT", dt.date.fromisoformat))
    elif month != "00":
        target.leaf("jahrMonat", day.by("DATUM-TEILBEKANNT", lambda _: f"{year}-{month}"))
    else:
        target.leaf("jahr", day.by("DATUM-TEILBEKANNT", lambda _: year))


def write_birthday(target: Node, day: Sourced[str]) -> None:
    """DATUM-TEILBEKANNT: fills a `TeilbekanntesDatumMitUnbekannt`."""
    if day.value == UNKNOWN_DAY:
        target.leaf("unbekannt", day.by("DATUM-TEILBEKANNT", lambda _: True))
    else:
        write_partial(target.element("teilbekanntesDatum"), day)
