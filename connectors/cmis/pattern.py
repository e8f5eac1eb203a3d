"""Names and values made from a pattern: `{aktenzeichen} {key}`; the same for every attempt of a Zustellung."""

from __future__ import annotations

import re
from collections.abc import Mapping

from intermediary.connect.api import Misconfigured

_PLACE = re.compile(r"\{([^{}]+)\}")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_LONGEST_NAME = 200


class Pattern(str):
    """Text with places in braces; `names` are those of the places. ValueError when a brace stands alone."""

    __slots__ = ()

    def __new__(cls, text: str) -> Pattern:
        if not text.strip():
            raise ValueError("expected a pattern, as {aktenzeichen} {key}")
        if set(_PLACE.sub("", text)) & {"{", "}"}:
            raise ValueError("a brace in a pattern belongs to a name, as {key}")
        return super().__new__(cls, text)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(_PLACE.findall(self))


def filled(pattern: str, values: Mapping[str, str], *, where: str) -> str:
    """The pattern with its values in one line. `Misconfigured` names a place nobody fills, never a value."""

    def fill(place: re.Match[str]) -> str:
        if place[1] not in values:
            raise Misconfigured("target.misconfigured", where=f"{where}: {{{place[1]}}} has no value here")
        return values[place[1]]

    return " ".join(_PLACE.sub(fill, pattern).split())


def name_of(pattern: str, values: Mapping[str, str], *, where: str) -> str:
    """The name of an object: one segment of a path on any server.

    Characters that some server refuses become `_`; a name of nothing but dots is none.
    """
    name = _FORBIDDEN.sub("_", filled(pattern, values, where=where)).strip(" .")[:_LONGEST_NAME].rstrip(" .")
    if not name.strip("_"):
        raise Misconfigured("target.misconfigured", where=f"{where}: gives no name")
    return name


def path_of(pattern: str, values: Mapping[str, str], *, where: str) -> str:
    """A path from the root: each segment of the pattern by itself, so that no value leads elsewhere."""
    segments = [segment for segment in pattern.split("/") if segment]
    return "/" + "/".join(name_of(segment, values, where=where) for segment in segments)
