"""The Vorgang and its Dokumente: everything of the target but the Kopf and the applicant."""

from __future__ import annotations

import datetime as dt

from intermediary.mapping.api import (
    Group,
    Kontext,
    Node,
    Payload,
    Sourced,
    code,
    codelist,
    constant,
    derived,
    metadata,
    rule,
)
from mappings.bewohnerparken import felder
from mappings.bewohnerparken.einstellungen import Einstellungen
from mappings.bewohnerparken.unterlagen import Unterlage

ELEKTRONISCH = codelist("urn:xoev-de:xdomea:codeliste:medium", "1.0", "001")
ARTEN = {"01": "Neuantrag", "02": "Verlängerung"}


def schreibe_vorgang(
    vorgang: Node,
    payload: Payload,
    kennzeichen: Sourced[str],
    eingang: dt.datetime,
    einstellungen: Einstellungen,
    kontext: Kontext,
) -> None:
    """Identifikation, AllgemeineMetadaten, Typ, Laufzeit."""
    vorgang.element("Identifikation").leaf("ID", derived(kontext, "/Vorgang"))
    metadaten = vorgang.element("AllgemeineMetadaten")
    metadaten.leaf("Betreff", _betreff(payload.group(felder.ANTRAG)))
    metadaten.leaf("Kennzeichen", kennzeichen)
    metadaten.code("Medium", ELEKTRONISCH)
    aktenplaneinheit = metadaten.element("Aktenplaneinheit")
    aktenplaneinheit.leaf("Kennzeichen", metadata(einstellungen.aktenplan, "settings.aktenplan"))
    vorgang.leaf("Typ", constant("Bewohnerparkausweis"))
    vorgang.element("Laufzeit").leaf("Beginn", _eingangsdatum(eingang))


def _betreff(angaben: Group) -> Sourced[str]:
    """BETREFF-OHNE-PERSON: kind of application only; subjects appear in lists that many people see."""
    art = angaben.required(felder.ART_DES_ANTRAGS, code)
    return art.by("BETREFF-OHNE-PERSON", lambda schluessel: f"Bewohnerparkausweis – {ARTEN.get(schluessel, 'Antrag')}")


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
    _format(version.element("Format"), datei)


def _format(format_: Node, datei: Unterlage) -> None:
    format_.code("Name", datei.format)
    format_.leaf("SonstigerName", datei.sonstiger_name)
    format_.leaf("Version", datei.format_version)
    primaerdokument = format_.element("Primaerdokument")
    primaerdokument.leaf("Dateiname", datei.dateiname)
    primaerdokument.leaf("DateinameOriginal", datei.original_name)


def _eingangsdatum(eingang: dt.datetime) -> Sourced[dt.date]:
    """EINGANGSDATUM: the calendar day of receipt in German legal time."""
    return rule("EINGANGSDATUM", eingang.date(), metadata(eingang, "nachricht.received_at"))
