"""Questions to a whole tree, answered without visiting it element by element in Python."""

from __future__ import annotations

from functools import cache

from lxml import etree

_SHORT_NAMED = etree.XPath("descendant-or-self::*/@*[string-length(local-name()) = 2]", smart_strings=False)


_INHERITED = etree.XPath("boolean(ancestor::*/@xml:*)", namespaces={"xml": "http://www.w3.org/XML/1998/namespace"})


def inherits_xml_attributes(element: etree._Element) -> bool:
    """Whether an ancestor has xml:lang or the like."""
    return bool(_INHERITED(element))


def short_named(root: etree._Element) -> list[str]:
    """The values of all attributes whose names have two letters, in any namespace, at this element and below.

    All ids are among them, and to ask for these three names costs twice as much.
    """
    found = _SHORT_NAMED(root)
    return [str(one) for one in found] if isinstance(found, list) else []


def is_deeper(root: etree._Element, max_depth: int) -> bool:
    """Whether the elements of a document are nested deeper than that."""
    return bool(_deeper(max_depth)(root))


@cache
def _deeper(max_depth: int) -> etree.XPath:
    return etree.XPath(f"boolean({'/*' * (max_depth + 1)})")


def has_more_nodes_than(count: int, root: etree._Element) -> bool:
    """Whether there are more nodes than that below an element: elements, texts, comments."""
    return bool(_more_nodes(count)(root))


@cache
def _more_nodes(count: int) -> etree.XPath:
    return etree.XPath(f"boolean(descendant::node()[{count + 1}])")


def users_of(root: etree._Element, *attributes: str) -> list[etree._Element]:
    """Every element with one of these attributes (names without a namespace), in the order of the document."""
    found = _users(attributes)(root)
    return [one for one in found if isinstance(one, etree._Element)] if isinstance(found, list) else []


@cache
def _users(attributes: tuple[str, ...]) -> etree.XPath:
    return etree.XPath("descendant-or-self::*[" + " or ".join(f"@{name}" for name in attributes) + "]")
