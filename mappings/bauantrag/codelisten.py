"""Code lists of XBau 2.1 that this mapping writes, each with URI and version; lists of more than a few codes are tables."""

from __future__ import annotations

from pathlib import Path

from intermediary.mapping.api import Code, Sourced, codelist, load_codes

HERE = Path(__file__).parent

# Versions that the schema of XBau 2.1 fixes; the form offers their codes, so a code passes as it was sent.
BAUMASSNAHME = ("urn:xoev-de:xbau:codeliste:baumassnahme", "1.0")
GEBAEUDEKLASSE = ("urn:xoev-de:xbau:codeliste:mbogebaeudeklasse", "1.0")
SONDERBAUTEN = ("urn:xoev-de:xbau:codeliste:mbosonderbauten", "1.0")
GARAGENTYP = ("urn:xoev-de:xbau:codeliste:mbogaragentyp", "1.0")
BAUWEISE = ("urn:xoev-de:xbau:codeliste:bauweise", "1.0")
BAUVORLAGEBERECHTIGUNG = ("urn:xoev-de:xbau:codeliste:bauvorlageberechtigungsachverhalt", "1.0")
ABWEICHUNG = ("urn:xoev-de:xbau:codeliste:abweichungart", "1.0")
VORLAGEN_BAUVORHABEN = ("urn:xoev-de:xbau:codeliste:vorlagenbauantragbauvorhaben", "1.0")
VORLAGEN_BEARBEITUNG = ("urn:xoev-de:xbau:codeliste:vorlagenbauantragbearbeitung", "1.0")
NACHRICHTENTYP = codelist("urn:xoev-de:xbau:codeliste:xbau-nachrichten", "1.0", "0200")

# Versions that the schema leaves open.
ERREICHBARKEIT = ("urn:de:xoev:codeliste:erreichbarkeit", "3")
KANAELE = (("email", "01"), ("telefon", "02"), ("mobil", "03"), ("fax", "04"), ("demail", "08"))
MIMETYP = ("urn:xoev-de:xbau:codeliste:xbau-mimetypes", "1.0")
BEHOERDENSCHLUESSEL = "urn:xoev-de:bund:bmi:bit:codeliste:dvdv.behoerdenschluessel"
PRAEFIX = load_codes(HERE / "praefix.toml")
BUNDESLAND = load_codes(HERE / "bundesland.toml")
NUTZUNG = load_codes(HERE / "nutzung.toml")


def code_of(liste: tuple[str, str], value: Sourced[str] | None) -> Code | None:
    """The input as a code of a list whose codes the form offers."""
    return None if value is None else Code(value, *liste)
