"""The form that a route's files describe: `formular` is its XDatenfelder schema, `jsonschema` is for JSON payloads and not
read here (the pipeline holds them against it), all other files are code lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.json_schema import ROUTE_SCHEMA
from intermediary.core.values import Befund
from intermediary.mapping.form import Form
from intermediary.mapping.xdatenfelder import FormError, list_name, read_form
from intermediary.xml.parser import Element, parse

FORM = "formular"
_CODE = "mapping.setting.invalid"


def configured_form(files: Mapping[str, bytes]) -> Form:
    """The form; the same bytes are read once per process.

    Raises `Misconfigured("mapping.setting.invalid")` naming the file: no `formular`, no XML, no XDatenfelder, no genericode.
    """
    if FORM not in files:
        raise _wrong(FORM, f"unter [route.files] fehlt {FORM}: das XDatenfelder-Schema des Formulars")
    names = tuple(name for name in files if name not in (FORM, ROUTE_SCHEMA))
    return _form(files[FORM], names, tuple(files[name] for name in names))


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
