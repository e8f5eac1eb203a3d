"""A JSON payload under the same reading as an XML one: fields by the names of the form, places as JSON pointers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from intermediary.core.ports import Antrag
from intermediary.mapping.accessor import Group, Payload
from intermediary.mapping.entries import Entry, payload_of_json
from intermediary.mapping.form import is_same_field
from intermediary.mapping.provenance import Sourced


def payload_of(antrag: Antrag) -> Payload:
    """The payload of an Antrag, whichever way it was sent: converter's XFall, portal's XFall, an xÖV message, JSON.

    Raises `Rejected("mapping.input.refused")` for JSON that is no object of different names.
    """
    if antrag.tree is not None:
        return Payload(antrag.tree)
    return JsonPayload(payload_of_json(antrag))


class _JsonGroup(Group):
    """An object of the payload; each of its values knows its own pointer."""

    __slots__ = ()

    def _entries(self) -> tuple[Entry, ...]:
        read: Any = self._element
        return tuple(read.entries)

    def _children(self, name: str) -> list[tuple[Any, str]]:
        entries = self._entries()
        found = [(one, one.path) for one in entries if one.name == name]
        return found or [(one, one.path) for one in entries if is_same_field(name, one.name)]

    def _inside(self, element: Any, path: str) -> Group:
        return _JsonGroup(element, path, "", self._read)

    def _lexical(self, element: Any) -> str:
        return str(element.text)


class JsonPayload(_JsonGroup, Payload):
    """The whole object. Its root has neither name nor attributes."""

    __slots__ = ()

    def __init__(self, root: Any) -> None:
        Group.__init__(self, root, "", "", set())

    language: ClassVar[str] = "JSON"

    @property
    def root(self) -> Entry:
        """The whole object as an entry, for a walk over everything (the summary)."""
        return cast(Entry, self._element)

    def attribute(self, name: str) -> Sourced[str] | None:
        """JSON has no attributes."""
        return None

    def texts(self) -> Iterator[Sourced[str]]:
        """Every value as text, in the sender's order."""
        yield from (Sourced(leaf.text, "input", leaf.path) for leaf in self._leaves())

    def unread(self) -> tuple[str, ...]:
        """Pointers of all values nobody read."""
        return tuple(leaf.path for leaf in self._leaves() if leaf.path not in self._read)

    def _leaves(self) -> Iterator[Entry]:
        yield from (leaf for entry in self._entries() for leaf in entry.leaves())
