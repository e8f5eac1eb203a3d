"""The Kopf of the xdomea message."""

from __future__ import annotations

import datetime as dt

from intermediary.mapping.api import Kontext, Node, Sourced, constant, metadata, rule
from mappings.gewerbeanmeldung import codelisten
from mappings.gewerbeanmeldung.einstellungen import Einstellungen


def schreibe_kopf(nachricht: Node, eingang: dt.datetime, einstellungen: Einstellungen, kontext: Kontext) -> None:
    """Kopf. PROZESS-JE-EINREICHUNG: the ProzessID is the key of the Nachricht, so that 0402 and 0403 find back."""
    kopf = nachricht.element("Kopf")
    kopf.leaf("ProzessID", metadata(kontext.key, "nachricht.key"))
    kopf.code("Nachrichtentyp", codelisten.NACHRICHTENTYP)
    kopf.leaf("Erstellungszeitpunkt", metadata(eingang, "nachricht.received_at"))
    _stelle(kopf.element("Absender"), "absender", einstellungen.absender, kontext)
    _stelle(kopf.element("Empfaenger"), "empfaenger", einstellungen.empfaenger, kontext)
    kopf.leaf("Hinweis", _hinweis(kontext))
    kopf.leaf("Importbestaetigung", constant(True))
    bestaetigung = einstellungen.empfangsbestaetigung == "true"
    kopf.leaf("Empfangsbestaetigung", metadata(bestaetigung, "settings.empfangsbestaetigung"))


def _stelle(kontakt: Node, setting: str, name: str, kontext: Kontext) -> None:
    """STELLE-AUS-EINSTELLUNG: the configured name; without one the Mandant, because xdomea wants a named body."""
    value = metadata(name, f"settings.{setting}") if name else metadata(kontext.mandant, "nachricht.mandant")
    kontakt.element("Institution").leaf("Name", value)


def _hinweis(kontext: Kontext) -> Sourced[str] | None:
    """HINWEIS: xdomea 3.1 has no mark for tests or repeated output, so the Kopf says it in words."""
    saetze = []
    if kontext.is_test:
        saetze.append("Testnachricht, nicht bearbeiten.")
    if kontext.revision:
        saetze.append(f"Berichtigte Fassung {kontext.revision} derselben Einreichung.")
    quellen = metadata(kontext.is_test, "nachricht.is_test"), metadata(kontext.revision, "nachricht.revision")
    return rule("HINWEIS", " ".join(saetze), *quellen) if saetze else None
