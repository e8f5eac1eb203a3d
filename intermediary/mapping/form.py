"""A form as its XDatenfelder schema describes it: groups, fields, names for people, code lists.

The same field is spelled in many ways: `F00000043` (XDatenfelder 2.0), `F00000000043V1.0.0` (3.0.0 and the XFall shape of
its converter), `F00000043` without a version (the shape of the FIM portal, JSON). `identity_of` makes them comparable.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

_VERSIONED = re.compile(r"(.+?)V([0-9]+(?:\.[0-9]+)*)")
_NUMBERED = re.compile(r"([A-Z])([0-9]{2})([0-9]{6}|[0-9]{9})")
_NAMED = re.compile(r"([A-Z][0-9]{2})(?:000)?(-.+)")
_OF_FIM = re.compile(r"[FG][0-9]{2}[0-9-]")
_LONGEST_ID = 80
_PORTAL_ROOT = re.compile(r"fim\.(S[0-9]{8})\.[0-9]+")

Version: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Id and version of a schema element, whichever way they were spelled; the version is empty when none was named."""

    id: str
    version: Version = ()


@dataclass(frozen=True, slots=True)
class FormField:
    """A Datenfeld in its place. `kind` is its data type, `art` its kind of input (`input`, `select`, `label`, …).

    `content` is the fixed text of a label, or the default of an input. `values` are the meanings of codes, where the list
    is in the schema or at hand; `list_name` names the list of a field whose values are coded. `most` None: no limit.
    """

    identity: Identity
    name: str
    label: str
    kind: str = "text"
    art: str = "input"
    help: str = field(default="", repr=False)
    content: str = field(default="", repr=False)
    list_name: str = ""
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    limits: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    least: int = 1
    most: int | None = 1


@dataclass(frozen=True, slots=True)
class FormGroup:
    """A Datenfeldgruppe in its place, with its members in the order of the form."""

    identity: Identity
    name: str
    label: str
    members: tuple[FormField | FormGroup, ...] = field(repr=False)
    help: str = field(default="", repr=False)
    least: int = 1
    most: int | None = 1

    def member(self, identity: Identity) -> FormField | FormGroup | None:
        """The member with this id: the one of the same version if there are several, otherwise the first."""
        found = [one for one in self.members if one.identity.id == identity.id]
        exact = [one for one in found if one.identity.version == identity.version]
        return next(iter(exact or found), None)


Member: TypeAlias = FormField | FormGroup


@dataclass(frozen=True, slots=True)
class Form:
    """A whole form. `root` holds its members; `missing` names the code lists that are not at hand."""

    root: FormGroup
    missing: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What the form is called."""
        return self.root.label

    @property
    def name(self) -> str:
        """Id and version as the XFall shape spells them (`S05000000058V1.0.0`)."""
        return self.root.name

    @property
    def edition(self) -> str:
        """Id and version for people."""
        plain, _, version = self.root.name.partition("V")
        return f"{plain}, Fassung {version}" if version else plain

    def members(self) -> Iterator[Member]:
        """Every group and field in the order of the form, as often as it occurs there."""
        yield from _below(self.root)


def identity_of(name: str) -> Identity:
    """Id and version in one spelling. What is no FIM id keeps its spelling and matches only itself."""
    return _identity_of(name) if len(name) <= _LONGEST_ID else Identity(name)


@lru_cache(
    maxsize=16384
)  # a payload names the same fields again and again; senders choose the names, so both are bounded
def _identity_of(name: str) -> Identity:
    portal = _PORTAL_ROOT.fullmatch(name)
    if portal is not None:
        name = portal[1]
    versioned = _VERSIONED.fullmatch(name)
    plain, version = (versioned[1], version_of(versioned[2])) if versioned else (name, ())
    numbered, named = _NUMBERED.fullmatch(plain), _NAMED.fullmatch(plain)
    if numbered is not None:
        plain = f"{numbered[1]}{numbered[2]}{int(numbered[3])}"
    elif named is not None:
        plain = f"{named[1]}{named[2]}"
    return Identity(plain, version)


def is_versioned(name: str) -> bool:
    """Whether a name is an id of FIM with its version: other spellings of the same field may lack it."""
    return _OF_FIM.match(name) is not None and bool(identity_of(name).version)


def is_same_field(wanted: str, found: str) -> bool:
    """Whether two names spell the same group or field, in one version or one of them without."""
    one, other = identity_of(wanted), identity_of(found)
    return one.id == other.id and (one.version == other.version or () in (one.version, other.version))


def version_of(text: str) -> Version:
    """A version without the zeros that a longer spelling adds: 1.0 and 1.0.0 are one; empty for what is none."""
    numbers = [int(part) for part in text.split(".")] if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})*", text) else []
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _below(group: FormGroup) -> Iterator[Member]:
    for one in group.members:
        yield one
        if isinstance(one, FormGroup):
            yield from _below(one)
