"""Taking the document type declaration off a reviewed schema file.

Three files of the W3C and one of OASIS begin with a DOCTYPE that only repeats a namespace declaration and names
entities nobody uses. They are the only documents of the project that may have one: a package's pin must name them
(`doctype`). The declaration is cut off as text and never read, so an entity that is used after all stays undefined and
fails.
"""

from __future__ import annotations

import re

_PROLOG = re.compile(rb"(?:\s|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
_DOCTYPE = re.compile(
    rb"""<!DOCTYPE(?:[^\[>"']|"[^"]*"|'[^']*')*(?:\[(?:<!--.*?-->|"[^"]*"|'[^']*'|[^\]"'<]|<(?!!--))*\]\s*)?>""",
    re.DOTALL,
)


def without_doctype(data: bytes) -> bytes:
    """The document without the DOCTYPE of its prolog; line numbers stay. Without one: unchanged."""
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    prolog = _PROLOG.match(data, start)
    declaration = _DOCTYPE.match(data, prolog.end() if prolog else start)
    if declaration is None:
        return data
    lines = b"\n" * declaration.group().count(b"\n")
    return data[: declaration.start()] + lines + data[declaration.end() :]
