"""The Vorgang: what the e-file files and finds it by."""

from __future__ import annotations

from intermediary.mapping.api import (
    Filing,
    Kontext,
    Node,
    Sourced,
    constant,
    metadata,
    rule,
    write_date,
    write_filing,
)
from mappings.fim_eakte.angaben import Angaben, betreff, frist, suchbegriffe
from mappings.fim_eakte.einstellungen import UNBEFRISTET, Einstellungen


def schreibe_vorgang(
    vorgang: Node, angaben: Angaben, kennzeichen: Sourced[str], einstellungen: Einstellungen, kontext: Kontext
) -> None:
    """What every Vorgang has, a deadline, how long it is kept, search keys."""
    titel, typ = betreff(angaben, einstellungen, kontext), _typ(angaben, einstellungen)
    metadaten = write_filing(vorgang, Filing(titel, kennzeichen, einstellungen.aktenplan, typ), kontext)
    metadaten.leaf("Bemerkung", _bemerkung(angaben, einstellungen))
    _aufbewahrung(vorgang, einstellungen)
    _suchbegriffe(vorgang, angaben, einstellungen)


def _bemerkung(angaben: Angaben, einstellungen: Einstellungen) -> Sourced[str] | None:
    """FRIST-IN-BEMERKUNG: xdomea has no deadline of work; the end of the Laufzeit would close the Vorgang."""
    ende = frist(angaben, einstellungen)
    if ende is None:
        return None
    return rule("FRIST-IN-BEMERKUNG", f"{einstellungen.frist_text} bis {write_date(ende.value)}", ende)


def _aufbewahrung(vorgang: Node, einstellungen: Einstellungen) -> None:
    """AUFBEWAHRUNG: years after the zdA-Verfügung, or without an end."""
    if not einstellungen.aufbewahrung_jahre:
        return
    dauer = vorgang.element("ArchivspezifischeMetadaten").element("Aufbewahrungsdauer")
    if einstellungen.aufbewahrung_jahre == UNBEFRISTET:
        dauer.leaf("Unbefristet", metadata(True, "settings.aufbewahrung_jahre"))
    else:
        dauer.leaf("AnzahlJahre", metadata(int(einstellungen.aufbewahrung_jahre), "settings.aufbewahrung_jahre"))


def _typ(angaben: Angaben, einstellungen: Einstellungen) -> Sourced[str]:
    if einstellungen.vorgangstyp:
        return metadata(einstellungen.vorgangstyp, "settings.vorgangstyp")
    return metadata(angaben.formular.title, "files.formular")


def _suchbegriffe(vorgang: Node, angaben: Angaben, einstellungen: Einstellungen) -> None:
    """SUCHBEGRIFFE-ALS-ERWEITERUNG: the place xdomea has for data of a service; left out when no field was filled in."""
    felder = suchbegriffe(angaben, einstellungen)
    if not felder:
        return
    erweiterung = vorgang.element("AnwendungsspezifischeErweiterung")
    erweiterung.leaf("Kennung", metadata(angaben.formular.name, "files.formular"))
    erweiterung.leaf("Name", constant("Suchbegriffe"))
    for name, wert in felder:
        feld = erweiterung.element("Feld")
        feld.leaf("Name", metadata(name, "settings.suchbegriffe"))
        feld.leaf("Wert", wert)
