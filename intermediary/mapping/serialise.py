"""Writes an output as bytes: the same elements give the same bytes, whichever XML library is installed.

Retries compare hashes of outputs (DESIGN §2.3), so the layout is ours: UTF-8, two blanks of indentation, namespaces
on the root, attributes in schema order, no mixed content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
INDENT = "  "


def attributes_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Attributes as they stand in a tag, each with a blank before it."""
    return "".join([f' {name}="{value.translate(_IN_ATTRIBUTE)}"' for name, value in pairs])


def namespaces_of(namespaces: Mapping[str, str]) -> str:
    """Declarations of prefixes for the tag of the root."""
    return attributes_of((f"xmlns:{prefix}", uri) for prefix, uri in sorted(namespaces.items()))


def leaf_line(indent: str, name: str, attributes: str, text: str) -> str:
    """An element without children."""
    if not text:
        return f"{indent}<{name}{attributes}/>"
    return f"{indent}<{name}{attributes}>{text.translate(_IN_TEXT)}</{name}>"


def document_of(lines: Iterable[str]) -> bytes:
    """The document that these lines are."""
    return ("\n".join(lines) + "\n").encode("utf-8")
