"""The file reference of a Vorgang: the pattern a route sets, filled in from the day of receipt and the Nachricht."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from intermediary.core.ports import Kontext
from intermediary.mapping.german import local
from intermediary.mapping.provenance import Sourced, metadata, rule

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
FROM_RECEIPT = ("jahr", "monat", "tag", "vorgang")
_CONTROL = re.compile("[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def demand_texts(settings: object, *, needed: Iterable[str] = (), optional: Iterable[str] = ()) -> None:
    """For `__post_init__` of settings: `ValueError` for a needed text of blanks, and for a control character in any."""
    for name in (*needed, *optional):
        text = getattr(settings, name)
        if name in needed and not text.strip():
            raise ValueError(f"{name} is empty")
        if has_control(text):
            raise ValueError(f"{name} contains a control character")


def has_control(text: str) -> bool:
    """Whether a text has a character that no e-file shows."""
    return _CONTROL.search(text) is not None


def demand_pattern(pattern: str) -> None:
    """For `__post_init__` of settings: `ValueError` for a placeholder of `aktenzeichen` that nobody fills in."""
    if not set(PLACEHOLDER.findall(pattern)) <= set(FROM_RECEIPT):
        known = ", ".join(f"{{{name}}}" for name in FROM_RECEIPT)
        raise ValueError(f"aktenzeichen has an unknown placeholder; known are {known}")


def file_reference(pattern: str, kontext: Kontext) -> Sourced[str]:
    """VORGANGSZEICHEN: the pattern of the setting `aktenzeichen` with the day of receipt and the start of the key."""
    eingang = local(kontext.received_at)
    sources = metadata(pattern, "settings.aktenzeichen"), metadata(eingang, "nachricht.received_at")
    return rule("VORGANGSZEICHEN", filled_in(pattern, from_receipt(eingang, kontext.key)), *sources)


def filled_in(pattern: str, values: Mapping[str, str]) -> str:
    """A pattern with a value for each of its placeholders."""
    return PLACEHOLDER.sub(lambda found: values[found[1]], pattern)


def from_receipt(eingang: dt.date, key: str) -> Mapping[str, str]:
    """The placeholders that need no form: day of receipt in German legal time, first part of the Nachricht's key."""
    day = {"jahr": f"{eingang.year:04}", "monat": f"{eingang.month:02}", "tag": f"{eingang.day:02}"}
    return MappingProxyType(day | {"vorgang": key.partition("-")[0]})
