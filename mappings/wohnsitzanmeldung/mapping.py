"""Wohnsitzanmeldung to XMeld 25.11a `onlinedienste.anmeldung.meldeschein.1704`: the complete Meldeschein (§ 23a BMG).

One function per section of the target, in target order. Rules have names in capitals; README.md lists them with the
table of fields. People are in `person.py`, addresses in `wohnung.py`, refusals in `regeln.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar

from intermediary.mapping.api import (
    Antrag,
    Ausgabe,
    Builder,
    Group,
    HeadOfServices,
    Kontext,
    Node,
    Payload,
    Sourced,
    boolean,
    code,
    codelist,
    date,
    local,
    message_id,
    normal,
    packed,
    read_settings,
    rule,
    write_birthday,
    write_frame,
    write_head,
)
from mappings.wohnsitzanmeldung import anlagen, regeln, ziel
from mappings.wohnsitzanmeldung.person import (
    write_barriers,
    write_first_names,
    write_partner_who_stays,
    write_person,
)
from mappings.wohnsitzanmeldung.wohnung import flats_of, main_flat, write_address, write_identifying_address

HERE = ziel.HERE
STANDARD = ("XMeld", "25.11a")


class Wohnsitzanmeldung:
    """The mapping: pure, one message per application."""

    name: ClassVar[str] = "wohnsitzanmeldung"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = "{urn:intermediary:eingang:wohnsitzanmeldung:1}wohnsitzanmeldung"
    standard: ClassVar[str] = "XMeld 25.11a"
    settings_type: ClassVar[type] = HeadOfServices

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The message; raises as the port `Mapping` says, with the Befunde of `regeln.py`."""
        einstellungen = read_settings(HeadOfServices, kontext.settings)
        payload = Payload(antrag.tree)
        eingang = local(kontext.received_at)
        beigefuegt = anlagen.attachments_of(antrag)
        regeln.pruefe(payload, beigefuegt, eingang.date(), einstellungen)

        bestaetigung = anlagen.confirmation_in(beigefuegt, payload)
        weitere = tuple(anlage for anlage in beigefuegt if anlage is not bestaetigung)
        dokumente = anlagen.documents(weitere, kontext)

        nachricht = Builder(ziel.SHAPE)
        write_frame(nachricht, STANDARD, f"{self.name}@{self.version}", payload, kontext)
        write_head(nachricht, codelist(*ziel.NACHRICHTEN, "1704"), einstellungen, kontext)
        _identifikation(nachricht.element("identifikation"), payload.group("antragsteller"))
        _berechtigte_person(nachricht.element("berechtigtePerson"), payload)
        _mitziehende(nachricht, payload)
        _ergaenzende_meldedaten(nachricht.element("ergaenzendeMeldedaten"), payload, bestaetigung)
        nachricht.leaf("freitext", payload.optional("bemerkung", normal))
        nachricht.leaf("freitext", anlagen.names_of(dokumente, weitere))
        built = nachricht.finish()

        return Ausgabe(
            standard=self.standard,
            message=ziel.NACHRICHT,
            nachricht=built.xml,
            package=packed(ziel.NACHRICHT, built.xml, dokumente, einstellungen, kontext),
            dokumente=dokumente,
            herkunft=built.herkunft,
            unread=payload.unread(),
            business_keys={"nachrichtenUUID": message_id(kontext).value},
        )


def _identifikation(identifikation: Node, person: Group) -> None:
    """Whom the register of the old residence finds: names, day of birth, address of the main flat."""
    identifikation.element("familienname.unstrukturiert").leaf("name", person.required("familienname", normal))
    write_first_names(identifikation, person)
    write_birthday(identifikation.element("geburt").element("geburtsdatum"), person.required("geburtsdatum", code))
    flat = main_flat(flats_of(person))
    write_identifying_address(identifikation.element("anschrift"), flat.group("anschrift"))


def _berechtigte_person(berechtigte: Node, payload: Payload) -> None:
    """PARTNER-NUR-EINMAL: a partner who moves along stands among those people, one who stays in the register data."""
    person = payload.group("antragsteller")
    meldedaten = _meldeschein(berechtigte, person, flats_of(person))
    partner = payload.optional_group("partner")
    if partner is None:
        return
    bleibt = partner.optional_group("ziehtNichtMit")
    if bleibt is not None:
        write_partner_who_stays(meldedaten.element("partner"), bleibt, partner.required("art", code))


def _meldeschein(ziel_: Node, person: Group, flats: Sequence[Group]) -> Node:
    """Meldeschein of one person; gives `bestaetigteMeldedaten`."""
    meldedaten = ziel_.element("bestaetigteMeldedaten")
    write_person(meldedaten.element("personendaten"), person, flats)
    write_barriers(ziel_, person)
    ziel_.code("statusDerNeuenWohnung", ziel.coded(person, "statusDerNeuenWohnung", ziel.WOHNUNGSSTATUS))
    return meldedaten


def _mitziehende(nachricht: Node, payload: Payload) -> None:
    """WOHNUNG-GEMEINSAM: people without flats of their own lived in the applicant's main flat."""
    gemeinsam = (main_flat(flats_of(payload.group("antragsteller"))),)
    partner = payload.optional_group("partner")
    zieht_mit = partner.optional_group("ziehtMit") if partner is not None else None
    kinder = payload.groups("kind")
    weitere = nachricht.optional("weitereMitzuziehendePerson")
    if partner is not None and zieht_mit is not None:
        angaben = weitere.element("partner")
        angaben.code("partnerschaftstyp", ziel.coded(partner, "art", ziel.PARTNERSCHAFT))
        _meldeschein(angaben.element("personendaten"), zieht_mit, flats_of(zieht_mit) or gemeinsam)
    for kind in kinder:
        eintrag = weitere.element("kind")
        _meldeschein(eintrag, kind, flats_of(kind) or gemeinsam)
        eintrag.leaf("nurPartnerZugeordnet", _nur_partner(kind))


def _nur_partner(kind: Group) -> Sourced[bool] | None:
    """NUR-WENN-JA: the element means yes by being there."""
    angabe = kind.optional("nurPartnerZugeordnet", boolean)
    return angabe if angabe is not None and angabe.value else None


def _ergaenzende_meldedaten(meldedaten: Node, payload: Payload, bestaetigung: anlagen.Anlage | None) -> None:
    wohnungsgeber = meldedaten.element("wohnungsgeber")
    for geber in payload.groups("wohnungsgeber"):
        _anschriftzone(wohnungsgeber.element("wohnungsgeberNameAnschrift"), geber)
    for eigentuemer in payload.repeated("eigentuemer", normal):
        wohnungsgeber.leaf("eigentuemerNichtWohnungsgeber", eigentuemer)
    neue = payload.group("neueWohnung")
    wohnung = meldedaten.element("wohnung")
    write_address(wohnung.element("anschrift"), neue.group("anschrift"))
    einzug = neue.required("einzugsdatum", date)
    wohnung.leaf("datumDesBeziehens", einzug)
    meldedaten.leaf("datumDesAuszugs", _auszug(payload.optional("auszugsdatum", date), einzug))
    if bestaetigung is not None:
        meldedaten.leaf("wohnungsgeberbestaetigung", anlagen.content_of(bestaetigung))


def _anschriftzone(zone: Node, geber: Group) -> None:
    """ZEILENFOLGE: name first, then the lines of the address as sent, numbered (DIN 5008)."""
    for position, inhalt in enumerate((geber.required("name", normal), *geber.repeated("zeile", normal)), 1):
        zeile = zone.element("zeile")
        zeile.leaf("position", rule("ZEILENFOLGE", position))
        zeile.leaf("inhalt", inhalt)


def _auszug(auszug: Sourced[dt.date] | None, einzug: Sourced[dt.date]) -> Sourced[dt.date] | None:
    """AUSZUG-NUR-WENN-ANDERS: the day of moving out is given only if it is not the day of moving in."""
    return auszug if auszug is not None and auszug.value != einzug.value else None


MAPPING = Wohnsitzanmeldung()
