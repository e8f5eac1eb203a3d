"""The applicant as Kontakt of the Vorgang."""

from __future__ import annotations

from intermediary.mapping.api import Code, CodeTable, Group, Node, Sourced, code, codelist, date, rule
from mappings.bewohnerparken import felder

ERREICHBARKEIT = ("urn:de:xoev:codeliste:erreichbarkeit", "3")
KANAELE = ((felder.E_MAIL, "01"), (felder.TELEFON, "02"), (felder.HANDYNUMMER, "03"))


def schreibe_kontakt(vorgang: Node, person: Group, staat: CodeTable) -> None:
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
