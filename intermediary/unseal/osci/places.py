"""Places in the container tree: a path of ids for people, no two alike in one message."""

from __future__ import annotations

import re

from intermediary.core.faults import Rejected

_NAME = re.compile(r"[^/\[\]\x00-\x1f\x7f]+")
"""Ids are opaque (digest §6), but one with a slash, which parts a path, or a bracket could imitate another place."""

_MOST_CHARACTERS = 16 * 1024 * 1024


class Places:
    """Makes the places of one message. Nothing may be decided by them: they consist of the sender's words."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._characters = 0

    def below(self, above: str, identifier: str | None, *, otherwise: str) -> str:
        """A place of its own below another one (`""` at the top), from the element's id or `otherwise` without one.

        Where it would be the second of its name, `[2]` is appended. An id with one of the marks of a path is `Rejected`,
        and so are places that take much more memory than the ids they are made of.
        """
        if identifier and not _NAME.fullmatch(identifier):
            raise Rejected("osci.structure", where="Id")
        name = identifier or otherwise
        self._characters += len(above) + len(name)
        if self._characters > _MOST_CHARACTERS:
            raise Rejected("osci.limit", where="Id")
        place = f"{above}/{name}" if above else name
        count = self._taken[place] = self._taken.get(place, 0) + 1
        return place if count == 1 else f"{place}[{count}]"
