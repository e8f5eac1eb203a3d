"""Sections `gegenstand` and `verortung` of the Bauvorhaben, and the Abweichung that is asked for with it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal

from intermediary.mapping.api import Code, Group, Node, Payload, Sourced, code, decimal, integer, rule
from mappings.bauantrag import codelisten
from mappings.bauantrag.beteiligte import strassenanschrift
from mappings.bauantrag.codelisten import code_of
from mappings.bauantrag.texte import angegeben, pflicht

# Fields of the form and elements of XBau, in the order of the target.
MASSE = (
    ("hoehe", "hoeheDerBaulichenAnlage"),
    ("vollgeschosse", "anzahlVollgeschosse"),
    ("grundflaeche", "grundflaechenDerBaulichenAnlage"),
    ("geschossflaeche", "geschossflaeche"),
    ("baumasse", "baumasse"),
    ("verkaufsflaeche", "verkaufsflaeche"),
)
FLAECHEN = (("bebauteFlaeche", "bebauteGrundstuecksflaeche"), ("versiegelteFlaeche", "versiegelteFlaeche"))
STELLPLAETZE = (
    ("stellplaetzeErforderlich", "erforderlicheStellplaetze"),
    ("stellplaetzeGeplant", "geplanteStellplaetze"),
)
EINHEITEN = (
    ("wohneinheiten", "wohneinheitenGesamt"),
    ("eigentumswohnungen", "wohneinheitenEigentumswohnungen"),
    ("mietwohnungen", "wohneinheitenMietwohnungen"),
    ("sozialwohnungen", "wohneinheitenSozialwohnungen"),
    ("gewerbeeinheiten", "nutzungseinheitenGewerbe"),
)


def gegenstand(node: Node, vorhaben: Group) -> None:
    """Art der Massnahme, Art der baulichen Anlage, Datenblatt."""
    node.code("artDerMassnahme", code_of(codelisten.BAUMASSNAHME, vorhaben.required("massnahme", code)))
    art = node.element("artDerBaulichenAnlage")
    gebaeude = vorhaben.optional_group("gebaeude")
    if gebaeude is not None:
        art.code("artDesGebaeudes", codelisten.NUTZUNG.known(gebaeude.required("nutzung", code)))
    else:
        # SONSTIGE-ANLAGE-ALS-TEXT: the form has no code list for what is not a building.
        art.leaf("artNichtAufgefuehrt", pflicht(vorhaben, "sonstigeAnlage"))
    _datenblatt(node.optional("bauvorhabenDatenblatt"), vorhaben)


def _datenblatt(datenblatt: Node, vorhaben: Group) -> None:
    klassifikation = datenblatt.optional("bauordnungsrechtlicheKlassifikation")
    for gebaeude in vorhaben.groups("gebaeude"):
        klasse = gebaeude.optional("gebaeudeklasse", code)
        klassifikation.code("gebaeudeklasse", code_of(codelisten.GEBAEUDEKLASSE, klasse))
    for sonderbau in vorhaben.repeated("sonderbau", code):
        klassifikation.code("sonderbau", code_of(codelisten.SONDERBAUTEN, sonderbau))
    klassifikation.code("garage", code_of(codelisten.GARAGENTYP, vorhaben.optional("garage", code)))
    for kennzahlen in vorhaben.groups("kennzahlen"):
        _nutzungsmass(datenblatt.optional("baulicheNutzungMass"), kennzahlen)
    datenblatt.code("bauweise", code_of(codelisten.BAUWEISE, vorhaben.optional("bauweise", code)))


def _nutzungsmass(mass: Node, kennzahlen: Group) -> None:
    for feld, ziel in MASSE:
        mass.leaf(ziel, _ganz(kennzahlen, feld))
    flaechen = mass.optional("grundstuecksflaechen")
    for feld, ziel in FLAECHEN:
        flaechen.leaf(ziel, _ganz(kennzahlen, feld))
    stellplaetze = mass.optional("kennzahlen")
    for feld, ziel in STELLPLAETZE:
        stellplaetze.leaf(ziel, kennzahlen.optional(feld, integer))
    einheiten = mass.optional("nutzungseinheiten")
    for feld, ziel in EINHEITEN:
        einheiten.leaf(ziel, _ganz(kennzahlen, feld))


def _ganz(kennzahlen: Group, feld: str) -> Sourced[int] | None:
    """GANZE-EINHEITEN: XBau takes whole metres and square metres from 1 on; parts are rounded up, 0 is left out."""
    zahl = kennzahlen.optional(feld, decimal)
    if zahl is None or zahl.value <= 0:
        return None
    aufgerundet = int(zahl.value.to_integral_value(ROUND_CEILING))
    if zahl.value == Decimal(aufgerundet):
        return Sourced(aufgerundet, zahl.kind, zahl.source)
    return rule("GANZE-EINHEITEN", aufgerundet, zahl)


def verortung(node: Node, antrag: Payload) -> None:
    """EIN-BAUGRUNDSTUECK-JE-FLURSTUECK: XBau has one Flurstück per Baugrundstück; the address is repeated."""
    land = antrag.group("antrag").required("gemeindeschluessel", code)
    bundesland = codelisten.BUNDESLAND.known(land.by("BUNDESLAND-AUS-AGS", lambda ags: ags[:2]))
    for grundstueck in antrag.groups("grundstueck"):
        for flurstueck in grundstueck.groups("flurstueck"):
            baugrundstueck = node.element("baugrundstueck")
            for lage in grundstueck.groups("lage"):
                _lage(baugrundstueck.element("anschrift"), lage)
            _flurstueck(baugrundstueck.element("flurstueckkennzeichnung"), flurstueck, bundesland)


def _lage(node: Node, lage: Group) -> None:
    for strasse in lage.groups("strassenanschrift"):
        strassenanschrift(node, strasse)
    node.leaf("postleitzahl", pflicht(lage, "postleitzahl"))
    node.leaf("ort", pflicht(lage, "ort"))
    node.leaf("zusatz", angegeben(lage, "zusatz"))


def _flurstueck(node: Node, flurstueck: Group, bundesland: Code | None) -> None:
    node.code("bundesland", bundesland)
    kennzeichen = node.element("flurstueck")
    kennzeichen.leaf("flurnummer", angegeben(flurstueck, "flur"))
    kennzeichen.leaf("flurstueck", flurstuecksnummer(flurstueck))
    kennzeichen.leaf("gemarkung", pflicht(flurstueck, "gemarkung"))


def flurstuecksnummer(flurstueck: Group) -> Sourced[str]:
    """ZAEHLER-NENNER: as the Liegenschaftskataster writes it, 123 or 123/4."""
    zahlen = [flurstueck.required("zaehler", integer), flurstueck.optional("nenner", integer)]
    teile = [one for one in zahlen if one is not None]
    return rule("ZAEHLER-NENNER", "/".join(str(one.value) for one in teile), *teile)


def abweichung(node: Callable[[str], Node], antrag: Payload) -> None:
    """What the Bauaufsicht shall permit beyond the rules; `node` opens the element when there is something."""
    for angaben in antrag.groups("abweichung"):
        ziel = node("beantragteAbweichung")
        ziel.code("art", code_of(codelisten.ABWEICHUNG, angaben.required("abweichungsart", code)))
        _absaetze(ziel.element("vorschrift"), pflicht(angaben, "vorschrift"))
        _absaetze(ziel.element("beschreibung"), pflicht(angaben, "gegenstand"))
        _absaetze(ziel.element("begruendung"), pflicht(angaben, "begruendung"))


def _absaetze(node: Node, text: Sourced[str]) -> None:
    """ABSAETZE: one Textabsatz per line that says something."""
    for zeile in filter(None, (one.strip() for one in text.value.replace("\r", "\n").split("\n"))):
        node.leaf("textabsatz", rule("ABSAETZE", zeile, text))
