"""The one parser of the project: bytes in, tree out, nothing fetched and nothing expanded on the way."""

from __future__ import annotations

import threading
from typing import TypeAlias

from lxml import etree

from intermediary.core.faults import Rejected
from intermediary.core.values import Content
from intermediary.xml import gate, short
from intermediary.xml.gate import DEFAULT, Limits

__all__ = ["DEFAULT", "Element", "Limits", "parse"]

Element: TypeAlias = etree._Element

_XINCLUDE = "{http://www.w3.org/2001/XInclude}*"


def parse(data: bytes | Content, *, limits: Limits = DEFAULT, refuse_instructions: bool = False) -> Element:
    """The root element of a document that passed the gate.

    Everyone who reads XML calls this, once per document and trust stage; nobody else constructs a parser. UTF-8 only;
    no document type declaration, no entity, no file, no network. Comments and processing instructions are not in the
    tree, so `element.text` is the whole text; with `refuse_instructions` an instruction is an error (SOAP 1.1). An
    element of XInclude is refused: nobody here would follow it, but who gets the document next might.
    Raises `Rejected`: `xml.dtd-forbidden`, `xml.xinclude-forbidden`, `xml.encoding`, `xml.limit`, `xml.malformed`;
    `where` holds the kind of limit or the line, never content.
    """
    document = _bounded(data, limits)
    document = gate.without_bom(document)
    root = short.read_plain(document, limits, _own.parser)
    if root is None:
        gate.check(document, limits, refuse_instructions=refuse_instructions)
        try:
            # huge_tree lifts libxml2's 10 MB per text; the gate has counted everything before.
            root = etree.fromstring(document, parser=_new_parser(huge_tree=True))
        except etree.XMLSyntaxError as error:
            # Without the library's sentence: it may quote the document.
            raise Rejected("xml.malformed", where=f"line {error.lineno}") from None
    if next(root.iter(_XINCLUDE), None) is not None:
        raise Rejected("xml.xinclude-forbidden")
    return root


def _bounded(data: bytes | Content, limits: Limits) -> bytes:
    length = len(data) if isinstance(data, bytes) else data.length
    if length > limits.max_bytes:
        raise Rejected("xml.limit", where="bytes")
    return data if isinstance(data, bytes) else data.read()


class _Own(threading.local):
    """A parser per thread for small documents: it forgets each one, its log too, and making it costs as much as reading."""

    def __init__(self) -> None:
        self.parser = _new_parser(huge_tree=False)


def _new_parser(*, huge_tree: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        recover=False,
        huge_tree=huge_tree,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
        collect_ids=False,
    )


_own = _Own()
