"""Code lists as tables: read from genericode once, kept as TOML beside the mapping, with source and version.

Generated tables are facts of a published list (which code stands for what); the mapping looks codes up and the
provenance of the result names list, version and input.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from intermediary.mapping import toml
from intermediary.mapping.provenance import Code, Sourced
from intermediary.xml.parser import Element


@dataclass(frozen=True, slots=True)
class CodeTable:
    """Translates codes of one list into codes of `list_uri`, version `version`."""

    name: str
    list_uri: str
    version: str
    rows: Mapping[str, str] = field(repr=False)

    def translate(self, key: Sourced[str] | None) -> Code | None:
        """The code for an input, or None when the input is missing or not in the table."""
        if key is None or key.value not in self.rows:
            return None
        source = f"{self.list_uri}_{self.version} {self.name}({key.source})"
        return Code(Sourced(self.rows[key.value], "codelist", source), self.list_uri, self.version)

    def known(self, key: Sourced[str] | None) -> Code | None:
        """The input itself as a code of this list, in a table of codes and names; None when it is missing or unknown."""
        if key is None or key.value not in self.rows:
            return None
        return Code(key, self.list_uri, self.version)


def load_codes(path: Path) -> CodeTable:
    """The table in a TOML file that `code_table` wrote."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return CodeTable(table["name"], table["list_uri"], table["version"], dict(table["rows"]))


def code_table(name: str, codelist: Element, *, key_column: str, value_column: str) -> str:
    """The text of a table from one column of a genericode list to another; rows without either are left out.

    Raises `ValueError` when a key stands for two values.
    """
    rows: dict[str, str] = {}
    for row in rows_of(codelist):
        code, other = row.get(key_column, ""), row.get(value_column, "")
        if code and other and rows.setdefault(code, other) != other:
            raise ValueError("a key of the list stands for two values")
    list_uri, version = identification(codelist)
    head = {"name": name, "list_uri": list_uri, "version": version}
    lines = [
        f"# Generated from genericode {list_uri}_{version}: {key_column} to {value_column}; do not edit.",
        *(f"{entry} = {toml.value(text)}" for entry, text in head.items()),
        "",
        "[rows]",
        *toml.pairs(dict(sorted(rows.items()))),
    ]
    return "\n".join(lines) + "\n"


def identification(codelist: Element) -> tuple[str, str]:
    """Canonical URI and version of a genericode list."""
    return _text(codelist, "CanonicalUri"), _text(codelist, "Version")


def rows_of(codelist: Element) -> list[dict[str, str]]:
    """The rows of a genericode list by column; qualified children are read too: FIM editors export them."""
    return [
        {str(value.get("ColumnRef")): _collapsed(value) for value in row if _local(value) == "Value"}
        for row in codelist.iter()
        if _local(row) == "Row"
    ]


def key_columns(codelist: Element) -> list[str]:
    """The columns that the keys of a list name, in order: first the code, then what the list calls its name."""
    keys = [element for element in codelist.iter() if _local(element) == "Key"]
    return [str(ref.get("Ref")) for one in keys for ref in one if _local(ref) == "ColumnRef"]


def _text(codelist: Element, name: str) -> str:
    found = next((element for element in codelist.iter() if _local(element) == name), None)
    if found is None:
        raise ValueError(f"not genericode: no {name}")
    return _collapsed(found)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _collapsed(element: Element) -> str:
    return " ".join("".join(str(piece) for piece in element.itertext()).split())
