"""The Betriebsinhaber as Kontakte of the Vorgang."""

from __future__ import annotations

import datetime as dt

from intermediary.mapping.api import Group, Node, Payload, Sourced, codelist, integer, rule
from mappings.gewerbeanmeldung import felder, regeln
from mappings.gewerbeanmeldung.codelisten import ERREICHBARKEIT
from mappings.gewerbeanmeldung.texte import angegeben

KANAELE = ((felder.E_MAIL, "01"), (felder.TELEFON, "02"), (felder.TELEFAX, "04"))


def schreibe_kontakte(vorgang: Node, payload: Payload) -> None:
    """KONTAKT-IST-INHABER: the organisation; where none is named, the first person of the Betriebsinhaber."""
    for inhaber in payload.groups(felder.INHABER):
        kontakt = vorgang.element("Kontakt")
        organisation = angegeben(inhaber, felder.ORGANISATION)
        if organisation is not None:
            _organisation(kontakt, organisation, payload.group(felder.BETRIEB))
        else:
            _person(kontakt, next(regeln.personen(inhaber)))


def _organisation(kontakt: Node, name: Sourced[str], betrieb: Group) -> None:
    """BETRIEBSSTAETTE-IST-ANSCHRIFT: the form asks for no other address of an organisation."""
    kontakt.element("Institution").leaf("Name", name)
    ort = betrieb.optional_group(felder.BETRIEBSSTAETTE)
    if ort is not None:
        _anschrift(kontakt.element("Anschrift"), ort.group(felder.ANSCHRIFT))
        _kommunikation(kontakt, ort.group(felder.KOMMUNIKATION))


def _person(kontakt: Node, person: Group) -> None:
    name = kontakt.element("Name")
    name.element("Familienname").leaf("Name", person.required(felder.FAMILIENNAME))
    name.element("Vorname").leaf("Name", person.required(felder.VORNAMEN))
    _anschrift(kontakt.element("Anschrift"), person.group(felder.ANSCHRIFT))
    _kommunikation(kontakt, person.group(felder.KOMMUNIKATION))
    geburt = _geburtsdatum(person.group(felder.GEBURTSDATUM))
    if geburt is not None:
        kontakt.element("Geburt").leaf("Datum", geburt)


def _geburtsdatum(gruppe: Group) -> Sourced[dt.date] | None:
    """GEBURTSDATUM-NUR-GANZ: xdomea has whole days only; a partial date is read in the documents."""
    tag, monat = gruppe.optional(felder.TAG, integer), gruppe.optional(felder.MONAT, integer)
    jahr = gruppe.required(felder.JAHR, integer)
    if tag is None or monat is None:
        return None
    return rule("GEBURTSDATUM-NUR-GANZ", dt.date(jahr.value, monat.value, tag.value), tag, monat, jahr)


def _anschrift(anschrift: Node, gruppe: Group) -> None:
    strasse, ort = gruppe.group(felder.STRASSENANGABEN), gruppe.group(felder.ORTSANGABEN)
    anschrift.leaf("Strasse", strasse.required(felder.STRASSE))
    anschrift.leaf("Hausnummer", angegeben(strasse, felder.HAUSNUMMER))
    anschrift.leaf("Postleitzahl", ort.required(felder.POSTLEITZAHL))
    anschrift.leaf("Ort", ort.required(felder.ORT))


def _kommunikation(kontakt: Node, gruppe: Group) -> None:
    """KANAL-WENN-ANGEGEBEN: one entry per given address; a field of blanks is none."""
    for feld, kanal in KANAELE:
        kennung = angegeben(gruppe, feld)
        if kennung is not None:
            kommunikation = kontakt.element("Kommunikation")
            kommunikation.code("Kanal", codelist(*ERREICHBARKEIT, kanal))
            kommunikation.leaf("Kennung", kennung)
