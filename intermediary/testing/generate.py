"""Makes valid inputs for a mapping by walking its input schema: synthetic, repeatable, and nastier than people type.

Everything is drawn from the `random.Random` that is handed in, so a seed names an input for ever.
"""

from __future__ import annotations

import math
import random
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from xmlschema import XMLSchema

_PLAIN = "abcdefghijklmnoprstuvwzABCDEFGHKLMNOPRSTZ0123456789 -."
NASTY = (
    "äöüßÄÖÜéèñłőčŞğ"  # names of many countries
    "M̂J̌ẅ"  # base letter and combining mark
    "&<>\"'`;{}[]\\/|#%=+*~^§€"  # markup, quotes, templates, paths
    "\t\n\u00a0\u2028\u200b\ufeff"  # blanks of all kinds
    "\u202e\u2066\u0627\u05d0"  # right-to-left
    "\U0001f697\U00020000\ufffd\u0085"  # beyond the basic plane, replacement, C1
)
MARKUP = (
    "<script>alert(1)</script>",
    "]]>",
    "<!-- -->",
    "&amp;lt;",
    '\'" onload="x',
    "{{7*7}}",
    "${jndi:x}",
    "../../etc",
)
_FLOATS = ("0", "-0", "1", "378.61", "1E5", "-1.5e-10", "INF", "-INF", "NaN", "123456", "007", "3.4028235E38")
_MOST_TRIES = 1000
_MOST_REPETITIONS = 4
_LONGEST_FREE_TEXT = 60


class Generator:
    """Writes documents that a schema accepts.

    `likely` gives values per element name that are drawn half of the time (`share`), where the type allows them: coded
    values that rules of a mapping ask for. Of a choice, elements named in `rare` are drawn one time in fifty.
    `accepts` has the last word on a whole document, because the library that drives the walk reads some patterns
    wrongly (a doubled backslash before `p{L}`).
    """

    def __init__(
        self,
        schema: XMLSchema,
        root: str,
        draw: random.Random,
        *,
        accepts: Callable[[bytes], bool],
        likely: Mapping[str, Sequence[str]] | None = None,
        share: float = 0.5,
        rare: Collection[str] = (),
    ) -> None:
        self._accepts = accepts
        self._schema = schema
        self._root = schema.elements[root]
        self._draw = draw
        self._likely = likely or {}
        self._share = share
        self._rare = rare

    def document(self) -> bytes:
        """One more document as UTF-8."""
        namespace = self._schema.target_namespace
        for _ in range(_MOST_TRIES):
            body = self._element(self._root, f' xmlns="{escape(namespace)}"')
            document = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()
            if self._accepts(document):
                return document
        raise LookupError("no document was accepted")

    def _element(self, element: Any, attributes: str = "") -> str:
        name, kind = element.local_name, element.type
        if kind.name == "{http://www.w3.org/2001/XMLSchema}anyType":
            content = self._anything()
        elif kind.is_complex():
            content = self._group(kind.content)
        else:
            content = escape(self._value(name, kind)).replace("\r", "&#13;")
        return f"<{name}{attributes}>{content}</{name}>" if content else f"<{name}{attributes}/>"

    def _group(self, group: Any) -> str:
        if group.model == "choice":
            return "".join(self._particle(self._one_of(group)) for _ in range(self._times(group)))
        return "".join(self._particle(one) for _ in range(self._times(group)) for one in group)

    def _one_of(self, choice: Any) -> Any:
        usual = [one for one in choice if one.name is None or one.local_name not in self._rare]
        if len(usual) in (0, len(choice)) or self._draw.random() < 0.02:
            return self._draw.choice(list(choice))
        return self._draw.choice(usual)

    def _particle(self, particle: Any) -> str:
        if hasattr(particle, "model"):
            return self._group(particle)
        return "".join(self._element(particle) for _ in range(self._times(particle)))

    def _times(self, particle: Any) -> int:
        most = particle.max_occurs
        bound = particle.min_occurs + _MOST_REPETITIONS
        return self._draw.randint(particle.min_occurs, bound if most is None else min(most, bound))

    def _value(self, name: str, kind: Any) -> str:
        likely = [value for value in self._likely.get(name, ()) if kind.is_valid(value)]
        if likely and self._draw.random() < self._share:
            return self._draw.choice(likely)
        if kind.enumeration:
            return str(self._draw.choice(kind.enumeration))
        for _ in range(_MOST_TRIES):
            value = self._candidate(kind)
            if kind.is_valid(value):
                return value
        if likely:
            return self._draw.choice(likely)
        raise LookupError(f"no value found for {name}")

    def _candidate(self, kind: Any) -> str:
        base = _builtin(kind)
        if base == "date":
            return self._date()
        if base in ("float", "double"):
            return self._draw.choice(_FLOATS)
        if base == "boolean":
            return self._draw.choice(("true", "false", "1", "0"))
        if base in ("decimal", "integer"):
            return self._number(kind, base)
        least = kind.min_length or 0
        most = kind.max_length if kind.max_length is not None else _LONGEST_FREE_TEXT
        length = self._draw.choice((least, most, self._draw.randint(least, most)))
        patterns = kind.patterns.patterns if kind.patterns else []
        return self._matching(patterns[0].pattern, length) if patterns else self._text(length)

    def _text(self, length: int) -> str:
        """Mostly plain text; sometimes markup, blanks only, or letters that break things."""
        dice = self._draw.random()
        if dice < 0.08:
            return " " * length
        if dice < 0.25:
            return self._draw.choice(MARKUP)[: max(length, 1)]
        letters = NASTY if dice < 0.6 else _PLAIN
        return "".join(self._draw.choice(letters) for _ in range(length))

    def _number(self, kind: Any, base: str) -> str:
        """Whole numbers within the limits of the type, its limits among them; decimals also with hundredths."""
        least = -(10**6) if kind.min_value is None else math.ceil(kind.min_value)
        most = 10**6 if kind.max_value is None else math.floor(kind.max_value)
        whole = str(self._draw.randint(least, most))
        if kind.min_value is None or base == "integer":
            return whole
        return self._draw.choice((whole, f"{whole}.{self._draw.randint(0, 99):02}", str(least), str(kind.max_value)))

    def _matching(self, pattern: str, length: int) -> str:
        """Letters that the pattern may like; the caller tries until one matches."""
        ranges = re.findall(r"\[([^\]]+)\]", pattern)
        letters = [char for char in map(chr, range(32, 127)) if re.search(f"[{''.join(ranges)}]", char)] or list(_PLAIN)
        return "".join(self._draw.choice(letters) for _ in range(length))

    def _date(self) -> str:
        day = date(1900, 1, 1) + timedelta(days=self._draw.randint(0, 60_000))
        odd = (
            "0001-01-01",
            "9999-12-31",
            "12026-01-01",
            "-0044-03-15",
            "2024-02-29Z",
            "2026-03-01+14:00",
            " 2026-01-02 ",
        )
        return self._draw.choice(odd) if self._draw.random() < 0.1 else day.isoformat()

    def _anything(self) -> str:
        """Content of an upload field: usually none, sometimes text or elements nobody declared."""
        dice = self._draw.random()
        if dice < 0.6:
            return ""
        text = escape(unicodedata.normalize("NFC", self._text(12))).replace("\r", "&#13;")
        return text if dice < 0.85 else f'<x:datei xmlns:x="urn:example:upload" x:name="a&amp;b">{text}</x:datei>{text}'


def _builtin(kind: Any) -> str:
    while kind.target_namespace != "http://www.w3.org/2001/XMLSchema":
        kind = kind.base_type
    return str(kind.local_name)
