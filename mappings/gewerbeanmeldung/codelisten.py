"""Code lists that the form names, each with the version it names, and the one of xdomea's contacts.

The published form leaves its lists open, and none of them was at hand: codes pass as they were sent, always with their
list, so that a Fachverfahren can tell an unknown code from an unknown version (xoev-digest §3).
"""

from __future__ import annotations

from intermediary.mapping.api import Code, Group
from intermediary.mapping.api import code as as_code

_DESTATIS = "urn:de:bund:destatis:bevoelkerungsstatistik:schluessel"
GEMEINDESCHLUESSEL = (f"{_DESTATIS}:ags", "2018-01-31")
REGIONALSCHLUESSEL = (f"{_DESTATIS}:rs", "2018-01-31")
STAAT = (f"{_DESTATIS}:staat", "2017-01-01")
STAATSANGEHOERIGKEIT = (f"{_DESTATIS}:staatsangehoerigkeit", "2017-01-01")
GESCHLECHT = ("urn:xpersonenstand:schluesseltabelle:geschlecht", "2")
RECHTSFORM = ("urn:xoev-de:xgewerbeanzeige:codeliste:rechtsformen", "3")
GRUND = ("urn:xoev-de:xgewerbeanzeige:codeliste:grundfueranmeldung", "1")
NIEDERLASSUNG = ("urn:xoev-de:xgewerbeanzeige:codeliste:artderniederlassung", "1")

ERREICHBARKEIT = ("urn:de:xoev:codeliste:erreichbarkeit", "3")


def pflicht(group: Group, name: str, liste: tuple[str, str]) -> Code:
    """The code a required field holds."""
    return Code(group.required(name, as_code), *liste)


def angegeben(group: Group, name: str, liste: tuple[str, str]) -> Code | None:
    """The code an optional field holds; LEER-IST-NICHT-ANGEGEBEN: one of blanks is none."""
    value = group.optional(name, as_code)
    return Code(value, *liste) if value is not None and value.value else None
