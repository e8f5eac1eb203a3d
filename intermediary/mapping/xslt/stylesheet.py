"""A stylesheet as a mapping has it: checked when it is loaded, marked, ready to run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from intermediary.core.faults import Rejected
from intermediary.mapping.xslt.allowed import expressions, flaws, is_three
from intermediary.mapping.xslt.functions import names_in
from intermediary.mapping.xslt.marks import marked
from intermediary.xml.cage.cage import Sheet
from intermediary.xml.parser import Element, parse


class StylesheetError(ValueError):
    """A stylesheet that may not run; each line says where and what (`mapping.xslt:12: document()`)."""


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """What runs, and what its source tells: `names` are all names its expressions mention."""

    file: str
    sheet: Sheet = field(repr=False)
    names: frozenset[str] = field(repr=False)


def load_stylesheet(path: Path) -> Stylesheet:
    """The stylesheet in a file; a mapping calls it when it is loaded. Raises `StylesheetError`."""
    return stylesheet(path.read_bytes(), file=path.name)


def stylesheet(text: bytes, *, file: str) -> Stylesheet:
    """The stylesheet in a text. Raises `StylesheetError` with everything that is not allowed."""
    try:
        root = parse(text)
    except Rejected as refusal:
        raise StylesheetError(f"{file}: {refusal.code} {refusal.where}".rstrip()) from None
    found = flaws(root)
    if found:
        raise StylesheetError("; ".join(f"{file}:{one.line}: {one.what} is not allowed" for one in found))
    three = bool(is_three(root))
    sheet = Sheet.of("xslt3" if three else "xslt1", marked(root, is_three=three))
    return Stylesheet(file, sheet, frozenset(_names(root, three)))


def _names(root: Element, three: bool) -> Iterator[str]:
    for one in root.iter(etree.Element):
        for expression in expressions(one, with_texts=three):
            yield from names_in(expression)
