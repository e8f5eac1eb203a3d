"""Looks at the beginning of XML that is passed on unread: what stands before its first element."""

from __future__ import annotations

from xml.parsers import expat

from intermediary.core.values import Content

_PIECE = 64 * 1024
_MOST = 1024 * 1024


class _Found(Exception):
    """The first element, or a document type declaration, has been reached."""


def declares_doctype(content: Content) -> bool:
    """Whether an XML document brings a document type declaration, or hides its first element behind a megabyte.

    For attachments: nothing is resolved and no tree is built. What is no XML, or no more after the first element, is not
    judged here.
    """
    seen: list[bool] = []

    def stop(is_doctype: bool) -> None:
        seen.append(is_doctype)
        raise _Found

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *_declaration: stop(True)
    parser.StartElementHandler = lambda *_element: stop(False)
    fed = 0
    with content.open() as stream:
        while fed < _MOST and (piece := stream.read(_PIECE)):
            fed += len(piece)
            try:
                parser.Parse(piece, False)
            except _Found:
                return seen[0]
            except (expat.ExpatError, LookupError, ValueError):
                return False
    return fed >= _MOST
