"""Writes an output tree as bytes: the same tree gives the same bytes, whichever XML library is installed.

Retries compare hashes of outputs (DESIGN §2.3), so the layout is ours: UTF-8, two blanks of indentation, namespaces
on the root, attributes in schema order, no mixed content.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_IN_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})


@dataclass(frozen=True, slots=True)
class Tree:
    """An element ready to be written: `name` with its prefix, then either `text` or `children`."""

    name: str
    attributes: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    text: str | None = field(default=None, repr=False)
    children: tuple[Tree, ...] = field(default=(), repr=False)


def serialise(root: Tree, namespaces: Mapping[str, str]) -> bytes:
    """The document as UTF-8 bytes with declaration; `namespaces` are prefix and URI, declared on the root."""
    declared = tuple((f"xmlns:{prefix}", uri) for prefix, uri in sorted(namespaces.items()))
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    _write(Tree(root.name, declared + root.attributes, root.text, root.children), 0, lines)
    return ("\n".join(lines) + "\n").encode("utf-8")


def _write(tree: Tree, depth: int, lines: list[str]) -> None:
    indent = "  " * depth
    attributes = "".join(f' {name}="{value.translate(_IN_ATTRIBUTE)}"' for name, value in tree.attributes)
    if tree.children:
        lines.append(f"{indent}<{tree.name}{attributes}>")
        for child in tree.children:
            _write(child, depth + 1, lines)
        lines.append(f"{indent}</{tree.name}>")
    elif tree.text:
        lines.append(f"{indent}<{tree.name}{attributes}>{tree.text.translate(_IN_TEXT)}</{tree.name}>")
    else:
        lines.append(f"{indent}<{tree.name}{attributes}/>")
