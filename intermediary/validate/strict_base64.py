"""Makes a schema as strict about `xs:base64Binary` as XML Schema is.

libxml2 passes over every character that Base64 does not know, so that any text whose remaining characters make whole
groups would be valid. Therefore each use of the type in a schema becomes one of a type of our own, derived from it, with
a pattern for the alphabet; the groups and their padding libxml2 counts well. The type decides and never a name, and
whatever is derived (restriction, extension, list, union) inherits it.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

from lxml import etree

from intermediary.xml.parser import Element
from intermediary.xml.schema import Problem

_XS = "http://www.w3.org/2001/XMLSchema"
_XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NAME = "base64Binary"
_NAMESPACE = "urn:intermediary:schema:strict-base64"
_PREFIX = "intermediary-strict"
_USES = ("type", "base", "itemType", "memberTypes")

PATTERN = r"[A-Za-z0-9+/=\s]*"
"""What an error of the type names; a schema cannot be told from it, and the finding says it in words."""

KEY = "schema:/strict-base64"
DOCUMENT = (
    f'<xs:schema xmlns:xs="{_XS}" targetNamespace="{_NAMESPACE}"><xs:simpleType name="{_NAME}">'
    f'<xs:restriction base="xs:{_NAME}"><xs:pattern value="{PATTERN}"/></xs:restriction></xs:simpleType></xs:schema>'
).encode()


def strict(root: Element, *, as_published: bool = False) -> tuple[bytes, bool]:
    """A schema document, serialised anew, and whether it now refers to `DOCUMENT` under `KEY`; `root` is changed.

    For `closure`, which gives the documents to whoever compiles them. Only a document that uses the type is touched, and
    none `as_published`.
    """
    data = etree.tostring(root)
    if as_published or _NAME.encode() not in data:
        return data, False
    uses = [_is_made_strict(one, use) for one in root.iter(f"{{{_XS}}}*") for use in _USES if _NAME in one.get(use, "")]
    if not any(uses):
        return data, False
    reference = etree.Element(f"{{{_XS}}}import", {"namespace": _NAMESPACE, "schemaLocation": KEY})
    root.insert(0, reference)
    data = etree.tostring(root)
    # lxml cannot declare a prefix on an element that is there already, and moving its children would lose theirs.
    name = f"<{root.prefix}:schema".encode() if root.prefix else b"<schema"
    declared = f' xmlns:{_PREFIX}="{_NAMESPACE}"'.encode()
    return name + declared + data.removeprefix(name), True


def names_the_type(errors: Iterable[Problem]) -> bool:
    """Whether a document was refused for an `xsi:type` that names `xs:base64Binary`: the type as it is without us."""
    return any(one.rule == "SCHEMAV_CVC_ELT_4_3" and f"'{{{_XS}}}{_NAME}'" in one.message for one in errors)


def naming_ours(tree: Element) -> Element:
    """A copy of a document whose `xsi:type` names our type in place of `xs:base64Binary`, to be judged instead of it."""
    copy = deepcopy(tree)
    for element in copy.iter("{*}*"):
        if _is_lax(element.get(_XSI_TYPE, "").strip(), element):
            declaring = f"{{{_NAMESPACE}}}declares"  # lxml keeps the prefix that an attribute brought
            element.set(declaring, "")
            del element.attrib[declaring]
            prefix = next(one for one, uri in element.nsmap.items() if one and uri == _NAMESPACE)
            element.set(_XSI_TYPE, f"{prefix}:{_NAME}")
    return copy


def _is_made_strict(element: Element, use: str) -> bool:
    """Points one attribute's uses of the type at ours; False where it means types of another namespace."""
    before = element.get(use, "").split()
    after = [f"{_PREFIX}:{_NAME}" if _is_lax(one, element) else one for one in before]
    element.set(use, " ".join(after))
    return before != after


def _is_lax(name: str, element: Element) -> bool:
    prefix, _, local = name.rpartition(":")
    return local == _NAME and element.nsmap.get(prefix or None) == _XS
