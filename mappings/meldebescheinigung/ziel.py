"""The target: what XMeld 25.11a allows of the message 1700, as far as this mapping emits it, and its code lists."""

from __future__ import annotations

from pathlib import Path

from intermediary.mapping.api import allows, load_shape

HERE = Path(__file__).parent
SHAPE = load_shape(HERE / "shape.toml")
NACHRICHT = "onlinedienste.abrufanfrage.meldebescheinigung.1700"

NACHRICHTEN = ("urn:de:xmeld:schluesseltabelle:xmeld.nachrichten", "25.11a")
ZUSTELLVARIANTE = ("urn:xoev-de:xmeld:codeliste:meldebescheinigung.zustellvariante", "1")
ANFORDERUNGSELEMENT = ("urn:xoev-de:xmeld:codeliste:meldebescheinigung.anforderungselement", "2")
# Stays open: code and version come from the application (rule SCHLUESSEL-MIT-VERSION).
GEMEINDEN = "urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:ags"

_DIN_91379 = SHAPE.simple_types["din91379:datatypeC"]


def is_din_91379(text: str) -> bool:
    """Whether all characters are those of DIN 91379, data type C: every free text of the message is of it."""
    return allows(_DIN_91379, text)
