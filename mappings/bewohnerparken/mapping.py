"""Antrag auf Bewohnerparkausweis (FIM S05000000058) to xdomea 3.1.0 `Abgabe.Abgabe.0401`: one Vorgang for the e-file.

One function per section of the target, in target order. Rules have names in capitals; README.md lists them with the
table of fields. What the e-file needs to find and file the Vorgang becomes metadata; everything else is read in the
summary.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import ClassVar

from intermediary.mapping.api import (
    Antrag,
    Ausgabe,
    Builder,
    Code,
    CodeTable,
    Group,
    Kontext,
    Labels,
    Node,
    Payload,
    Shape,
    Sourced,
    code,
    codelist,
    constant,
    date,
    derived,
    load_codes,
    load_labels,
    load_shape,
    local,
    metadata,
    package,
    read_settings,
    rule,
)
from mappings.bewohnerparken import felder, regeln
from mappings.bewohnerparken.einstellungen import Einstellungen
from mappings.bewohnerparken.unterlagen import Unterlage, unterlagen

HERE = Path(__file__).parent
NACHRICHT = "Abgabe.Abgabe.0401"

# Codelists with their versions; the tables of more than one code lie beside this file.
NACHRICHTENTYP = codelist("urn:xoev-de:xdomea:codeliste:nachrichtentyp", "2.0", "0401")
ELEKTRONISCH = codelist("urn:xoev-de:xdomea:codeliste:medium", "1.0", "001")
ERREICHBARKEIT = ("urn:de:xoev:codeliste:erreichbarkeit", "3")
KANAELE = ((felder.E_MAIL, "01"), (felder.TELEFON, "02"), (felder.HANDYNUMMER, "03"))

ARTEN = {"01": "Neuantrag", "02": "Verlängerung"}


class Bewohnerparken:
    """The mapping: pure, one package per application. Tables are read once, when the plug-in is loaded."""

    name: ClassVar[str] = "bewohnerparken"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = felder.WURZEL
    standard: ClassVar[str] = "xdomea 3.1.0"
    settings_type: ClassVar[type] = Einstellungen

    def __init__(self, shape: Shape, labels: Labels, staat: CodeTable) -> None:
        self._shape = shape
        self._labels = labels
        self._staat = staat

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The package; raises as the port `Mapping` says, with the Befunde of `regeln.py`."""
        einstellungen = read_settings(Einstellungen, kontext.settings)
        payload = Payload(antrag.tree)
        regeln.pruefe(payload)
        eingang = local(kontext.received_at)
        kennzeichen = rule(
            "VORGANGSZEICHEN",
            einstellungen.kennzeichen(eingang.date(), kontext.key),
            metadata(einstellungen.aktenzeichen, "settings.aktenzeichen"),
            metadata(eingang, "nachricht.received_at"),
        )
        dateien = unterlagen(antrag, payload, self._labels, kennzeichen.value, kontext)

        nachricht = Builder(self._shape)
        _kopf(nachricht, eingang, einstellungen, kontext)
        vorgang = nachricht.element("Schriftgutobjekt").element("Vorgang")
        _vorgang(vorgang, payload, kennzeichen, eingang, einstellungen, kontext)
        for nummer, datei in enumerate(dateien, 1):
            _dokument(vorgang, datei, nummer, eingang, kontext)
        _kontakt(vorgang, payload.group(felder.PERSON), self._staat)
        built = nachricht.finish()

        dokumente = tuple(datei.dokument for datei in dateien)
        return Ausgabe(
            standard=self.standard,
            message=NACHRICHT,
            nachricht=built.xml,
            package=package(kontext.key, NACHRICHT, built.xml, dokumente),
            dokumente=dokumente,
            herkunft=built.herkunft,
            unread=payload.unread(),
            business_keys={"aktenzeichen": kennzeichen.value},
        )


def _kopf(nachricht: Node, eingang: dt.datetime, einstellungen: Einstellungen, kontext: Kontext) -> None:
    """Kopf. PROZESS-JE-EINREICHUNG: the ProzessID is the key of the Nachricht, so that 0402 and 0403 find back."""
    kopf = nachricht.element("Kopf")
    kopf.leaf("ProzessID", metadata(kontext.key, "nachricht.key"))
    kopf.code("Nachrichtentyp", NACHRICHTENTYP)
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


def _vorgang(
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


def _dokument(vorgang: Node, datei: Unterlage, nummer: int, eingang: dt.datetime, kontext: Kontext) -> None:
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


def _kontakt(vorgang: Node, person: Group, staat: CodeTable) -> None:
    """The applicant: the only Kontakt of the Vorgang, so no Rolle is needed to tell who it is."""
    kontakt = vorgang.element("Kontakt")
    name = kontakt.element("Name")
    name.element("Familienname").leaf("Name", person.required(felder.FAMILIENNAME))
    name.element("Vorname").leaf("Name", _vornamen(person))
    _anschrift(kontakt.element("Anschrift"), person, staat)
    for feld, kanal in KANAELE:
        _kommunikation(kontakt, person.optional(feld), kanal)
    kontakt.element("Geburt").leaf("Datum", person.required(felder.GEBURTSDATUM, date))


def _vornamen(person: Group) -> Sourced[str]:
    """VORNAMEN-VERBUNDEN: all first names in the applicant's order, one blank between them."""
    vornamen = person.repeated(felder.VORNAME)
    return rule("VORNAMEN-VERBUNDEN", " ".join(one.value for one in vornamen), *vornamen)


def _anschrift(anschrift: Node, person: Group, staat: CodeTable) -> None:
    """STAAT-NUR-AUS-LISTE: the Destatis key becomes a country code; anything else is read in the summary only."""
    land = staat.translate(person.required(felder.LAND, code))
    if land is not None:
        anschrift.element("Staat").code("Staat", land)
    strasse = person.group(felder.STRASSENANGABEN)
    ort = person.group(felder.ORT_INLAND)
    anschrift.leaf("Strasse", strasse.required(felder.STRASSE))
    anschrift.leaf("Hausnummer", _hausnummer(strasse))
    anschrift.leaf("Postleitzahl", ort.required(felder.POSTLEITZAHL))
    anschrift.leaf("Ort", ort.required(felder.ORT))


def _hausnummer(strasse: Group) -> Sourced[str]:
    """HAUSNUMMER-MIT-ZUSATZ: xdomea has one field for both; a blank keeps them apart."""
    nummer = strasse.required(felder.HAUSNUMMER)
    zusatz = strasse.optional(felder.HAUSNUMMERZUSATZ)
    if zusatz is None or not zusatz.value.strip():
        return nummer
    return rule("HAUSNUMMER-MIT-ZUSATZ", f"{nummer.value} {zusatz.value}", nummer, zusatz)


def _kommunikation(kontakt: Node, kennung: Sourced[str] | None, kanal: str) -> None:
    """KANAL-WENN-ANGEGEBEN: one entry per given address; a field of blanks is none."""
    if kennung is None or not kennung.value.strip():
        return
    kommunikation = kontakt.element("Kommunikation")
    kommunikation.code("Kanal", _kanal(kanal))
    kommunikation.leaf("Kennung", kennung)


def _kanal(kanal: str) -> Code:
    return codelist(*ERREICHBARKEIT, kanal)


def _eingangsdatum(eingang: dt.datetime) -> Sourced[dt.date]:
    """EINGANGSDATUM: the calendar day of receipt in German legal time."""
    return rule("EINGANGSDATUM", eingang.date(), metadata(eingang, "nachricht.received_at"))


MAPPING = Bewohnerparken(
    shape=load_shape(HERE / "shape.toml"),
    labels=load_labels(HERE / "labels.toml"),
    staat=load_codes(HERE / "staat.toml"),
)
