"""The short way through the gate: small documents that are so plain that the gate would find nothing in them.

Plain is what bytes and size prove to be; the rest is left to the parser, which must be content without a word. Whatever
looks unusual takes the long way and is judged there: nothing is refused here, and nothing let through that the gate
would not.
"""

from __future__ import annotations

import re
from functools import cache

from lxml import etree

from intermediary.xml import queries
from intermediary.xml.gate import Limits

SMALL_BYTES = 256 * 1024
"""In so small a document are neither too many nodes nor too long a token, if the limits are as wide as usual."""

_SHORT_TAG = 1000
"""In so short a tag is neither too long a name nor too many attributes: each takes five bytes at least."""

_STRETCH = 1024

_XML_NAMESPACE = b"http://www.w3.org/XML/1998/namespace"

_LONG_TAG = re.compile(rb"<[^>]{%d}" % _SHORT_TAG)
_FOREIGN_NAME = re.compile(rb"<[^>]*[^\x00-\x7f]")
_OTHER_REFERENCE = re.compile(rb"&(?!(?:lt|gt|amp|quot|apos);)")


def read_plain(document: bytes, limits: Limits, parser: etree.XMLParser) -> etree._Element | None:
    """The root of a plain document without a byte order mark, or None where it has to take the long way.

    `parser` is the calling thread's own and has libxml2's own limits (no huge_tree).
    """
    if len(document) > SMALL_BYTES or not _is_wide(limits):
        return None
    levels = _most_levels(document)
    if levels is None:
        return None
    try:
        root = etree.fromstring(document, parser=parser)
    except etree.XMLSyntaxError:
        return None
    # After an error of namespaces lxml gives a tree, whatever else was wrong.
    if len(parser.error_log) or (levels > limits.max_depth and queries.is_deeper(root, limits.max_depth)):
        return None
    return root


def _most_levels(document: bytes) -> int | None:
    """How deep a plain document can be at most: one of elements with short tags and ASCII names, text, five references.

    None if there is anything else: another declaration than that of XML, a comment, a CDATA section, an instruction. One
    character is found much faster than two, therefore it is asked for first.
    """
    if b"!" in document and b"<!" in document:
        return None
    start = document.find(b"?>") + 2 if document.startswith(b"<?xml") else 0
    if document.find(b"?", start) >= 0 and document.find(b"<?", start) >= 0:
        return None
    if b"&" in document and _OTHER_REFERENCE.search(document):
        return None
    markup = _without_long_texts(document)
    if markup is None:
        return None
    # Now every `<` begins a tag. If there are as many `>`, none of them stands in a value: a tag ends where it seems to.
    tags = markup.count(b"<")
    if tags != markup.count(b">") or _LONG_TAG.search(markup):
        return None
    # libxml2 takes a second declaration of the prefix xml.
    if _XML_NAMESPACE in markup:
        return None
    if not document.isascii() and _FOREIGN_NAME.search(markup):
        return None
    # Half of them end an element; an innermost one may end itself.
    return tags // 2 + 1


def _without_long_texts(document: bytes) -> bytes | None:
    """The document without its long texts, None if one of them does not stand behind a short tag or has a `>`."""
    kept = []
    position = 0
    while position < len(document):
        # From one `<` to the next; short stretches are passed over many at a time.
        end = document.rfind(b"<", position + 1, position + _STRETCH)
        if end < 0:
            end = document.find(b"<", position + _STRETCH)
            end = len(document) if end < 0 else end
            tag = document.find(b">", position, position + _SHORT_TAG) + 1
            if tag == 0 or document.find(b">", tag, end) >= 0:
                return None
            kept.append(document[position:tag])
        else:
            kept.append(document[position:end])
        position = end
    return b"".join(kept)


@cache
def _is_wide(limits: Limits) -> bool:
    return (
        min(limits.max_bytes, limits.max_token, limits.max_tag, 3 * limits.max_nodes) >= SMALL_BYTES
        and limits.max_name > _SHORT_TAG
        and 5 * limits.max_attributes > _SHORT_TAG
    )
