"""Labels for a form whose schema is our own: read from the attributes `form:label` and `form:list` of its XSD.

    <xs:element name="massnahme" type="ArtDerMassnahme" form:label="Art der Maßnahme"/>
    <xs:enumeration value="1" form:label="Errichtung"/>

So names for people stand where the fields are declared, and the summary needs no second source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from intermediary.mapping import toml
from intermediary.xml.parser import Element

FORM = "urn:intermediary:form"
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_KINDS = {"xs:date": "date", "xs:boolean": "bool"}


def labels_of_schema(schema: Element, *, sha256: str) -> str:
    """The text of `labels.toml` for an XSD with one file; `sha256` is that of the file.

    Raises `ValueError` when an element has no label, or when two elements of one name differ in label, kind or list.
    """
    types = {str(one.get("name")): one for one in schema if one.get("name") and one.tag != f"{_XSD}element"}
    elements = [one for one in schema.iter(f"{_XSD}element") if one.get("name")]
    tables: dict[str, dict[str, str]] = {"labels": {}, "kinds": {}, "lists": {}}
    for element in elements:
        name, kind = str(element.get("name")), types.get(str(element.get("type")))
        _put(tables["labels"], name, element.get(f"{{{FORM}}}label") or "")
        _put(tables["kinds"], name, _KINDS.get(_base(element, types), "text"))
        _put(tables["lists"], name, element.get(f"{{{FORM}}}list") or _enumerated(kind))
    if not all(tables["labels"].values()):
        raise ValueError("an element has no label")
    root = next(one for one in schema if one.tag == f"{_XSD}element")
    lines = [
        "# Generated from the schema of the form; do not edit.",
        f"schema = {toml.value(str(schema.get('targetNamespace')))}",
        f"sha256 = {toml.value(sha256)}",
        f"title = {toml.value(tables['labels'][str(root.get('name'))])}",
        f"groups = {toml.value(sorted({str(one.get('name')) for one in elements if _is_complex(one, types)}))}",
    ]
    for label, table in tables.items():
        shown = {name: text for name, text in table.items() if text not in ("", "text")}
        lines += ["", f"[{label}]", *toml.pairs(dict(sorted(shown.items())))]
    lines += ["", "[values]"]
    for name in sorted(set(tables["lists"].values()) & set(types)):
        lines += ["", f"[values.{toml.key(name)}]", *toml.pairs(dict(_meanings(types[name])))]
    return "\n".join(lines) + "\n"


def _put(table: dict[str, str], name: str, text: str) -> None:
    if table.setdefault(name, text) != text:
        raise ValueError(f"two elements are called {name} and differ")


def _base(element: Element, types: Mapping[str, Element]) -> str:
    """The built-in type at the end of a chain of named restrictions."""
    name = str(element.get("type"))
    while name in types:
        restriction = types[name].find(f"{_XSD}restriction")
        name = "" if restriction is None else str(restriction.get("base"))
    return name


def _is_complex(element: Element, types: Mapping[str, Element]) -> bool:
    kind = types.get(str(element.get("type")))
    return kind is not None and kind.tag == f"{_XSD}complexType"


def _enumerated(kind: Element | None) -> str:
    has_values = kind is not None and next(kind.iter(f"{_XSD}enumeration"), None) is not None
    return str(kind.get("name")) if kind is not None and has_values else ""


def _meanings(kind: Element) -> Iterator[tuple[str, str]]:
    for one in kind.iter(f"{_XSD}enumeration"):
        yield str(one.get("value")), one.get(f"{{{FORM}}}label") or str(one.get("value"))
