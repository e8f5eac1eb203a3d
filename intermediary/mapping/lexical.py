"""Turns a Python value into the text of an XML leaf, if its simple type allows it."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from intermediary.mapping.structure import Simple

INTEGERS: dict[str, tuple[int | None, int | None]] = {
    "integer": (None, None),
    "nonNegativeInteger": (0, None),
    "positiveInteger": (1, None),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 2**8 - 1),
}
TEXTS = ("string", "normalizedString", "token", "anyURI")
# Parts of a date are texts here; years before 1 and after 9999 are left out, as everywhere.
PARTS_OF_DATES = {"gYear": re.compile(r"[0-9]{4}"), "gYearMonth": re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")}
BASES = (*TEXTS, *INTEGERS, *PARTS_OF_DATES, "boolean", "date", "dateTime", "decimal", "base64Binary")

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(value: object, simple: Simple, fixed: str | None) -> str:
    """The lexical form of `value`. Raises `ValueError` whose text names the broken rule, never the value.

    A fixed value is written as the schema spells it, so that every reader recognises it.
    """
    lexical = _plain(value, simple.base)
    if fixed is not None:
        if _value_space(lexical, simple.base) != _value_space(fixed, simple.base):
            raise ValueError("fixed value")
        return fixed
    _demand_facets(lexical, simple)
    return lexical


def allows(simple: Simple, value: object) -> bool:
    """Whether a leaf of that type takes the value: for rules that tell the sender before anything is built."""
    try:
        write(value, simple, None)
    except ValueError:
        return False
    return True


def _plain(value: object, base: str) -> str:
    if base in TEXTS:
        return _as_text(value, base)
    if base in PARTS_OF_DATES and isinstance(value, str) and PARTS_OF_DATES[base].fullmatch(value):
        return _not_year_zero(value, base)
    if base == "boolean" and isinstance(value, bool):
        return "true" if value else "false"
    if base == "base64Binary" and isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if base in INTEGERS and isinstance(value, int) and not isinstance(value, bool):
        return _as_integer(value, base)
    if base == "decimal" and isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    if base == "date" and isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if base == "dateTime" and isinstance(value, datetime):
        return _as_moment(value)
    raise ValueError(f"type {base}")


def _as_text(value: object, base: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"type {base}")
    if _NOT_XML.search(value):
        raise ValueError("characters of XML")
    if base == "normalizedString" and re.search(r"[\t\r\n]", value):
        raise ValueError("type normalizedString")
    if base == "token" and value != " ".join(part for part in re.split(r"[ \t\r\n]+", value) if part):
        raise ValueError("type token")
    return value


def _as_integer(value: int, base: str) -> str:
    least, most = INTEGERS[base]
    if (least is not None and value < least) or (most is not None and value > most):
        raise ValueError(f"type {base}")
    return str(value)


def _not_year_zero(value: str, base: str) -> str:
    if value.startswith("0000"):
        raise ValueError(f"type {base}")
    return value


def _as_moment(value: datetime) -> str:
    """Milliseconds and time zone: what xInneres wants of a moment (xoev-digest §2)."""
    if value.tzinfo is None:
        raise ValueError("a moment carries a time zone")
    return value.isoformat(timespec="milliseconds")


def _demand_facets(lexical: str, simple: Simple) -> None:
    if simple.enumeration and lexical not in simple.enumeration:
        raise ValueError("enumeration")
    for matches in simple.matchers:
        if matches(lexical) is None:
            raise ValueError("pattern")
    if simple.least_length is not None and len(lexical) < simple.least_length:
        raise ValueError("minLength")
    if simple.most_length is not None and len(lexical) > simple.most_length:
        raise ValueError("maxLength")
    if simple.least is not None and Decimal(lexical) < Decimal(simple.least):
        raise ValueError("minInclusive")
    if simple.most is not None and Decimal(lexical) > Decimal(simple.most):
        raise ValueError("maxInclusive")


def _value_space(lexical: str, base: str) -> object:
    if base == "boolean":
        return lexical in ("1", "true")
    if base in INTEGERS or base == "decimal":
        try:
            return Decimal(lexical)
        except InvalidOperation:
            return lexical
    return lexical
