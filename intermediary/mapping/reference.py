"""Fields of a form that a configuration names: `F60000012`, or `G60000001/F60000012` where a field occurs in many groups.

Ids may be written with or without version and in any spelling that `form.identity_of` knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from intermediary.mapping.entries import Entry
from intermediary.mapping.filled import show
from intermediary.mapping.form import Form, FormField, FormGroup, Identity, identity_of
from intermediary.mapping.provenance import Sourced

_SPELLING = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Reference:
    """A field by its id, below the groups named before it. Raises `ValueError` when the text is no such name."""

    text: str

    def __post_init__(self) -> None:
        if not _SPELLING.fullmatch(self.text):
            raise ValueError(f"expected a field like F60000012 or G60000001/F60000012, not {self.text!r}")

    def field(self, form: Form) -> FormField | None:
        """The first such field in the order of the form; None when the form has none."""
        return next((one for one, _ in _fields(form.root, ()) if self._is(_)), None)

    def values(self, form: Form, payload: Entry) -> tuple[Sourced[str], ...]:
        """What was entered there, as people read it, in one line each; codes by their meaning. Empty texts are left out."""
        return tuple(_read(form.root, payload, (), self))

    def _is(self, path: tuple[Identity, ...]) -> bool:
        """Whether the wanted ids occur in a path in their order, the last one at its end."""
        wanted = [identity_of(part) for part in self.text.split("/")]
        if not path or not _same(wanted[-1], path[-1]):
            return False
        place = iter(path[:-1])
        return all(any(_same(one, other) for other in place) for one in wanted[:-1])


def _fields(group: FormGroup, path: tuple[Identity, ...]) -> Iterator[tuple[FormField, tuple[Identity, ...]]]:
    for member in group.members:
        inside = (*path, member.identity)
        if isinstance(member, FormGroup):
            yield from _fields(member, inside)
        else:
            yield member, inside


def _read(group: FormGroup, entry: Entry, path: tuple[Identity, ...], wanted: Reference) -> Iterator[Sourced[str]]:
    for inside in entry.entries:
        member = group.member(identity_of(inside.name))
        if member is None:
            continue
        place = (*path, member.identity)
        if isinstance(member, FormGroup):
            yield from _read(member, inside, place, wanted)
        elif wanted._is(place):
            yield from _value(member, inside)


def _value(one: FormField, entry: Entry) -> Iterator[Sourced[str]]:
    code = next((inside for inside in entry.entries if inside.name == "code"), entry)
    text = _BLANKS.sub(" ", show(one, code).text).strip()
    if code.entries or not text:
        return
    if code.text.strip() in one.values:
        yield Sourced(text, "codelist", f"{one.list_name or one.name}({code.path})")
    elif text == code.text:
        yield Sourced(text, "input", code.path)
    else:
        yield Sourced(text, "rule", f"LESBAR({code.path})")


def _same(wanted: Identity, other: Identity) -> bool:
    return wanted.id == other.id and wanted.version in ((), other.version)
