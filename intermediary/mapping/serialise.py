"""Writes an output as bytes: the same elements give the same bytes, whichever XML library is installed.

Retries compare hashes of outputs (DESIGN §2.3), so the layout is ours: UTF-8, two blanks of indentation, namespaces
on the root, attributes in schema order, no mixed content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
INDENT = "  "


def attributes_of(pairs: Iterable[tuple[str, str]]) -> str:
    """Attributes as they stand in a tag, each with a blank before it."""
    return "".join([f' {name}="{_in_attribute(value)}"' for name, value in pairs])


def namespaces_of(namespaces: Mapping[str, str]) -> str:
    """Declarations of prefixes for the tag of the root."""
    return attributes_of((f"xmlns:{prefix}", uri) for prefix, uri in sorted(namespaces.items()))


def leaf_line(indent: str, name: str, attributes: str, text: str) -> str:
    """An element without children."""
    if not text:
        return f"{indent}<{name}{attributes}/>"
    return f"{indent}<{name}{attributes}>{_in_text(text)}</{name}>"


def _in_text(text: str) -> str:
    """Replacing what is not there costs next to nothing; `translate` looks at every letter."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _in_attribute(value: str) -> str:
    plain = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return plain.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")


def document_of(lines: Iterable[str]) -> bytes:
    """The document that these lines are."""
    return ("\n".join(lines) + "\n").encode("utf-8")
