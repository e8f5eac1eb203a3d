"""Writes forms as XDatenfelder 3.0.0 or 2.0, and code lists as genericode: for own FIM-like forms and generated ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape

from intermediary.mapping.form import Form, FormField, FormGroup, Member

MOMENT = "2026-01-01T00:00:00.000Z"
_NAMESPACES = {
    "3.0.0": "urn:xoev-de:fim:standard:xdatenfelder_3.0.0",
    "2.0": "urn:xoev-de:fim:standard:xdatenfelder_2",
}
_DERIVED = ("ableitungsmodifikationenStruktur", "ableitungsmodifikationenRepraesentation")
_LIST = "urn:xoev-de:fim:codeliste:xdatenfelder"


def xdatenfelder(form: Form, *, standard: str = "3.0.0") -> bytes:
    """The Datenschema message (0102) of a form; values of fields without `list_name` stand inline (3.0.0 only)."""
    write = _Three() if standard == "3.0.0" else _Two()
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<xdf:xdatenfelder.stammdatenschema.0102 xmlns:xdf="{_NAMESPACES[standard]}">',
        f"<xdf:header><xdf:nachrichtID>1</xdf:nachrichtID><xdf:erstellungszeitpunkt>{MOMENT}</xdf:erstellungszeitpunkt></xdf:header>",
        "<xdf:stammdatenschema>",
        *write.form(form),
        "</xdf:stammdatenschema>",
        "</xdf:xdatenfelder.stammdatenschema.0102>",
    ]
    return ("\n".join(lines) + "\n").encode()


def genericode(uri: str, version: str, rows: Mapping[str, str], *, qualified: bool = False) -> bytes:
    """A code list with the columns `code` and `name`; `qualified` as FIM editors export it, against the standard."""
    p = "gc:" if qualified else ""
    body = "".join(
        f'<{p}Row><{p}Value ColumnRef="code"><{p}SimpleValue>{escape(code)}</{p}SimpleValue></{p}Value>'
        f'<{p}Value ColumnRef="name"><{p}SimpleValue>{escape(name)}</{p}SimpleValue></{p}Value></{p}Row>\n'
        for code, name in rows.items()
    )
    columns = "".join(
        f'<{p}Column Id="{one}" Use="required"><{p}ShortName>{one}</{p}ShortName><{p}Data Type="string"/></{p}Column>\n'
        for one in ("code", "name")
    )
    key = f'<{p}Key Id="codeKey"><{p}ShortName>codeKey</{p}ShortName><{p}ColumnRef Ref="code"/></{p}Key>\n'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gc:CodeList xmlns:gc="http://docs.oasis-open.org/codelist/ns/genericode/1.0/">\n'
        f"<{p}Identification><{p}ShortName>{escape(uri.rpartition(':')[2])}</{p}ShortName><{p}Version>{escape(version)}</{p}Version>"
        f"<{p}CanonicalUri>{escape(uri)}</{p}CanonicalUri><{p}CanonicalVersionUri>{escape(uri)}_{escape(version)}</{p}CanonicalVersionUri></{p}Identification>\n"
        f"<{p}ColumnSet>\n{columns}{key}</{p}ColumnSet>\n<{p}SimpleCodeList>\n{body}</{p}SimpleCodeList>\n</gc:CodeList>\n"
    ).encode()


class _Three:
    """XDatenfelder 3.0.0."""

    def form(self, form: Form) -> Iterator[str]:
        yield from self._head(form.root.name, form.title)
        yield _x("bezeichnung", form.title)
        if form.root.help:
            yield _x("hilfetext", form.root.help)
        yield _code("ableitungsmodifikationenStruktur", f"{_LIST}.ableitungsmodifikationenStruktur", "1.0", "0")
        yield _code(
            "ableitungsmodifikationenRepraesentation", f"{_LIST}.ableitungsmodifikationenRepraesentation", "1.0", "0"
        )
        yield "<xdf:dokumentsteckbrief><xdf:id>D99000000001</xdf:id></xdf:dokumentsteckbrief>"
        yield from self._members(form.root)

    def _members(self, group: FormGroup) -> Iterator[str]:
        for one in group.members:
            yield f"<xdf:struktur>{_x('anzahl', _count(one))}<xdf:enthaelt>"
            yield from self._group(one) if isinstance(one, FormGroup) else self._field(one)
            yield "</xdf:enthaelt></xdf:struktur>"

    def _group(self, group: FormGroup) -> Iterator[str]:
        yield "<xdf:datenfeldgruppe>"
        yield from self._common(group)
        yield from self._members(group)
        yield "</xdf:datenfeldgruppe>"

    def _field(self, field: FormField) -> Iterator[str]:
        yield "<xdf:datenfeld>"
        yield from self._common(field)
        yield _code("feldart", f"{_LIST}.feldart", "2.0", field.art)
        yield _code("datentyp", f"{_LIST}.datentyp", "2.0", field.kind)
        if field.limits:
            facets = "".join(f' {name}="{escape(value)}"' for name, value in field.limits.items())
            yield f"<xdf:praezisierung{facets}/>"
        if field.content:
            yield _x("inhalt", field.content)
        yield _code("vorbefuellung", f"{_LIST}.vorbefuellung", "1.0", "keine")
        if field.list_name:
            uri, _, version = field.list_name.rpartition("_")
            yield (
                f"<xdf:codelisteReferenz>{_x('canonicalIdentification', uri)}{_x('version', version)}"
                f"{_x('canonicalVersionUri', field.list_name)}</xdf:codelisteReferenz>"
            )
        elif field.values:
            yield "<xdf:werte>"
            yield from (
                f"<xdf:wert>{_x('code', code)}{_x('name', name)}</xdf:wert>" for code, name in field.values.items()
            )
            yield "</xdf:werte>"
        yield "</xdf:datenfeld>"

    def _common(self, one: Member) -> Iterator[str]:
        yield from self._head(one.name, one.label)
        yield _x("bezeichnungEingabe", one.label)
        yield _code("schemaelementart", f"{_LIST}.schemaelementart", "1.0", "ABS")
        if one.help:
            yield _x("hilfetextAusgabe", one.help)

    def _head(self, name: str, label: str) -> Iterator[str]:
        yield _identity(name)
        yield _x("name", label)
        yield _code("freigabestatus", "urn:xoev-de:xprozess:codeliste:status", "2020-03-19", "6")
        yield _x("letzteAenderung", MOMENT)


class _Two:
    """XDatenfelder 2.0: no inline values, facets as JSON."""

    def form(self, form: Form) -> Iterator[str]:
        yield from self._head(form.root.name, form.title)
        if form.root.help:
            yield _x("hilfetext", form.root.help)
        yield _code("ableitungsmodifikationenStruktur", f"{_LIST}.ableitungsmodifikationenStruktur", "1.0", "0")
        yield _code(
            "ableitungsmodifikationenRepraesentation", f"{_LIST}.ableitungsmodifikationenRepraesentation", "1.0", "0"
        )
        yield from self._members(form.root)

    def _members(self, group: FormGroup) -> Iterator[str]:
        for one in group.members:
            yield f"<xdf:struktur>{_x('anzahl', _count(one))}{_x('bezug', '')}<xdf:enthaelt>"
            yield from self._group(one) if isinstance(one, FormGroup) else self._field(one)
            yield "</xdf:enthaelt></xdf:struktur>"

    def _group(self, group: FormGroup) -> Iterator[str]:
        yield "<xdf:datenfeldgruppe>"
        yield from self._common(group)
        yield from self._members(group)
        yield "</xdf:datenfeldgruppe>"

    def _field(self, field: FormField) -> Iterator[str]:
        yield "<xdf:datenfeld>"
        yield from self._common(field)
        yield _code("feldart", f"{_LIST}.feldart", "1.0", field.art)
        yield _code("datentyp", f"{_LIST}.datentyp", "1.0", field.kind)
        yield _x("praezisierung", json.dumps(dict(field.limits)) if field.limits else "")
        yield _x("inhalt", field.content)
        if field.list_name:
            uri, _, version = field.list_name.rpartition("_")
            yield (
                f"<xdf:codelisteReferenz><xdf:identifikation>{_x('id', 'C99000001')}</xdf:identifikation>"
                f"<xdf:genericodeIdentification>{_x('canonicalIdentification', uri)}{_x('version', version)}"
                f"{_x('canonicalVersionUri', field.list_name)}</xdf:genericodeIdentification></xdf:codelisteReferenz>"
            )
        yield "</xdf:datenfeld>"

    def _common(self, one: Member) -> Iterator[str]:
        yield from self._head(one.name, one.label)
        yield _code("schemaelementart", f"{_LIST}.schemaelementart", "1.0", "ABS")
        yield _x("hilfetextEingabe", "")
        yield _x("hilfetextAusgabe", one.help)

    def _head(self, name: str, label: str) -> Iterator[str]:
        yield _identity(name)
        yield from (_x("name", label), _x("bezeichnungEingabe", label))
        yield from (_x(empty, "") for empty in ("beschreibung", "definition", "bezug"))
        yield _code("status", f"{_LIST}.status", "1.0", "aktiv")


def _identity(name: str) -> str:
    plain, _, version = name.partition("V")
    return f"<xdf:identifikation>{_x('id', plain)}{_x('version', version) if version else ''}</xdf:identifikation>"


def _count(one: Member) -> str:
    return f"{one.least}:{'*' if one.most is None else one.most}"


def _code(name: str, uri: str, version: str, code: str) -> str:
    return f'<xdf:{name} listURI="{uri}" listVersionID="{version}"><code>{code}</code></xdf:{name}>'


def _x(name: str, text: str) -> str:
    return f"<xdf:{name}>{escape(text, quote=False)}</xdf:{name}>"
