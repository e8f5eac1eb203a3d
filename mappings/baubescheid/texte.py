"""Reads texts of a decision: plain paragraphs, and HTML in base64 that becomes plain paragraphs."""

from __future__ import annotations

import re
from base64 import b64decode
from html import unescape

from intermediary.mapping.api import Group, Sourced

_OHNE_TEXT = re.compile(
    r"<(script|style|head|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE
)
_BILD = re.compile(r"<(?:img|svg|object|canvas|video)\b[^>]*>?", re.IGNORECASE)
_PUNKT = re.compile(r"<li\b[^>]*>?", re.IGNORECASE)
_ABSATZ = re.compile(
    r"</?(?:p|div|br|hr|h[1-6]|ul|ol|li|dl|dt|dd|table|tr|section|article|blockquote|pre|figure|header|footer)\b[^>]*>?",
    re.IGNORECASE,
)
_ZELLE = re.compile(r"</t[dh]\s*>", re.IGNORECASE)
_SONST = re.compile(r"</?[A-Za-z!?][^>]*>?")
_NICHT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BILDHINWEIS = "[Abbildung: siehe die Nachricht der Behörde im selben Paket]"


def absaetze(group: Group) -> list[Sourced[str]]:
    """The paragraphs of a `Text`, blank ones left out."""
    return [one for one in group.repeated("textabsatz") if one.value.strip()]


def formatiert(group: Group) -> list[Sourced[str]]:
    """FORMATIERUNG-VEREINFACHT: the paragraphs of a `TextFormatiert`; HTML of others is never shown as HTML.

    Raises `ValueError` when the content is no base64 of UTF-8.
    """
    text = group.required("text")
    return [
        Sourced(absatz, "rule", f"FORMATIERUNG-VEREINFACHT({text.source})") for absatz in aus_html(lesbar(text.value))
    ]


def lesbar(base64: str) -> str:
    """The text behind base64, UTF-8 with or without a mark in front."""
    return entschluesselt(base64).decode("utf-8-sig")


def entschluesselt(base64: str) -> bytes:
    """The bytes behind base64. Raises `ValueError` for anything else: not every validator of XML Schema looks closely."""
    return b64decode("".join(base64.split()), validate=True)


def aus_html(html: str) -> list[str]:
    """What a person reads of an HTML text: its paragraphs and points, without tags, scripts and comments."""
    text = _OHNE_TEXT.sub(" ", html)
    text = _BILD.sub(f"\n{BILDHINWEIS}\n", text)
    text = _ZELLE.sub(" · ", _PUNKT.sub("\n– ", text))
    text = unescape(_SONST.sub("", _ABSATZ.sub("\n", text)))
    zeilen = (
        " ".join(_NICHT_XML.sub("\ufffd", zeile).split()) for zeile in re.split(r"[\n\r\x0b\x0c\x85\u2028\u2029]", text)
    )
    return [zeile.removesuffix(" ·") for zeile in zeilen if zeile.strip("–· ")]
