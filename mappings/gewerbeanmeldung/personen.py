"""The people of the message for a Fachverfahren: Betriebsinhaber with everybody they name."""

from __future__ import annotations

from intermediary.mapping.api import Group, Node, boolean, date, integer
from mappings.gewerbeanmeldung import codelisten, felder
from mappings.gewerbeanmeldung.texte import angegeben


def schreibe_inhaber(inhaber: Node, gruppe: Group) -> None:
    """One Betriebsinhaber: an organisation, or people, or both."""
    inhaber.leaf("organisation", angegeben(gruppe, felder.ORGANISATION))
    inhaber.code("rechtsform", codelisten.pflicht(gruppe, felder.RECHTSFORM, codelisten.RECHTSFORM))
    register = gruppe.optional_group(felder.REGISTER)
    if register is not None:
        eintrag = inhaber.element("register")
        eintrag.leaf("ort", register.required(felder.REGISTERORT))
        eintrag.leaf("nummer", register.required(felder.REGISTERNUMMER))
    einzelinhaber = gruppe.optional_group(felder.EINZELINHABER)
    if einzelinhaber is not None:
        _schreibe_person(inhaber.element("einzelinhaber"), einzelinhaber)
    inhaber.leaf("zahlGesellschafter", gruppe.optional(felder.ZAHL_GESELLSCHAFTER, integer))
    gesellschafter = gruppe.optional_group(felder.GESELLSCHAFTER)
    if gesellschafter is not None:
        _schreibe_person(inhaber.element("gesellschafter"), gesellschafter)
    for vertreter in gruppe.groups(felder.VERTRETER):
        _schreibe_person(inhaber.element("vertreter"), vertreter)


def schreibe_name(ziel: Node, gruppe: Group) -> None:
    """Family name and first names as sent."""
    ziel.leaf("familienname", gruppe.required(felder.FAMILIENNAME))
    ziel.leaf("vornamen", gruppe.required(felder.VORNAMEN))


def schreibe_anschrift(anschrift: Node, gruppe: Group) -> None:
    """An address in Germany."""
    strasse, ort = gruppe.group(felder.STRASSENANGABEN), gruppe.group(felder.ORTSANGABEN)
    anschrift.leaf("strasse", strasse.required(felder.STRASSE))
    anschrift.leaf("hausnummer", angegeben(strasse, felder.HAUSNUMMER))
    anschrift.leaf("postleitzahl", ort.required(felder.POSTLEITZAHL))
    anschrift.leaf("ort", ort.required(felder.ORT))


def schreibe_erreichbarkeit(ziel: Node, gruppe: Group) -> None:
    """The form demands telephone and fax; LEER-IST-NICHT-ANGEGEBEN holds for them too."""
    erreichbarkeit = ziel.optional("erreichbarkeit")
    for name, feld in (
        ("telefon", felder.TELEFON),
        ("telefax", felder.TELEFAX),
        ("email", felder.E_MAIL),
        ("web", felder.WEB),
    ):
        erreichbarkeit.leaf(name, angegeben(gruppe, feld))


def _schreibe_person(ziel: Node, rolle: Group) -> None:
    """A natural person with the residence permit the form asks of this role."""
    person = rolle.group(felder.PERSON)
    schreibe_name(ziel, person)
    ziel.code("geschlecht", codelisten.pflicht(person, felder.GESCHLECHT, codelisten.GESCHLECHT))
    ziel.leaf("geburtsname", angegeben(person, felder.GEBURTSNAME))
    _schreibe_geburt(ziel, person)
    for angabe in person.groups(felder.STAATSANGEHOERIGKEITEN):
        eintrag = ziel.element("staatsangehoerigkeit")
        schluessel = codelisten.angegeben(angabe, felder.STAATSANGEHOERIGKEIT, codelisten.STAATSANGEHOERIGKEIT)
        eintrag.code("staat", schluessel)
        eintrag.leaf("andere", angegeben(angabe, felder.ANDERE_STAATSANGEHOERIGKEIT))
    schreibe_anschrift(ziel.element("anschrift"), person.group(felder.ANSCHRIFT))
    schreibe_erreichbarkeit(ziel, person.group(felder.KOMMUNIKATION))
    titel = rolle.optional_group(felder.AUFENTHALT)
    if titel is not None:
        _schreibe_titel(ziel.element("aufenthaltstitel"), titel)


def _schreibe_geburt(ziel: Node, person: Group) -> None:
    angabe = person.group(felder.GEBURTSDATUM)
    geburtsdatum = ziel.element("geburtsdatum")
    geburtsdatum.leaf("tag", angabe.optional(felder.TAG, integer))
    geburtsdatum.leaf("monat", angabe.optional(felder.MONAT, integer))
    geburtsdatum.leaf("jahr", angabe.required(felder.JAHR, integer))
    ziel.code("geburtsstaat", codelisten.angegeben(person, felder.GEBURTSLAND, codelisten.STAAT))
    ziel.leaf("geburtsort", angegeben(person, felder.GEBURTSORT))


def _schreibe_titel(ziel: Node, titel: Group) -> None:
    ziel.leaf("vorhanden", titel.required(felder.AUFENTHALT_LIEGT_VOR, boolean))
    ziel.leaf("ausgestelltAm", titel.optional(felder.AUSSTELLUNGSDATUM, date))
    ziel.leaf("behoerde", angegeben(titel, felder.BEHOERDE))
    ziel.leaf("beschraenkt", titel.optional(felder.BESCHRAENKT, boolean))
    ziel.leaf("beschraenkung", angegeben(titel, felder.BESCHRAENKUNG))
