"""Code lists in OASIS genericode 1.0 as the XRepository publishes them (xoev-digest §3): read once, nothing followed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.xml.parser import Element, Limits, parse

NAMESPACE = "http://docs.oasis-open.org/codelist/ns/genericode/1.0/"
ROOT = f"{{{NAMESPACE}}}CodeList"
LIMITS = Limits(max_bytes=16 * 1024 * 1024, max_depth=40, max_nodes=1_500_000)
MAX_ROWS = 250_000
_CHILDREN = ("", f"{{{NAMESPACE}}}")
_VALUE = frozenset(f"{space}Value" for space in _CHILDREN)
_SIMPLE = frozenset(f"{space}SimpleValue" for space in _CHILDREN)
_LONGEST_CODE = 500
_RECOMMENDED = ("recommendedKeyColumn", "empfohleneCodeSpalte", "xoev-code")


@dataclass(frozen=True, slots=True)
class CodeList:
    """One list in one version.

    `uri` and `version` are what a document names as `listURI` and `listVersionID`. `columns` has the codes of every key
    column, `column` is the one the publisher recommends (without a recommendation the first). Names and other columns
    are for people and not kept. `valid_from` is what XÖV annotations say of it.
    """

    uri: str
    version: str
    column: str
    columns: Mapping[str, frozenset[str]] = field(repr=False)
    valid_from: date | None = field(default=None, compare=False)

    def codes(self, column: str = "") -> frozenset[str]:
        """The codes of a key column that a schema chose, or of the recommended one."""
        return self.columns.get(column, self.columns[self.column])


def read_code_list(data: bytes, *, where: str) -> CodeList:
    """The list in a genericode file.

    Children may be namespace-qualified, as FIM editors write them (invalid, but met). Raises
    `Misconfigured("validate.codelist.broken")` naming file and reason: a DTD, too many rows, a column set or list
    elsewhere (nothing is fetched), no or a doubtful identification, no key column, a required value that is missing, a
    code that is there twice, empty or not printable.
    """
    try:
        root = parse(data, limits=LIMITS)
    except Rejected as fault:
        raise _broken(where, " ".join(part for part in (fault.code, fault.where) if part)) from fault
    if root.tag != ROOT:
        raise _broken(where, "the root is not gc:CodeList")
    return _Reading(root, where).run()


def identify(data: bytes) -> bool:
    """Whether the bytes look like genericode: the namespace stands near their beginning. Never a judgement."""
    return NAMESPACE.encode() in data[:8192]


class _Reading:
    """One reading of one list; every complaint names the file."""

    def __init__(self, root: Element, where: str) -> None:
        self._root = root
        self._where = where

    def run(self) -> CodeList:
        uri, version = self._identification()
        required, keys, recommended = self._columns()
        columns = self._rows(required, keys)
        return CodeList(uri, version, recommended, columns, self._valid_from())

    def _valid_from(self) -> date | None:
        """The publisher's day, where the annotations of XÖV name one."""
        for one in self._root.iter("{*}validFrom", "{*}datumgueltigkeitab"):
            try:
                return date.fromisoformat((one.text or "").strip())
            except ValueError:
                return None
        return None

    def _identification(self) -> tuple[str, str]:
        found = self._one(self._root, "Identification")
        uri, version = self._text(found, "CanonicalUri"), self._text(found, "Version")
        if not _is_identifier(uri, 300) or not _is_identifier(version, 64):
            raise _broken(self._where, "Identification: CanonicalUri and Version must be there, without blanks")
        return uri, version

    def _columns(self) -> tuple[frozenset[str], dict[str, None], str]:
        """The columns that every row must fill, the key columns in their order, and the recommended one."""
        if next(_children(self._root, "ColumnSetRef"), None) is not None:
            raise _broken(self._where, "ColumnSetRef: the columns are elsewhere, and nothing is fetched")
        columns = self._one(self._root, "ColumnSet")
        declared = [column.get("Id", "") for column in _children(columns, "Column")]
        if not all(declared) or len(set(declared)) != len(declared):
            raise _broken(self._where, "ColumnSet: a column without Id, or two with one")
        self._order = {name: position for position, name in enumerate(declared)}
        required = {one.get("Id", "") for one in _children(columns, "Column") if one.get("Use") == "required"}
        keys: dict[str, None] = {}
        recommended = ""
        for key in _children(columns, "Key"):
            references = [one.get("Ref", "") for one in _children(key, "ColumnRef")]
            if len(references) != 1:
                continue  # a key of several columns is no code
            if references[0] not in declared:
                raise _broken(self._where, "ColumnSet: a key of a column that is not there")
            keys[references[0]] = None
            if not recommended and any(True for _ in _recommendations(key)):
                recommended = references[0]
        if not keys:
            raise _broken(self._where, "ColumnSet: no key column")
        return frozenset(required), keys, recommended or next(iter(keys))

    def _rows(self, required: frozenset[str], keys: dict[str, None]) -> dict[str, frozenset[str]]:
        if next(_children(self._root, "CodeListRef", "CodeListSetRef"), None) is not None:
            raise _broken(self._where, "CodeListRef: the rows are elsewhere, and nothing is fetched")
        found: dict[str, set[str]] = {key: set() for key in keys}
        table = self._one(self._root, "SimpleCodeList")
        rows = _children(table, "Row")
        for number, row in enumerate(islice(rows, MAX_ROWS), start=1):
            values = self._values(row, number)
            if not required <= values.keys():
                raise _broken(self._where, f"row {number}: a required value is missing")
            for key, codes in found.items():
                value = values.get(key)
                if value is None:
                    continue
                code = " ".join(value.split())
                if not code or len(code) > _LONGEST_CODE or not code.isprintable():
                    raise _broken(self._where, f"row {number}: a code is empty, too long or not printable")
                if code in codes:
                    raise _broken(self._where, f"row {number}: the code is there twice")
                codes.add(code)
        if next(rows, None) is not None:
            raise _broken(self._where, f"more than {MAX_ROWS} rows")
        return {key: frozenset(codes) for key, codes in found.items()}

    def _values(self, row: Element, number: int) -> dict[str, str | None]:
        """The values of a row by column; a value without a reference belongs to the column after the last one."""
        values: dict[str, str | None] = {}
        position = -1
        for value in row:
            if value.tag not in _VALUE:
                continue
            name = value.get("ColumnRef")
            if name is None:
                position += 1
                name = next(islice(self._order, position, None), "")
            if name not in self._order or name in values:
                raise _broken(self._where, f"row {number}: a value of no column, or two of one")
            position = self._order[name]
            simple = value[0] if len(value) else None
            values[name] = (simple.text or "") if simple is not None and simple.tag in _SIMPLE else None
        return values

    def _one(self, parent: Element, name: str) -> Element:
        found = list(islice(_children(parent, name), 2))
        if len(found) != 1:
            raise _broken(self._where, f"{name}: there must be exactly one")
        return found[0]

    def _text(self, parent: Element, name: str) -> str:
        found = list(islice(_children(parent, name), 2))
        return " ".join((found[0].text or "").split()) if len(found) == 1 else ""


def _children(parent: Element, *names: str) -> Iterator[Element]:
    return parent.iterchildren(*(f"{space}{name}" for space in _CHILDREN for name in names))


def _recommendations(key: Element) -> Iterator[Element]:
    return (one for one in key.iterdescendants() if str(one.tag).rpartition("}")[2] in _RECOMMENDED)


def _is_identifier(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable() and " " not in text


def _broken(where: str, reason: str) -> Misconfigured:
    return Misconfigured("validate.codelist.broken", where=f"{where}: {reason}")
