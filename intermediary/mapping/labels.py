"""What the fields and groups of a form are called: a table generated from its XDatenfelder schema, for the summary.

The payload names fields by id and version (`F05000000059V1.0.0`); a Sachbearbeiter needs "Familienname". The table also
holds the kind of a field that is not plain text, and the meaning of coded values from the code lists that are at hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from intermediary.mapping import toml
from intermediary.mapping.codes import CodeTable, identification, key_columns, rows_of
from intermediary.mapping.form import identity_of, is_same_field
from intermediary.xml.parser import Element

_PLAIN = "text"


@dataclass(frozen=True, slots=True)
class Labels:
    """Names by the payload's element names, in whichever spelling of FIM ids (`is_same_field`). `kinds` has only what is not
    text; `lists` names a field's code list.

    `groups` are the elements that hold fields; None in the XFall form, where the names say it (`G…`).
    """

    title: str
    labels: Mapping[str, str] = field(repr=False)
    kinds: Mapping[str, str] = field(repr=False)
    lists: Mapping[str, str] = field(repr=False)
    values: Mapping[str, Mapping[str, str]] = field(repr=False)
    groups: frozenset[str] | None = field(default=None, repr=False)
    _by_id: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {identity_of(name).id: name for name in self.labels})

    def spelled(self, name: str) -> str:
        """The name as this table spells it; itself if the form does not know it."""
        if name in self.labels:
            return name
        other = self._by_id.get(identity_of(name).id, "")
        return other if other and is_same_field(name, other) else name

    def label(self, name: str) -> str:
        """What the form calls an element; its own name if the form does not know it."""
        return self.labels.get(self.spelled(name), name)

    def meaning(self, name: str, code: str) -> str | None:
        """What a coded value means; None when it is not a value of a list that is at hand."""
        return self.values.get(self.lists.get(self.spelled(name), ""), {}).get(code)

    def has_values(self, name: str) -> bool:
        """Whether the values of this field come from a list that is at hand."""
        return self.lists.get(self.spelled(name), "") in self.values

    def kind(self, name: str) -> str:
        """The data type of a field (`date`, `file`, …); `text` for all that is not told."""
        return self.kinds.get(self.spelled(name), _PLAIN)

    def is_group(self, name: str) -> bool:
        """Whether an element holds fields; an upload of any type is a field although it may have children."""
        return name.startswith("G") if self.groups is None else name in self.groups

    def with_codes(self, *tables: CodeTable) -> Labels:
        """The same names, with the meanings of code tables whose rows are code and name."""
        return replace(self, values={**self.values, **{f"{one.list_uri}_{one.version}": one.rows for one in tables}})


def load_labels(path: Path) -> Labels:
    """The table in a `labels.toml`."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    groups = table.get("groups")
    return Labels(
        title=table["title"],
        labels=table["labels"],
        kinds=table["kinds"],
        lists=table["lists"],
        values=table["values"],
        groups=None if groups is None else frozenset(groups),
    )


def labels_of(schema: Element, codelists: Iterable[Element] = (), *, sha256: str) -> str:
    """The text of `labels.toml` for an XDatenfelder 3.0.0 Datenschema (message 0102); `sha256` is that of its file.

    Of the two names of an element, the one for output wins over the one for input; an element that has neither gets the
    name its editor gave it, because no heading may be empty. Lists without a genericode file stay without meanings.
    """
    form = _first(schema, "stammdatenschema")
    elements = {_name(one): one for one in form.iter() if _local(one) in ("datenfeld", "datenfeldgruppe")}
    at_hand = {"_".join(identification(one)): dict(_meanings(one)) for one in codelists}
    inline = {name: dict(_inline(one)) for name, one in elements.items() if _local(one) == "datenfeld"}
    lists = {name: _list_of(name, one, inline) for name, one in elements.items()}
    used = {name: at_hand.get(name) or inline.get(name) for name in lists.values()}
    tables: dict[str, Mapping[str, str]] = {
        "labels": {name: _label(one) for name, one in elements.items()},
        "kinds": {name: kind for name, one in elements.items() if (kind := _kind(one)) != _PLAIN},
        "lists": {name: one for name, one in lists.items() if one},
    }
    lines = [
        "# Generated from the XDatenfelder schema of the form; do not edit.",
        f"schema = {toml.value(_name(form))}",
        f"sha256 = {toml.value(sha256)}",
        f"title = {toml.value(_child_text(form, 'bezeichnung'))}",
    ]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *toml.pairs(dict(sorted(table.items())))]
    lines += ["", "[values]"]
    for list_name, meanings in sorted(used.items()):
        if meanings:
            lines += ["", f"[values.{toml.key(list_name)}]", *toml.pairs(meanings)]
    return "\n".join(lines) + "\n"


def _name(element: Element) -> str:
    """Id and version as the payload's element names spell them."""
    identity = _first(element, "identifikation")
    return f"{_child_text(identity, 'id')}V{_child_text(identity, 'version')}"


def _label(element: Element) -> str:
    names = (_child_text(element, name) for name in ("bezeichnungAusgabe", "bezeichnungEingabe", "name"))
    return next((name for name in names if name), "")


def _kind(element: Element) -> str:
    """The data type of a field (`date`, `num`, `file`, …); groups are plain."""
    kind = next((one for one in element if _local(one) == "datentyp"), None)
    return _child_text(kind, "code") if kind is not None else _PLAIN


def _list_of(name: str, element: Element, inline: Mapping[str, Mapping[str, str]]) -> str:
    reference = next((one for one in element if _local(one) == "codelisteReferenz"), None)
    if reference is not None:
        return _child_text(reference, "canonicalVersionUri")
    return name if inline.get(name) else ""


def _inline(element: Element) -> Iterator[tuple[str, str]]:
    for values in (one for one in element if _local(one) == "werte"):
        for value in values:
            yield _child_text(value, "code"), _child_text(value, "name")


def _meanings(codelist: Element) -> Iterator[tuple[str, str]]:
    code, name = key_columns(codelist)[:2]
    for row in rows_of(codelist):
        if code in row and name in row:
            yield row[code], row[name]


def _first(element: Element, name: str) -> Element:
    found = next((one for one in element.iter() if _local(one) == name), None)
    if found is None:
        raise ValueError(f"not an XDatenfelder schema: no {name}")
    return found


def _child_text(element: Element, name: str) -> str:
    found = next((one for one in element if _local(one) == name), None)
    return "" if found is None else " ".join("".join(str(piece) for piece in found.itertext()).split())


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
