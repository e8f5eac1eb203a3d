"""The only reader of JSON that others have written: one meaning for every reader, within ceilings, or a `JsonError`.

Refused is what RFC 8259 leaves to the reader and two readers would understand in two ways (names given twice, halves of a
pair, numbers beyond a double), what no target message can hold (controls), and what costs more than it can be worth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

MAX_BYTES = 16 << 20
MAX_DEPTH = 200
MAX_VALUES = 500_000
_MAX_DIGITS = 100
_MAX_EXPONENT = 308
_BOM = b"\xef\xbb\xbf"
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SEPARATORS = (b",", b"{", b"[")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

HINTS = {
    "encoding": "Die Daten sind nicht in UTF-8 geschrieben.",
    "syntax": "Die Daten sind kein gültiges JSON.",
    "structure": "Erwartet wird ein Objekt, keine einzelne Angabe.",
    "twice": "Ein Objekt nennt denselben Namen zweimal.",
    "number": "Eine Zahl ist keine (NaN, Infinity), zu groß oder zu lang.",
    "characters": "Ein Text oder Name enthält Zeichen, die nicht übertragen werden können.",
    "depth": f"Die Daten sind tiefer als {MAX_DEPTH} Ebenen geschachtelt.",
    "values": f"Die Daten haben mehr als {MAX_VALUES} Angaben.",
    "size": f"Die Daten sind größer als {MAX_BYTES >> 20} MiB.",
}
LIMITS = frozenset(("depth", "values", "size"))


class JsonError(ValueError):
    """What is wrong, as a key of `HINTS`, and the line where a reader would see it; never a value or a name."""

    def __init__(self, rule: str, line: int | None = None) -> None:
        super().__init__(rule)
        self.rule = rule
        self.line = line


def exact(spelling: str) -> int | Decimal:
    """A number as it was written, without the damage of binary fractions."""
    return int(spelling) if re.fullmatch(r"-?[0-9]+", spelling) else Decimal(spelling)


def read_json(data: bytes, number: Callable[[str], Any] = exact) -> Any:
    """The one object or list that `data` is; `number` makes a value of each number's spelling.

    Raises `JsonError`. A BOM of UTF-8 is passed over, as RFC 8259 §8.1 allows.
    """
    if len(data) > MAX_BYTES:
        raise JsonError("size")
    if data.startswith(_BOM):
        data = data[len(_BOM) :]
    _demand_few(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise JsonError("encoding") from None
    if "\0" in text:
        raise JsonError("encoding")

    def counted(spelling: str) -> Any:
        return number(_bounded(spelling))

    try:
        found = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=counted,
            parse_float=counted,
            parse_constant=_no_constant,
        )
    except JsonError:
        raise
    except json.JSONDecodeError as error:
        raise JsonError("syntax", error.lineno) from None
    except RecursionError:
        raise JsonError("depth") from None
    if not isinstance(found, dict | list):
        raise JsonError("structure")
    _demand_sound(found)
    return found


def _demand_few(data: bytes) -> None:
    """Counts before anything is built: a list of empty lists takes thirty times its length."""
    if sum(map(data.count, _SEPARATORS)) > MAX_VALUES and (
        sum(map(_STRING.sub(b"", data).count, _SEPARATORS)) > MAX_VALUES
    ):
        raise JsonError("values")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise JsonError("twice")
    return found


def _bounded(spelling: str) -> str:
    if len(spelling) > _MAX_DIGITS:
        raise JsonError("number")
    mantissa, _, exponent = spelling.lower().partition("e")
    if len(exponent) > 5 or (exponent and abs(Decimal(mantissa).adjusted() + int(exponent)) > _MAX_EXPONENT):
        raise JsonError("number")
    return spelling


def _no_constant(_name: str) -> Any:
    raise JsonError("number")


def _demand_sound(found: Any) -> None:
    """Depth and characters of everything, level by level: no recursion that a sender could exhaust."""
    level = [found]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for one in level:
            for inner in one if isinstance(one, list) else (*one, *one.values()):
                if isinstance(inner, dict | list):
                    below.append(inner)
                elif isinstance(inner, str) and _NOT_XML.search(inner):
                    raise JsonError("characters")
        if not below:
            return
        level = below
    raise JsonError("depth")
