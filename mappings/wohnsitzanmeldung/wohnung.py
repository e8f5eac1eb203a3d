"""Addresses and flats of the application, in the forms of the target."""

from __future__ import annotations

from collections.abc import Sequence

from intermediary.mapping.api import Group, Node, code, date, normal
from mappings.wohnsitzanmeldung import ziel

NEBENWOHNUNG = "2"


def flats_of(person: Group) -> tuple[Group, ...]:
    """Flats a person leaves or keeps in Germany; flats abroad have been refused before."""
    return tuple(one.group("inland") for one in person.groups("bisherigeWohnung"))


def main_flat(flats: Sequence[Group]) -> Group:
    """HAUPTWOHNUNG: the first flat that is the only or the main one; without such a flat the first."""
    return next((flat for flat in flats if flat.required("status", code).value != NEBENWOHNUNG), flats[0])


def write_flat(wohnung: Node, flat: Group) -> None:
    """A flat in the confirmed register data."""
    write_address(wohnung.element("anschrift").element("anschrift.inland"), flat.group("anschrift"))
    wohnung.optional("datumDesBeziehens").leaf("datum", flat.optional("einzugsdatum", date))
    wohnung.code("statusderwohnung", ziel.coded(flat, "status", ziel.WOHNUNGSSTATUS))


def write_address(anschrift: Node, quelle: Group) -> None:
    """A `Meldeanschrift`, every part where the registers have it."""
    anschrift.code("gemeindeschluessel", ziel.chosen(quelle.group("gemeinde"), ziel.GEMEINDEN))
    anschrift.leaf("hausnummer", quelle.optional("hausnummer", normal))
    anschrift.leaf("hausnummerBuchstabeZusatzziffer", quelle.optional("hausnummerzusatz", normal))
    anschrift.leaf("postleitzahl", quelle.required("postleitzahl", normal))
    anschrift.leaf("stockwerkswohnungsnummer", quelle.optional("stockwerk", normal))
    anschrift.leaf("strasse", quelle.required("strasse", normal))
    anschrift.leaf("teilnummerDerHausnummer", quelle.optional("teilnummer", normal))
    anschrift.leaf("wohnort", quelle.required("ort", normal))
    anschrift.leaf("wohnortFruehererGemeindename", quelle.optional("fruehererGemeindename", normal))
    anschrift.leaf("wohnungsinhaber", quelle.optional("wohnungsinhaber", normal))
    anschrift.leaf("zusatzangaben", quelle.optional("zusatz", normal))


def write_identifying_address(anschrift: Node, quelle: Group) -> None:
    """The address a person is identified by: municipality, postcode, street and number."""
    anschrift.code("gemeindeschluessel", ziel.chosen(quelle.group("gemeinde"), ziel.GEMEINDEN))
    anschrift.leaf("postleitzahl", quelle.required("postleitzahl", normal))
    strasse = anschrift.element("strasseUndHausnummer").element("strukturiert")
    strasse.leaf("hausnummer", quelle.optional("hausnummer", normal))
    strasse.leaf("hausnummerBuchstabeZusatzziffer", quelle.optional("hausnummerzusatz", normal))
    strasse.leaf("strasse", quelle.required("strasse", normal))
    strasse.leaf("teilnummerDerHausnummer", quelle.optional("teilnummer", normal))
