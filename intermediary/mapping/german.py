"""German writing of dates and moments, for documents that people read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone

_WINTER = timezone(timedelta(hours=1), "MEZ")
_SUMMER = timezone(timedelta(hours=2), "MESZ")


def local(moment: datetime) -> datetime:
    """The moment in German legal time.

    The rule (last Sundays of March and October, 01:00 UTC; Directive 2000/84/EC) is written out so that the same Antrag
    gives the same bytes whatever time zone database a machine has. It holds for moments after 1996.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment carries a time zone")
    utc = moment.astimezone(UTC)
    is_summer = _change(utc.year, 3) <= utc < _change(utc.year, 10)
    return moment.astimezone(_SUMMER if is_summer else _WINTER)


def write_date(day: date) -> str:
    """`03.04.2026`."""
    return f"{day.day:02}.{day.month:02}.{day.year:04}"


def write_moment(moment: datetime) -> str:
    """`03.04.2026, 14:05 Uhr (MESZ)`."""
    here = local(moment)
    return f"{write_date(here.date())}, {here.hour:02}:{here.minute:02} Uhr ({here.tzname()})"


def write_decimal(lexical: str) -> str:
    """`1234,5` for `1234.5`: a plain decimal number with a comma, its digits as they were sent; `ValueError` for others."""
    if re.fullmatch(r"[+-]?[0-9]+\.[0-9]+", lexical) is None:
        raise ValueError("no decimal fraction")
    return lexical.replace(".", ",")


def write_amount(lexical: str) -> str:
    """`12.345,60` for `12345.60`: an amount with dots between thousands; `ValueError` for others."""
    found = re.fullmatch(r"([+-]?)([0-9]+)((?:\.[0-9]+)?)", lexical)
    if found is None:
        raise ValueError("no amount")
    return f"{found[1]}{int(found[2]):,}".replace(",", ".") + found[3].replace(".", ",")


def write_time_of_day(lexical: str) -> str:
    """`14:05 Uhr` or `03.04.2026, 14:05 Uhr` from an XML time or dateTime, in the zone it names; `ValueError` for others."""
    found = re.fullmatch(
        r"(?:([0-9]{4})-([0-9]{2})-([0-9]{2})T)?([0-9]{2}:[0-9]{2})(:[0-9.]+)?(Z|[+-][0-9:]+)?", lexical
    )
    if found is None:
        raise ValueError("no time of day")
    day = f"{found[3]}.{found[2]}.{found[1]}, " if found[1] else ""
    seconds = found[5] if found[5] and found[5].strip(":0.") else ""
    zone = {None: "", "Z": " (UTC)"}.get(found[6], f" (UTC{found[6]})")
    return f"{day}{found[4]}{seconds} Uhr{zone}"


def write_bytes(length: int) -> str:
    """A file size as people read it: `1,4 MB`, thousands of bytes."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if length >= size:
            tenths = (length * 10 + size // 2) // size
            return f"{tenths // 10},{tenths % 10} {unit}"
    return "1 Byte" if length == 1 else f"{length} Bytes"


def _change(year: int, month: int) -> datetime:
    last_day = datetime(year, month, 31, 1, tzinfo=UTC)
    return last_day - timedelta(days=(last_day.weekday() + 1) % 7)
