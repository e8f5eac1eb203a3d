"""The form that a route's files describe: `formular` is its XDatenfelder schema, `jsonschema` the one of a JSON payload, all
other files are code lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.json_review import JsonSchemaError
from intermediary.core.json_schema import JsonSchema, read_json, read_json_schema
from intermediary.core.ports import Antrag
from intermediary.core.values import Befund
from intermediary.mapping.findings import Findings
from intermediary.mapping.form import Form
from intermediary.mapping.xdatenfelder import FormError, list_name, read_form
from intermediary.xml.parser import Element, parse

FORM = "formular"
JSON_SCHEMA = "jsonschema"
_CODE = "mapping.setting.invalid"


def configured_form(files: Mapping[str, bytes]) -> Form:
    """The form; the same bytes are read once per process.

    Raises `Misconfigured("mapping.setting.invalid")` naming the file: no `formular`, no XML, no XDatenfelder, no genericode.
    """
    if FORM not in files:
        raise _wrong(FORM, f"unter [route.files] fehlt {FORM}: das XDatenfelder-Schema des Formulars")
    names = tuple(name for name in files if name not in (FORM, JSON_SCHEMA))
    return _form(files[FORM], names, tuple(files[name] for name in names))


def demand_json(antrag: Antrag, files: Mapping[str, bytes]) -> None:
    """Holds a JSON payload against the route's `jsonschema`, if both are there.

    Raises `Rejected("mapping.input.refused")` with a Befund per place, the rule `json.<keyword>`, and `Misconfigured` as
    `configured_json_schema` does.
    """
    schema = configured_json_schema(files)
    if antrag.tree is not None or schema is None:
        return
    findings = Findings()
    for one in schema.problems(read_json(antrag.payload.content.read())):
        hint = "Diese Angabe entspricht nicht dem JSON-Schema des Formulars."
        findings.add(rule=f"json.{one.keyword}", path=one.pointer or "/", hint=hint)
    findings.refuse()


def configured_json_schema(files: Mapping[str, bytes]) -> JsonSchema | None:
    """The route's JSON schema; `Misconfigured("mapping.setting.invalid")` when it is not understood whole."""
    return _json_schema(files[JSON_SCHEMA]) if JSON_SCHEMA in files else None


@lru_cache(maxsize=64)
def _json_schema(data: bytes) -> JsonSchema:
    try:
        return read_json_schema(data)
    except JsonSchemaError as wrong:
        raise _wrong(JSON_SCHEMA, f"kein verstandenes JSON-Schema ({wrong})") from None


@lru_cache(maxsize=64)
def _form(schema: bytes, names: tuple[str, ...], codelists: tuple[bytes, ...]) -> Form:
    tree = _parsed(FORM, schema)
    lists = [_codelist(name, data) for name, data in zip(names, codelists, strict=True)]
    try:
        return read_form(tree, lists)
    except FormError as wrong:
        raise _wrong(FORM, str(wrong)) from None


def _codelist(name: str, data: bytes) -> Element:
    tree = _parsed(name, data)
    try:
        list_name(tree)
    except FormError as wrong:
        raise _wrong(name, str(wrong)) from None
    return tree


def _parsed(name: str, data: bytes) -> Element:
    try:
        return parse(data)
    except Rejected as refusal:
        raise _wrong(name, f"kein lesbares XML ({refusal.code} {refusal.where})".replace(" )", ")")) from None


def _wrong(name: str, hint: str) -> Misconfigured:
    path = f"files.{name}"
    return Misconfigured(_CODE, where=path, findings=(Befund(code=_CODE, path=path, hint=hint),))
