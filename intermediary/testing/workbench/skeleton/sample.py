"""A made-up, valid application for a form: everything the form can ask, once; the same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from intermediary.xml.parser import parse

_DEEPEST = 25
_WORDS = ("Muster", "Beispiel", "Musterstadt", "Mu", "M", "12345", "1", "A1", "01", "x")
_FIXED = {
    "date": "2026-05-04", "boolean": "true", "time": "08:30:00", "dateTime": "2026-05-04T08:30:00+02:00", "float": "1",
    "double": "1", "decimal": "1", "gYear": "2026", "gYearMonth": "2026-05", "anyURI": "urn:beispiel",
}  # fmt: skip
_KNOWN = {
    "familienname": "Mustermann", "nachname": "Mustermann", "vorname": "Erika", "vornamen": "Erika",
    "strasse": "Musterstraße", "straße": "Musterstraße", "hausnummer": "12", "postleitzahl": "12345", "plz": "12345",
    "ort": "Musterstadt", "wohnort": "Musterstadt", "e-mail": "erika@example.org", "email": "erika@example.org",
    "e-mail-adresse": "erika@example.org", "telefon": "030 23125000", "telefonnummer": "030 23125000",
}  # fmt: skip
_TRIES = 2000
_XSD = "http://www.w3.org/2001/XMLSchema"


class NoSample(LookupError):
    """For a required field no value was found that its type takes; the text names the field."""


def sample(element: Any, labels: Mapping[str, str], codes: Mapping[str, str]) -> bytes:
    """The document as UTF-8, from the walkable root element.

    By element name: `labels` choose plausible values, `codes` are valid ones of code lists.

    Raises `NoSample` for a required field whose pattern nothing fits.
    """
    lines = list(_Sample(labels, codes).element(element, "", is_root=True))
    return ("\n".join(['<?xml version="1.0" encoding="UTF-8"?>', *lines]) + "\n").encode()


class _Sample:
    def __init__(self, labels: Mapping[str, str], codes: Mapping[str, str]) -> None:
        self._labels = labels
        self._codes = codes
        self._draw = random.Random(1)

    def element(
        self, element: Any, indent: str, *, is_root: bool = False, around: tuple[Any, ...] = ()
    ) -> Iterator[str]:
        name, kind = element.local_name, element.type
        start = f' xmlns="{escape(element.target_namespace)}"' if is_root and element.target_namespace else ""
        start += "".join(f' {key}="{escape(value)}"' for key, value in self._attributes(kind))
        if kind.local_name == "anyType":
            yield f"{indent}<{name}{start}/>"
        elif kind.is_complex() and kind.has_complex_content():
            yield f"{indent}<{name}{start}>"
            yield from self._group(kind.content, f"{indent}  ", (*around, kind))
            yield f"{indent}</{name}>"
        else:
            simple = kind.content if kind.is_complex() else kind
            yield f"{indent}<{name}{start}>{escape(self._value(name, simple))}</{name}>"

    def _group(self, group: Any, indent: str, around: tuple[Any, ...]) -> Iterator[str]:
        particles = [one for one in group if hasattr(one, "model") or one.name]
        for one in particles[:1] if group.model == "choice" else particles:
            for _ in range(max(one.min_occurs, 1)):
                if hasattr(one, "model"):
                    yield from self._group(one, indent, around)
                elif one.min_occurs or (one.type not in around and len(around) < _DEEPEST):
                    yield from self._particle(one, indent, around)

    def _particle(self, one: Any, indent: str, around: tuple[Any, ...]) -> list[str]:
        """The element; an optional one for which there is no value is left out."""
        try:
            return list(self.element(one, indent, around=around))
        except NoSample:
            if one.min_occurs:
                raise
            return []

    def _attributes(self, kind: Any) -> Iterator[tuple[str, str]]:
        for name, attribute in getattr(kind, "attributes", {}).items():
            if name and attribute.use == "required":
                yield name, attribute.fixed if attribute.fixed is not None else self._value(name, attribute.type)

    def _value(self, name: str, kind: Any) -> str:
        if kind.enumeration:
            return str(kind.enumeration[0])
        label = self._labels.get(name, name)
        known = [self._codes[name]] if name in self._codes else []
        for value in (*known, *self._candidates(label, kind)):
            if kind.text_is_valid(value) and _fits(kind, value):
                return value
        raise NoSample(f"{label} ({name}): kein Beispielwert gefunden, den der Typ zulässt")

    def _candidates(self, label: str, kind: Any) -> Iterator[str]:
        base = kind
        while base.target_namespace != _XSD and base.base_type is not None:
            base = base.base_type
        if base.local_name in _FIXED:
            yield _FIXED[base.local_name]
        if label.casefold() in _KNOWN:
            yield _KNOWN[label.casefold()]
        if kind.min_value is not None:
            yield str(kind.min_value)
        yield from _WORDS
        least = kind.min_length or 0
        for word in _WORDS:
            yield (word * (least // len(word) + 1))[: max(least, 1)]
        yield "12ab-34cd".ljust(least, "0")
        yield "00000000-0000-4000-8000-000000000001"
        letters = "0123456789AaBbZz. -+/:@#\\p{}L"
        most = kind.max_length if kind.max_length is not None else least + 12
        for _ in range(_TRIES):
            length = self._draw.randint(least, max(least, min(most, least + 12)))
            yield "".join(self._draw.choice(letters) for _ in range(length))


def _fits(kind: Any, value: str) -> bool:
    """Whether libxml2 lets the value pass all patterns: it has the last word, and xmlschema reads some otherwise."""
    while kind is not None and kind.target_namespace != _XSD:
        if kind.patterns and not _compiled(tuple(kind.patterns.regexps)).validate(_leaf(value)):
            return False
        kind = kind.base_type
    return True


@cache
def _compiled(patterns: tuple[str, ...]) -> etree.XMLSchema:
    facets = "".join(f"<xs:pattern value={quoteattr(one)}/>" for one in patterns)
    schema = (
        f'<xs:schema xmlns:xs="{_XSD}"><xs:element name="v"><xs:simpleType><xs:restriction base="xs:string">'
        f"{facets}</xs:restriction></xs:simpleType></xs:element></xs:schema>"
    )
    return etree.XMLSchema(parse(schema.encode()))


def _leaf(value: str) -> etree._Element:
    leaf = etree.Element("v")
    leaf.text = value
    return leaf
