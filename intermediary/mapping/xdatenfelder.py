"""Reads a form from its XDatenfelder schema (1.0, 2.0 and 3.0.0) and the genericode lists that it names.

The versions differ in details that are looked for side by side: where the id stands, how a list is referred to, what the
title is called. Names are compared without their namespace, because exports exist with each of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from intermediary.mapping.codes import identification, key_columns, rows_of
from intermediary.mapping.form import Form, FormField, FormGroup, Member, identity_of
from intermediary.xml.parser import Element

_NAME_COLUMNS = ("name", "bezeichnung", "wert", "beschreibung", "value", "label")
_NOTHING = ("", "-")

Lists = Mapping[str, Element]


class FormError(ValueError):
    """A file is not what it was named as: no XDatenfelder schema, or no code list. The text says which part is missing."""


def read_form(schema: Element, codelists: Iterable[Element] = ()) -> Form:
    """The form of a Datenschema message (0102); raises `FormError` when it holds none.

    A code list that the schema names and that is not among `codelists` is in `Form.missing`; its codes stay codes.
    """
    form = next((one for one in schema.iter() if _local(one) == "stammdatenschema"), None)
    if form is None:
        raise FormError("kein Datenschema von XDatenfelder: das Element stammdatenschema fehlt")
    missing: dict[str, None] = {}
    reader = _Reader(_by_name(codelists), missing)
    name = _name(form)
    members = tuple(reader.members(form))
    title = _text(form, "bezeichnung") or _text(form, "bezeichnungEingabe") or _text(form, "name") or name
    root = FormGroup(identity_of(name), name, title, members, help=_text(form, "hilfetext"))
    return Form(root, tuple(missing))


def list_name(codelist: Element) -> str:
    """The canonical name of a genericode list with its version; raises `FormError` when it is none."""
    try:
        return "_".join(identification(codelist))
    except ValueError:
        raise FormError("keine Codeliste im Format genericode: CanonicalUri oder Version fehlt") from None


class _Reader:
    def __init__(self, lists: Lists, missing: dict[str, None]) -> None:
        self._lists = lists
        self._missing = missing

    def members(self, parent: Element) -> Iterator[Member]:
        """What the `struktur` elements of a schema or group hold, in order."""
        for structure in _children(parent, "struktur"):
            least, most = _cardinality(_text(structure, "anzahl"))
            for container in _children(structure, "enthaelt"):
                for one in container:
                    if _local(one) == "datenfeld":
                        yield self._field(one, least, most)
                    elif _local(one) == "datenfeldgruppe":
                        yield self._group(one, least, most)

    def _group(self, element: Element, least: int, most: int | None) -> FormGroup:
        name = _name(element)
        members = tuple(self.members(element))
        return FormGroup(identity_of(name), name, _label(element, name), members, _help(element), least, most)

    def _field(self, element: Element, least: int, most: int | None) -> FormField:
        name = _name(element)
        values = dict(_inline(element))
        named = _list_name(element)
        if not values and named:
            values = self._meanings(named, element)
        return FormField(
            identity=identity_of(name),
            name=name,
            label=_label(element, name),
            kind=_code(element, "datentyp") or "text",
            art=_code(element, "feldart") or "input",
            help=_help(element),
            content=_lines(element, "inhalt"),
            list_name=named,
            values=MappingProxyType(values),
            limits=MappingProxyType(_limits(element)),
            least=least,
            most=most,
        )

    def _meanings(self, named: str, field: Element) -> dict[str, str]:
        found = self._lists.get(named)
        if found is None:
            self._missing[named] = None
            return {}
        return dict(_rows(found, _text(field, "codeKey"), _text(field, "nameKey")))


def _by_name(codelists: Iterable[Element]) -> Lists:
    found: dict[str, Element] = {}
    for one in codelists:
        found[list_name(one)] = one
        canonical = next((e for e in one.iter() if _local(e) == "CanonicalVersionUri"), None)
        if canonical is not None:
            found.setdefault(_plain(canonical), one)
    return found


def _rows(codelist: Element, code_key: str, name_key: str) -> Iterator[tuple[str, str]]:
    """Code and meaning of each row, by the columns the field names, otherwise by the keys of the list and its columns."""
    keys = key_columns(codelist)
    columns = [str(one.get("Id")) for one in codelist.iter() if _local(one) == "Column"]
    code = code_key or next(iter(keys), "") or next(iter(columns), "")
    others = [one for one in (*keys[1:2], *sorted(columns, key=_rank)) if one != code]
    name = name_key or next(iter(others), code)
    for row in rows_of(codelist):
        if row.get(code):
            yield row[code], row.get(name) or row[code]


def _rank(column: str) -> int:
    """How likely a column holds the name of a code; columns that look alike keep their order."""
    folded = column.casefold()
    return next((place for place, name in enumerate(_NAME_COLUMNS) if name in folded), len(_NAME_COLUMNS))


def _name(element: Element) -> str:
    """Id and version as the XFall shape spells them; 1.0 knows ids without version."""
    identity = next(iter(_children(element, "identifikation")), element)
    plain, version = _text(identity, "id"), _text(identity, "version")
    if not plain:
        raise FormError(f"ein Element {_local(element)} ohne id")
    return f"{plain}V{version}" if version else plain


def _label(element: Element, name: str) -> str:
    names = (_text(element, one) for one in ("bezeichnungAusgabe", "bezeichnungEingabe", "name"))
    return next((one for one in names if one not in _NOTHING), name)


def _help(element: Element) -> str:
    texts = (_lines(element, one) for one in ("hilfetextAusgabe", "hilfetextEingabe"))
    return next((one for one in texts if one not in _NOTHING), "")


def _list_name(element: Element) -> str:
    """3.0.0 and 2.0 name URI and version; 1.0 knows a kennung, which is the URI or a name of its own."""
    for reference in _children(element, "codelisteReferenz"):
        named = next((one for one in reference.iter() if _local(one) == "canonicalVersionUri" and _plain(one)), None)
        if named is not None:
            return _plain(named)
        canonical = next((one for one in reference.iter() if _local(one) == "canonicalIdentification"), None)
        if canonical is not None:
            version = next((_plain(one) for one in reference.iter() if _local(one) == "version" and _plain(one)), "")
            return f"{_plain(canonical)}_{version}" if version else _plain(canonical)
    for inside in _children(element, "codeliste"):
        return "_".join(part for part in (_text(inside, "kennung"), _text(inside, "version")) if part)
    return ""


def _inline(element: Element) -> Iterator[tuple[str, str]]:
    for values in _children(element, "werte"):
        for value in values:
            code = _text(value, "code")
            if code:
                yield code, _text(value, "name") or code


def _limits(element: Element) -> dict[str, str]:
    """Facets of a text or number: attributes in 3.0.0, a JSON object in 2.0; anything else is a remark for people."""
    for one in _children(element, "praezisierung"):
        if one.attrib:
            return {str(name): str(value) for name, value in one.attrib.items()}
        try:
            found = json.loads(_plain(one))
        except (ValueError, RecursionError):
            return {}
        return {str(k): str(v) for k, v in found.items()} if isinstance(found, dict) else {}
    return {}


def _cardinality(text: str) -> tuple[int, int | None]:
    least, _, most = text.partition(":")
    return (int(least) if least.isdecimal() else 0), (int(most) if most.isdecimal() else None)


def _children(element: Element, name: str) -> list[Element]:
    return [one for one in element if _local(one) == name]


def _code(element: Element, name: str) -> str:
    return next((_text(one, "code") for one in _children(element, name)), "")


def _text(element: Element, name: str) -> str:
    return next((_plain(one) for one in _children(element, name)), "")


def _lines(element: Element, name: str) -> str:
    """A text that keeps its line breaks: help and fixed texts are paragraphs."""
    found = next(iter(_children(element, name)), None)
    if found is None:
        return ""
    lines = "".join(str(piece) for piece in found.itertext()).splitlines()
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def _plain(element: Element) -> str:
    return " ".join("".join(str(piece) for piece in element.itertext()).split())


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
