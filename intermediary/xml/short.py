"""The short way through the gate, for small documents in which most of what it counts cannot be too much.

Well-formedness is checked by the same reader, and a document type declaration ends it the same way; only the counting,
event by event, is left out where bytes and size prove that it would find nothing. Whatever is unusual takes the long way.
"""

from __future__ import annotations

import re
from functools import cache
from xml.parsers import expat

from intermediary.xml.gate import SEPARATOR, Limits, refuse_doctype

SMALL_BYTES = 256 * 1024

_SHORT_TAG = 1000
_LONG_STRETCH = 256
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n"
_LONG_TAG = re.compile(rb"<[^>]{%d}" % _SHORT_TAG)


def passes(data: bytes, limits: Limits) -> bool:
    """Whether the gate would let the document through, if it is not too deep. False decides nothing.

    In a small document there are neither too many nodes nor too long a token. Where no tag is long, there is neither too
    long a name nor too many attributes. `data` has no byte order mark. Raises `Rejected` as the gate for a DTD.
    """
    if len(data) > SMALL_BYTES or not _is_wide(limits):
        return False
    data = _without_base64(data)
    # Without comments and the like, which are looked for below, every `<` begins a tag; if there are as many `>`, none
    # of them stands inside a tag's value.
    if data.count(b"<") != data.count(b">") or _LONG_TAG.search(data):
        return False
    seen: list[object] = []

    def note(*event: object) -> None:
        seen.append(event)

    parser = expat.ParserCreate("utf-8", SEPARATOR)
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse_doctype
    parser.CommentHandler = parser.ProcessingInstructionHandler = parser.StartCdataSectionHandler = note
    try:
        parser.Parse(data, True)
    except expat.ExpatError:
        return False
    return not seen


def _without_base64(data: bytes) -> bytes:
    """One letter for every long text of Base64: for well-formedness it is as good, and the reader is spared it.

    Lexically, such a text is what lies between a `>` and the next `<`; where that is in a comment or the like, or in a
    value (which no `<` may be in), the document does not pass anyhow.
    """
    stretches = data.split(b"<")
    for position, stretch in enumerate(stretches):
        if len(stretch) > _LONG_STRETCH:
            tag, end, text = stretch.partition(b">")
            if len(text) > 1 and not text.translate(None, _BASE64):
                stretches[position] = tag + end + b"A"
    return b"<".join(stretches)


@cache
def _is_wide(limits: Limits) -> bool:
    return (
        min(limits.max_bytes, limits.max_token, 3 * limits.max_nodes) >= SMALL_BYTES
        and limits.max_name > _SHORT_TAG
        # An attribute or declaration takes five bytes at least.
        and 5 * limits.max_attributes > _SHORT_TAG
    )
