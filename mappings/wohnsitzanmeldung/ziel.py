"""The target: what XMeld 25.11a allows of the message 1704, as far as this mapping emits it, and its code lists."""

from __future__ import annotations

from pathlib import Path

from intermediary.mapping.api import Code, Group, Sourced, allows, code, load_codes, load_shape

HERE = Path(__file__).parent
SHAPE = load_shape(HERE / "shape.toml")
NACHRICHT = "onlinedienste.anmeldung.meldeschein.1704"

# Lists whose version the schema fixes, or whose codes the input schema encloses.
NACHRICHTEN = ("urn:de:xmeld:schluesseltabelle:xmeld.nachrichten", "25.11a")
GESCHLECHT = ("urn:xoev-de:xinneres:codeliste:geschlecht", "1")
FAMILIENSTAND = ("urn:de:dsmeld:schluesseltabelle:familienstand", "2")
PARTNERSCHAFT = ("urn:de:xmeld:schluesseltabelle:ehegatte.oder.lebenspartner", "2")
AUSWEISART = ("urn:de:dsmeld:schluesseltabelle:pass.und.ausweisdokumente", "5")
WOHNUNGSSTATUS = ("urn:de:dsmeld:schluesseltabelle:wohnungsstatus", "2")
AUSKUNFTSSPERRE = ("urn:de:dsmeld:schluesseltabelle:auskunftssperre", "7")

# Lists that stay open: code and version come from the application (rule SCHLUESSEL-MIT-VERSION).
GEMEINDEN = "urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:ags"
STAATSGEBIETE = "urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:staatsgebiete"
RELIGION = "urn:de:dsmeld:schluesseltabelle:religion.steuererhebend"

# Destatis keys of citizenships, version 2024-08-01, with former states and substitutes for stateless people.
STAATSANGEHOERIGKEIT = load_codes(HERE / "staatsangehoerigkeit.toml")

_DIN_91379 = SHAPE.simple_types["din91379:datatypeC"]


def is_din_91379(text: str) -> bool:
    """Whether all characters are those of DIN 91379, data type C: every free text of the message is of it."""
    return allows(_DIN_91379, text)


def coded(group: Group, name: str, liste: tuple[str, str]) -> Code:
    """The code a required field holds, of a list with a fixed version."""
    return Code(group.required(name, code), *liste)


def chosen(schluessel: Group | None, list_uri: str) -> Code | None:
    """SCHLUESSEL-MIT-VERSION: the code of an open list, with the version of the list it was chosen from."""
    if schluessel is None:
        return None
    return Code(schluessel.required("schluessel", code), list_uri, schluessel.required("listenversion", code).value)


def known_citizenship(key: Sourced[str]) -> Code | None:
    """The citizenship, or None when the list does not have the key."""
    return STAATSANGEHOERIGKEIT.known(key)
