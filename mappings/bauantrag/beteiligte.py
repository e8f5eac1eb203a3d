"""Section `beteiligte` and the Autor: persons and organisations, their addresses and where they can be reached."""

from __future__ import annotations

from intermediary.mapping.api import Group, Node, Payload, Sourced, code, codelist, rule
from mappings.bauantrag.codelisten import BAUVORLAGEBERECHTIGUNG, ERREICHBARKEIT, KANAELE, code_of
from mappings.bauantrag.texte import angegeben, mehrfach, pflicht, verbunden


def autor(kopf: Node, antrag: Payload) -> None:
    """AUTOR: who acts for the Bauherrschaft; without such a person the first of the Bauherrschaft."""
    bevollmaechtigt = antrag.optional_group("bevollmaechtigt")
    if bevollmaechtigt is not None:
        _person(kopf.element("natuerlichePerson"), bevollmaechtigt)
    else:
        akteur(kopf, antrag.group("bauherrschaft"))


def beteiligte(node: Node, antrag: Payload) -> None:
    """Bauherr, Bevollmächtigter, Grundstückseigentümer, Entwurfsverfasser."""
    for bauherr in antrag.groups("bauherrschaft"):
        akteur(node.element("bauherr"), bauherr)
    for bevollmaechtigt in antrag.groups("bevollmaechtigt"):
        _person(node.element("bevollmaechtigter"), bevollmaechtigt)
    for eigentum in antrag.groups("eigentum"):
        akteur(node.element("grundstueckseigentuemer"), eigentum)
    for entwurf in antrag.groups("entwurfsverfassung"):
        _entwurfsverfasser(node.element("entwurfsverfasser"), entwurf)


def akteur(node: Node, beteiligt: Group) -> None:
    """A natural person or an organisation."""
    for person in beteiligt.groups("person"):
        _person(node.element("natuerlichePerson"), person)
    for organisation in beteiligt.groups("organisation"):
        _organisation(node.element("organisation"), organisation)


def _person(node: Node, person: Group) -> None:
    _name(node.element("name"), person.group("name"))
    _anschrift(node.element("anschrift"), person.group("anschrift"))
    _kommunikation(node, person)


def _organisation(node: Node, organisation: Group) -> None:
    name = node.element("name")
    name.leaf("name", pflicht(organisation, "bezeichnung"))
    name.leaf("kurzbezeichnung", angegeben(organisation, "kurzbezeichnung"))
    _anschrift(node.element("anschrift"), organisation.group("anschrift"))
    _kommunikation(node, organisation)
    for vertretung in organisation.groups("vertretung"):
        _name(node.element("vertreter"), vertretung)


def _entwurfsverfasser(node: Node, entwurf: Group) -> None:
    """KAMMER-VOR-SACHVERHALT: XBau takes either; the entry in the list of a Kammer proves more."""
    _person(node.element("personendaten"), entwurf.group("person"))
    berechtigung = node.element("bauvorlageberechtigung")
    kammer = entwurf.optional_group("kammer")
    if kammer is not None:
        berechtigung.element("kammer").leaf("nummerEintragungsliste", pflicht(kammer, "listennummer"))
    else:
        berechtigung.code("sachverhalt", code_of(BAUVORLAGEBERECHTIGUNG, entwurf.required("berufsbezeichnung", code)))


def _name(node: Node, name: Group) -> None:
    node.leaf("titel", angegeben(name, "titel"))
    node.leaf("anrede", angegeben(name, "anrede") or rule("OHNE-ANREDE", ""))
    node.element("familienname").leaf("name", pflicht(name, "familienname"))
    node.element("vorname").leaf("name", _vornamen(name))


def _vornamen(name: Group) -> Sourced[str]:
    """VORNAMEN-VERBUNDEN: all first names in the sender's order, one blank between them."""
    vornamen = mehrfach(name, "vorname")
    return rule("VORNAMEN-VERBUNDEN", " ".join(one.value for one in vornamen), *vornamen)


def _anschrift(node: Node, anschrift: Group) -> None:
    for strasse in anschrift.groups("strassenanschrift"):
        strassenanschrift(node, strasse)
    node.leaf("postfach", angegeben(anschrift, "postfach"))
    node.leaf("postleitzahl", pflicht(anschrift, "postleitzahl"))
    node.leaf("ort", pflicht(anschrift, "ort"))
    node.leaf("zusatz", _zusatz(anschrift))


def strassenanschrift(node: Node, strasse: Group) -> None:
    """Street and number; HAUSNUMMER-MIT-ZUSATZ: XBau has one field for both, a blank keeps them apart."""
    node.leaf("strasse", pflicht(strasse, "strasse"))
    teile = angegeben(strasse, "hausnummer"), angegeben(strasse, "hausnummerzusatz")
    node.leaf("hausnummer", verbunden("HAUSNUMMER-MIT-ZUSATZ", " ", *teile))


def _zusatz(anschrift: Group) -> Sourced[str] | None:
    """STAAT-IM-ZUSATZ: the form names a foreign country in words, XBau wants a code of a list the form does not use."""
    return verbunden("STAAT-IM-ZUSATZ", ", ", angegeben(anschrift, "zusatz"), angegeben(anschrift, "staat"))


def _kommunikation(node: Node, beteiligt: Group) -> None:
    """KANAL-WENN-ANGEGEBEN: one entry per given address; a field of blanks is none."""
    for erreichbar in beteiligt.groups("erreichbar"):
        for feld, kanal in KANAELE:
            kennung = angegeben(erreichbar, feld)
            if kennung is not None:
                kommunikation = node.element("kommunikation")
                kommunikation.code("kanal", codelist(*ERREICHBARKEIT, kanal))
                kommunikation.leaf("kennung", kennung)
