"""The people of the application: who applies, who moves along, and a partner who does not."""

from __future__ import annotations

from collections.abc import Sequence

from intermediary.mapping.api import (
    UNKNOWN_DAY,
    Code,
    Group,
    Node,
    Sourced,
    code,
    date,
    normal,
    rule,
    write_birthday,
    write_partial,
)
from mappings.wohnsitzanmeldung import ziel
from mappings.wohnsitzanmeldung.wohnung import write_flat


def write_person(personendaten: Node, person: Group, flats: Sequence[Group]) -> None:
    """`bestaetigteMeldedaten/personendaten`, in target order; `flats` are the ones this person lived in until now."""
    _name(personendaten.element("name"), person)
    _geburt(personendaten.element("geburtsangaben"), person)
    personendaten.code("geschlecht", ziel.coded(person, "geschlecht", ziel.GESCHLECHT))
    for key in person.repeated("staatsangehoerigkeit", code):
        personendaten.code("staatsangehoerigkeit", ziel.known_citizenship(key))
    religion = personendaten.element("religionszugehoerigkeit")
    religion.code("religion.steuer.erhebend", ziel.chosen(person.group("religion"), ziel.RELIGION))
    for flat in flats:
        write_flat(personendaten.element("wohnung"), flat)
    _familienstand(personendaten.element("familienstand"), person.group("familienstand"))
    for ausweis in person.groups("ausweis"):
        _ausweis(personendaten.element("ausweisdokument"), ausweis)
    personendaten.leaf("idNr", person.optional("identifikationsnummer", normal))


def write_barriers(meldedaten: Node, person: Group) -> None:
    """Barriers against passing data on, that the person asks for."""
    widersprueche = meldedaten.optional("widerspruecheUebermittlungssperren")
    for sperre in person.repeated("uebermittlungssperre", code):
        widersprueche.code("eintragung", Code(sperre, *ziel.AUSKUNFTSSPERRE))


def write_partner_who_stays(partner: Node, angaben: Group, art: Sourced[str]) -> None:
    """`bestaetigteMeldedaten/partner`: a spouse or partner who does not move along."""
    partner.code("partnerschaftstyp", Code(art, *ziel.PARTNERSCHAFT))
    name = partner.element("name")
    _given(name.element("familienname.unstrukturiert"), "nachname", angaben.required("familienname", normal))
    _given(name, "geburtsname.unstrukturiert", angaben.optional("geburtsname", normal))
    write_first_names(name, angaben)
    name.leaf("doktorgrad", angaben.optional("doktorgrad", normal))
    geburt = partner.element("geburt").element("geburtsdatum")
    write_birthday(geburt, angaben.required("geburtsdatum", code))
    partner.code("geschlecht", ziel.coded(angaben, "geschlecht", ziel.GESCHLECHT))


def write_first_names(name: Node, person: Group) -> None:
    """BLOCKNAME: whoever has one undivided name has it as family name, and first names that do not exist."""
    vornamen = person.optional("vornamen", normal)
    if vornamen is None:
        name.element("vornamen").leaf(
            "nichtVorhanden", rule("BLOCKNAME", True, person.required("familienname", normal))
        )
    else:
        name.element("vornamen").leaf("name", vornamen)


def _name(name: Node, person: Group) -> None:
    _given(name.element("familienname.unstrukturiert"), "nachname", person.required("familienname", normal))
    _given(name, "ehename.unstrukturiert", person.optional("ehename", normal))
    _given(name, "lebenspartnerschaftsname.unstrukturiert", person.optional("lebenspartnerschaftsname", normal))
    _given(name, "geburtsname.unstrukturiert", person.optional("geburtsname", normal))
    for frueherer in person.repeated("fruehererFamilienname", normal):
        _given(name, "frueherer.familienname.unstrukturiert", frueherer)
    write_first_names(name.element("vornamen"), person)
    _given(name, "gebraeuchlicherVorname", person.optional("rufname", normal))
    name.leaf("doktorgrad", person.optional("doktorgrad", normal))
    name.leaf("ordensname", person.optional("ordensname", normal))
    name.leaf("kuenstlername", person.optional("kuenstlername", normal))


def _given(eltern: Node, element: str, name: Sourced[str] | None) -> None:
    """An `AllgemeinerName`, if there is a name."""
    if name is not None:
        eltern.element(element).leaf("name", name)


def _geburt(angaben: Node, person: Group) -> None:
    angaben.leaf("geburtsort", person.optional("geburtsort", normal))
    angaben.code("geburtsortStaat", ziel.chosen(person.optional_group("geburtsstaat"), ziel.STAATSGEBIETE))
    write_birthday(angaben.element("geburtsdatum"), person.required("geburtsdatum", code))


def _familienstand(familienstand: Node, angaben: Group) -> None:
    """BEGINN-WENN-BEKANNT: a beginning of which nothing is known is left out."""
    beginn = angaben.optional("beginn", code)
    if beginn is not None and beginn.value != UNKNOWN_DAY:
        write_partial(familienstand.element("datumBeginn"), beginn)
    familienstand.code("familienstand", ziel.coded(angaben, "stand", ziel.FAMILIENSTAND))
    familienstand.leaf("ort.letzte.ehe.oder.lp", angaben.optional("ort", normal))
    staat = ziel.chosen(angaben.optional_group("staat"), ziel.STAATSGEBIETE)
    familienstand.code("ortstaat.letzte.ehe.oder.lp", staat)


def _ausweis(dokument: Node, ausweis: Group) -> None:
    dokument.code("passart", ziel.coded(ausweis, "art", ziel.AUSWEISART))
    dokument.leaf("gueltigkeitsdauer", ausweis.optional("gueltigBis", date))
    dokument.leaf("seriennummer", ausweis.optional("seriennummer", normal))
    dokument.leaf("behoerde", ausweis.required("behoerde", normal))
    dokument.leaf("ausstellungsdatum", ausweis.optional("ausgestelltAm", date))
