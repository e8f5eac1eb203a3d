"""The Vorgang of the xdomea message and its Dokumente: everything of the target but the Kopf and the people."""

from __future__ import annotations

import datetime as dt

from intermediary.mapping.api import Kontext, Node, Sourced, constant, derived, metadata, rule
from mappings.gewerbeanmeldung.codelisten import ELEKTRONISCH
from mappings.gewerbeanmeldung.einstellungen import Einstellungen
from mappings.gewerbeanmeldung.unterlagen import Unterlage


def schreibe_vorgang(
    vorgang: Node, kennzeichen: Sourced[str], eingang: dt.datetime, einstellungen: Einstellungen, kontext: Kontext
) -> None:
    """Identifikation, AllgemeineMetadaten, Typ, Laufzeit. BETREFF-OHNE-PERSON: subjects appear in lists many people see."""
    vorgang.element("Identifikation").leaf("ID", derived(kontext, "/Vorgang"))
    metadaten = vorgang.element("AllgemeineMetadaten")
    metadaten.leaf("Betreff", rule("BETREFF-OHNE-PERSON", "Gewerbeanmeldung"))
    metadaten.leaf("Kennzeichen", kennzeichen)
    metadaten.code("Medium", ELEKTRONISCH)
    aktenplaneinheit = metadaten.element("Aktenplaneinheit")
    aktenplaneinheit.leaf("Kennzeichen", metadata(einstellungen.aktenplan, "settings.aktenplan"))
    vorgang.leaf("Typ", constant("Gewerbeanmeldung"))
    vorgang.element("Laufzeit").leaf("Beginn", _eingangsdatum(eingang))


def schreibe_dokument(vorgang: Node, datei: Unterlage, nummer: int, eingang: dt.datetime, kontext: Kontext) -> None:
    """One Dokument per file. DOKUMENT-STATT-ANLAGE: attachments too, because not every DMS imports `Anlage`."""
    dokument = vorgang.element("Dokument")
    identifikation = dokument.element("Identifikation")
    identifikation.leaf("ID", derived(kontext, f"/Vorgang/Dokument[{nummer}]"))
    identifikation.leaf("NummerImUebergeordnetenContainer", rule("FORTLAUFEND", nummer))
    metadaten = dokument.element("AllgemeineMetadaten")
    metadaten.leaf("Betreff", datei.betreff)
    metadaten.code("Medium", ELEKTRONISCH)
    dokument.leaf("Posteingangsdatum", _eingangsdatum(eingang))
    dokument.leaf("Typ", datei.typ)
    version = dokument.element("Version")
    version.leaf("Nummer", constant("1"))
    format_ = version.element("Format")
    format_.code("Name", datei.format)
    format_.leaf("SonstigerName", datei.sonstiger_name)
    format_.leaf("Version", datei.format_version)
    primaerdokument = format_.element("Primaerdokument")
    primaerdokument.leaf("Dateiname", datei.dateiname)
    primaerdokument.leaf("DateinameOriginal", datei.original_name)


def _eingangsdatum(eingang: dt.datetime) -> Sourced[dt.date]:
    """EINGANGSDATUM: the calendar day of receipt in German legal time."""
    return rule("EINGANGSDATUM", eingang.date(), metadata(eingang, "nachricht.received_at"))
