"""What a schema says about code lists: which uses fix list, version, values or column (xoev-digest §3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from intermediary.validate.closure import LIMITS
from intermediary.xml.parser import Element, parse

_XS = "{http://www.w3.org/2001/XMLSchema}"
LIST_URI = "listURI"
LIST_VERSION = "listVersionID"
ListName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CodeUses:
    """The code types of one schema, told apart by what they fix.

    `enumerated` are the lists (URI, version) whose values stand in the schema wherever it uses them (Code-Typ 1): what XSD
    checks needs no installed list. `columns` has the key column that the schema chose for a list URI (`genutzteCodeSpalte`).
    `fixed` are all list URIs that the schema itself names: what a finding may repeat.
    """

    enumerated: frozenset[ListName] = field(default=frozenset(), repr=False)
    columns: Mapping[str, str] = field(default_factory=dict, repr=False)
    fixed: frozenset[str] = field(default=frozenset(), repr=False)


def code_uses(documents: Iterable[bytes]) -> CodeUses | None:
    """What the documents of a schema (serialised anew, from the gate) say about code lists; None where none is used."""
    roots = [parse(document, limits=LIMITS) for document in documents if LIST_URI.encode() in document]
    if not roots:
        return None
    with_values: set[ListName] = set()
    without: set[ListName] = set()
    columns: dict[str, str] = {}
    fixed: set[str] = set()
    enumerations = _enumerations(roots)
    for kind, uri, version in _uses(roots):
        fixed.add(uri)
        column = _collapsed(next(kind.iter("{*}genutzteCodeSpalte"), None))
        if column:
            columns.setdefault(uri, column)
        (with_values if _is_enumerated(kind, enumerations) else without).add((uri, version))
    fixed.discard("")
    return CodeUses(frozenset(with_values - without), columns, frozenset(fixed))


def _uses(roots: Iterable[Element]) -> Iterator[tuple[Element, str, str]]:
    """Every complex type that has `listURI`, with the URI and version it fixes (empty: left to the document)."""
    for root in roots:
        for attribute in root.iter(f"{_XS}attribute"):
            if attribute.get("name") != LIST_URI:
                continue
            kind = next(attribute.iterancestors(f"{_XS}complexType"), None)
            if kind is None:
                continue
            beside = (one for one in kind.iter(f"{_XS}attribute") if one.get("name") == LIST_VERSION)
            version = next(beside, None)
            yield kind, _given(attribute), "" if version is None else _given(version)


def _given(attribute: Element) -> str:
    return " ".join((attribute.get("fixed") or attribute.get("default") or "").split())


def _enumerations(roots: Iterable[Element]) -> frozenset[str]:
    """Local names of the simple types that list their values; a name that also means another type does not count."""
    listing: set[str] = set()
    other: set[str] = set()
    for root in roots:
        for kind in root.iterchildren(f"{_XS}simpleType"):
            is_listing = next(kind.iter(f"{_XS}enumeration"), None) is not None
            (listing if is_listing else other).add(kind.get("name", ""))
    return frozenset(listing - other)


def _is_enumerated(kind: Element, enumerations: frozenset[str]) -> bool:
    code = next((one for one in kind.iter(f"{_XS}element") if one.get("name") == "code"), None)
    if code is None:
        return False
    if next(code.iter(f"{_XS}enumeration"), None) is not None:
        return True
    return code.get("type", "").rpartition(":")[2] in enumerations


def _collapsed(element: Element | None) -> str:
    return "" if element is None else " ".join((element.text or "").split())
