"""The input schema of a form: an XSD in the XFall shape of its converter, written from XDatenfelder.

For forms whose publisher offers no XSD: without a schema nothing is accepted. It checks structure, repetition, data types,
lengths and the values of lists that stand in the form itself; lists kept elsewhere stay open, and patterns, which
XDatenfelder writes in another dialect than XSD, are not taken over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from intermediary.mapping import toml
from intermediary.mapping.form import Form, FormField, FormGroup, Member

NAMESPACE = "urn:fim-de:xfall:datenschema:xdf3"
_TYPES = {"date": "date", "bool": "boolean", "num_int": "integer", "num": "float", "num_currency": "decimal"}
_MORE_TYPES = {"time": "time", "datetime": "dateTime", "file": "anyType", "object": "anyType"}
_TEXT_FACETS = (("minLength", "minLength"), ("maxLength", "maxLength"))
_NUMBER_FACETS = (("minValue", "minInclusive"), ("maxValue", "maxInclusive"))
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def root_of(form: Form) -> str:
    """The QName of the payloads that the schema describes."""
    return f"{{{NAMESPACE}}}{form.name}"


def schema_of(form: Form) -> bytes:
    """The XSD; raises `ValueError` for an id that is no XML name, or one id with two contents."""
    written: dict[str, str] = {}
    _collect(form.root, written)
    head = f'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{NAMESPACE}" targetNamespace="{NAMESPACE}"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<!-- Erzeugt aus dem XDatenfelder-Schema {form.name}. -->",
        f'<xs:schema {head} elementFormDefault="qualified">',
        *written.values(),
        "</xs:schema>",
    ]
    return ("\n".join(lines) + "\n").encode()


def manifest_of(form: Form) -> str:
    """The `package.toml` beside the XSD, whose file is `<name>.xsd`."""
    lines = {
        "name": f"xfall-{form.name.partition('V')[0].lower()}",
        "version": form.name.partition("V")[2] or "1",
        "entries": [f"{form.name}.xsd"],
        "roots": [root_of(form)],
        "origin": f"erzeugt aus dem XDatenfelder-Schema {form.name}",
    }
    return "".join(f"{key} = {toml.value(value)}\n" for key, value in lines.items())


def _collect(member: Member, written: dict[str, str]) -> None:
    if not _NAME.fullmatch(member.name):
        raise ValueError(f"{member.name!r} ist kein XML-Name")
    lines = "\n".join(_group(member) if isinstance(member, FormGroup) else _field(member))
    if written.setdefault(member.name, lines) != lines:
        raise ValueError(f"{member.name} steht mit verschiedenem Inhalt im Formular")
    for inside in member.members if isinstance(member, FormGroup) else ():
        _collect(inside, written)


def _group(group: FormGroup) -> Iterator[str]:
    yield f'  <xs:element name="{group.name}">'
    yield "    <xs:complexType><xs:sequence>"
    for member in group.members:
        yield f'      <xs:element ref="{member.name}"{_occurs(member)}/>'
    yield "    </xs:sequence></xs:complexType>"
    yield "  </xs:element>"


def _field(field: FormField) -> Iterator[str]:
    kind = (_TYPES | _MORE_TYPES).get(field.kind, "string")
    facets = list(_facets(field, kind))
    if not facets:
        yield f'  <xs:element name="{field.name}" type="xs:{kind}"/>'
        return
    yield f'  <xs:element name="{field.name}"><xs:simpleType><xs:restriction base="xs:{kind}">'
    yield from (f'    <xs:{facet} value="{escape(value)}"/>' for facet, value in facets)
    yield "  </xs:restriction></xs:simpleType></xs:element>"


def _facets(field: FormField, kind: str) -> Iterator[tuple[str, str]]:
    if field.values and not field.list_name:
        yield from (("enumeration", code) for code in field.values)
    elif kind == "string" and not field.list_name:
        yield from (
            (facet, field.limits[name]) for name, facet in _TEXT_FACETS if field.limits.get(name, "").isdecimal()
        )
    elif kind in ("integer", "decimal", "float"):
        numbers = (
            (facet, field.limits[name])
            for name, facet in _NUMBER_FACETS
            if _is_number(field.limits.get(name, ""), kind)
        )
        yield from numbers


def _is_number(text: str, kind: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+" + (r"(\.[0-9]+)?" if kind != "integer" else ""), text) is not None


def _occurs(member: Member) -> str:
    """A label is shown by the form and need not be sent."""
    least = 0 if isinstance(member, FormField) and member.art == "label" else member.least
    most = "unbounded" if member.most is None else str(member.most)
    return (f' minOccurs="{least}"' if least != 1 else "") + (f' maxOccurs="{most}"' if most != "1" else "")
