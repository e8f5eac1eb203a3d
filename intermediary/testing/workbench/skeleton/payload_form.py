"""A form under the names its payloads use: those of the XFall shape, whichever version of XDatenfelder it was written in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from intermediary.mapping import toml
from intermediary.mapping.form import Form, FormField, FormGroup, Member

_SHORT_ID = re.compile(r"([A-Z][0-9]{2})([0-9]{6}|-[0-9a-f-]{36})")


def payload_name(name: str) -> str:
    """The element name of a payload for the name a schema uses: `F05000059V1.0` is `F05000000059V1.0.0`."""
    plain, _, version = name.partition("V")
    short = _SHORT_ID.fullmatch(plain)
    plain = f"{short[1]}000{short[2]}" if short else plain
    numbers = version.split(".")
    return f"{plain}V{'.'.join([*numbers, '0', '0'][: max(3, len(numbers))])}" if version else plain


def payload_form(form: Form) -> Form:
    """The form with these names."""
    return replace(form, root=_group(form.root))


def labels(form: Form, sha256: str) -> str:
    """The labels.toml of a form: what fields are called, their kind, and what coded values mean."""
    tables: dict[str, dict[str, str]] = {"labels": {}, "kinds": {}, "lists": {}}
    values: dict[str, Mapping[str, str]] = {}
    for one in form.members():
        tables["labels"][one.name] = one.label
        if isinstance(one, FormField):
            if one.kind != "text":
                tables["kinds"][one.name] = one.kind
            if one.values:
                tables["lists"][one.name] = one.list_name or one.name
                values[one.list_name or one.name] = one.values
    lines = [
        "# Erzeugt aus dem Datenschema des Formulars; nicht von Hand ändern.",
        f"schema = {toml.value(form.name)}",
        f"sha256 = {toml.value(sha256)}",
        f"title = {toml.value(form.title)}",
    ]
    for label, table in tables.items():
        lines += ["", f"[{label}]", *toml.pairs(dict(sorted(table.items())))]
    lines += ["", "[values]"]
    for list_name, meanings in sorted(values.items()):
        lines += ["", f"[values.{toml.key(list_name)}]", *toml.pairs(meanings)]
    return "\n".join(lines) + "\n"


def _group(group: FormGroup) -> FormGroup:
    return replace(group, name=payload_name(group.name), members=tuple(_member(one) for one in group.members))


def _member(one: Member) -> Member:
    return _group(one) if isinstance(one, FormGroup) else replace(one, name=payload_name(one.name))
