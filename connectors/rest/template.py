"""Texts with placeholders (`vorgaenge/{vorgang}`), for paths, headers and JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from intermediary.connect.api import Misconfigured

_NAME = re.compile(r"\{([a-z][a-z0-9_.]*)\}")
OF_A_ZUSTELLUNG = frozenset({"key", "nachricht", "mandant", "test"})
OF_A_FILE = frozenset({"file_name", "media_type", "length", "sha256", "n", "data"})
OF_THE_PACKAGE = frozenset({f"package.{name}" for name in OF_A_FILE - {"n"}})


class Template(str):
    """Text with `{name}`; braces have no other meaning."""

    __slots__ = ()

    def __new__(cls, text: str) -> Template:
        rest = _NAME.sub("", text)
        if "{" in rest or "}" in rest or not text.isprintable():
            raise ValueError("expected text with placeholders like {key}")
        return super().__new__(cls, text)

    @property
    def names(self) -> frozenset[str]:
        """The placeholders in it."""
        return frozenset(_NAME.findall(self))

    @property
    def sole(self) -> str:
        """The placeholder that is all of it, or empty: its value then keeps its type in JSON."""
        found = _NAME.fullmatch(self)
        return found.group(1) if found else ""

    def fill(self, values: Mapping[str, object], *, is_path: bool = False) -> str:
        """The text; `Misconfigured("target.misconfigured")` names a placeholder that has no value here.

        In a path no value leads elsewhere: one that leaves a segment empty, or makes `.` or `..` of it, counts as none.
        """

        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if not isinstance(values.get(name), str | int):
                raise Misconfigured("target.misconfigured", where=f"{{{name}}}")
            text = str(values[name]).lower() if isinstance(values[name], bool) else str(values[name])
            return quote(text, safe="") if is_path else text

        filled = _NAME.sub(value, self)
        if is_path:
            _demand_same_place(self, filled)
        return filled


def _demand_same_place(template: str, filled: str) -> None:
    """Quoted values add no segments; but a server, and our own client, would resolve `..` to another address."""
    for wanted, segment in zip(template.partition("?")[0].split("/"), filled.partition("?")[0].split("/"), strict=True):
        if segment in ("", ".", "..") and segment != wanted:
            raise Misconfigured("target.misconfigured", where=wanted)
