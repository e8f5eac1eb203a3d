"""Characters that a standard cannot transport: told by code point where a schema or package demands DIN 91379."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from intermediary.core.characters import NORM, SPEC, Datatype, Repertoire, Version, repertoire, told
from intermediary.core.values import Befund
from intermediary.validate.closure import LIMITS, XS
from intermediary.validate.manifest import CHARACTERS
from intermediary.validate.places import Places
from intermediary.xml.parser import Element, parse

CODE = "validate.input.invalid"
RULE = "din-91379"
MOST = 50
_NAMESPACES: Mapping[str, Version] = MappingProxyType(
    {
        "urn:xoev-de:kosit:xoev:datentyp:din-91379_2022-08": NORM,
        "urn:xoev-de:kosit:xoev:datentyp:din-spec-91379_2019-03": SPEC,
    }
)
_TYPE = re.compile(r"datatype([A-E])")


def transport_patterns(documents: Iterable[bytes]) -> dict[str, Repertoire]:
    """The repertoire behind each pattern of the DIN 91379 types that a schema draws in, by the pattern as published."""
    found: dict[str, Repertoire] = {}
    for document in documents:
        if b":datentyp:din-" not in document or b'"datatypeC"' not in document:
            continue
        root = parse(document, limits=LIMITS)
        version = _NAMESPACES.get(root.get("targetNamespace", ""))
        for kind in root.iterchildren(f"{XS}simpleType") if version else ():
            named = _TYPE.fullmatch(kind.get("name", ""))
            pattern = next(kind.iter(f"{XS}pattern"), None)
            if named and version and pattern is not None:
                found[pattern.get("value", "")] = repertoire(_datatype(named[1]), version)
    return found


def demanded(text: str) -> Repertoire | None:
    """The repertoire that a manifest demands (`characters = "2022-08 C"`); None for a text that is none."""
    parts = CHARACTERS.fullmatch(text)
    if parts is None:
        return None
    return repertoire(_datatype(parts[2]), NORM if parts[1] == NORM else SPEC)


def check_characters(tree: Element, allowed: Repertoire, names: frozenset[str]) -> tuple[Befund, ...]:
    """A finding for every text and attribute of a document with characters that cannot be transported, at most `MOST`."""
    places = Places(tree, names)
    found: list[Befund] = []
    for element, name, text in _texts(tree):
        foreign = allowed.foreign(text)
        if not foreign:
            continue
        path, shown = places.of(element)
        if name:
            shown = name if name in names else "*"
            path = f"{path}/@{shown}"
        found.append(Befund(CODE, path=path, rule=RULE, hint=hint_of(shown, allowed, text)))
        if len(found) >= MOST:
            break
    return tuple(found)


def hint_of(name: str, allowed: Repertoire, text: str) -> str:
    """What is to be said of a text with foreign characters: which they are and where, never the text."""
    return f"{name} enthält Zeichen, die {allowed.name} nicht kennt: {told(allowed.foreign(text))}."


def _texts(tree: Element) -> Iterator[tuple[Element, str, str]]:
    for element in tree.iter("{*}*"):
        yield element, "", element.text or ""
        for child in element:
            if child.tail:
                yield element, "", child.tail
        for name in map(str, element.keys()):  # items() of lxml is quadratic
            yield element, name.rpartition("}")[2], element.get(name, "")


def _datatype(letter: str) -> Datatype:
    kinds: dict[str, Datatype] = {"A": "A", "B": "B", "C": "C", "D": "D", "E": "E"}
    return kinds[letter]
