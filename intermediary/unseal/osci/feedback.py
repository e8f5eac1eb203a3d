"""Feedback: the codes and texts with which a supplier says what became of a request (digest §15)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from intermediary.unseal.nodes import broken, children, optional, single, text
from intermediary.unseal.osci.names import OSCI
from intermediary.xml.parser import Element

_CODE = re.compile(r"[0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a feedback: its code, the supplier's words, and their language (`de`), empty where not given."""

    code: str
    text: str = field(repr=False)
    language: str = ""


def read_feedback(order: Element, name: str) -> tuple[Entry, ...]:
    """The entries of the Feedback (or InsideFeedback) of this `{namespace}name`; empty where there is none."""
    holder = optional(order, name)
    if holder is None:
        return ()
    return tuple(_entry(entry) for entry in children(holder, OSCI + "Entry"))


def is_success(entries: Iterable[Entry]) -> bool:
    """At least one 0xxx and no 9xxx; a warning (3xxx) decides nothing."""
    first = {entry.code[:1] for entry in entries}
    return "0" in first and "9" not in first


def errors(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The codes 9xxx, in order."""
    return tuple(entry.code for entry in entries if entry.code.startswith("9"))


def _entry(element: Element) -> Entry:
    code = text(single(element, OSCI + "Code")).strip()
    if not _CODE.fullmatch(code):
        raise broken("Code")
    said = optional(element, OSCI + "Text")
    language = element.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    return Entry(code, "" if said is None else text(said), language)
