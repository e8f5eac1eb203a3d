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
    Dokument,
    Group,
    Kontext,
    MemoryContent,
    Node,
    Payload,
    Sourced,
    boolean,
    code,
    codelist,
    date,
    derived,
    local,
    metadata,
    normal,
    package,
    read_settings,
    rule,
)
from mappings.wohnsitzanmeldung import anlagen, regeln, ziel
from mappings.wohnsitzanmeldung.datum import write_birthday
from mappings.wohnsitzanmeldung.einstellungen import Einstellungen
from mappings.wohnsitzanmeldung.person import (
    write_barriers,
    write_first_names,
    write_partner_who_stays,
    write_person,
)
from mappings.wohnsitzanmeldung.wohnung import flats_of, main_flat, write_address, write_identifying_address

HERE = ziel.HERE
PRODUKT = "XTA/OSCI Intermediary"
E_MAIL = codelist(*ziel.ERREICHBARKEIT, "01")
DVDV = codelist(*ziel.VERZEICHNISDIENST, "DVDV")


class Wohnsitzanmeldung:
    """The mapping: pure, one message per application."""

    name: ClassVar[str] = "wohnsitzanmeldung"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = "{urn:intermediary:eingang:wohnsitzanmeldung:1}wohnsitzanmeldung"
    standard: ClassVar[str] = "XMeld 25.11a"
    settings_type: ClassVar[type] = Einstellungen

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The message; raises as the port `Mapping` says, with the Befunde of `regeln.py`."""
        einstellungen = read_settings(Einstellungen, kontext.settings)
        payload = Payload(antrag.tree)
        eingang = local(kontext.received_at)
        beigefuegt = anlagen.attachments_of(antrag)
        regeln.pruefe(payload, beigefuegt, eingang.date(), einstellungen)

        bestaetigung = anlagen.confirmation_in(beigefuegt, payload)
        weitere = tuple(anlage for anlage in beigefuegt if anlage is not bestaetigung)
        dokumente = anlagen.documents(weitere, kontext)
        kennung = derived(kontext, f"/Nachricht/Fassung[{kontext.revision}]")

        nachricht = Builder(ziel.SHAPE)
        _rahmen(nachricht, payload, kontext)
        _kopf(nachricht, kennung, eingang, einstellungen, kontext)
        _anschrift_autor(nachricht, einstellungen)
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
            package=_paket(kennung.value, built.xml, dokumente, einstellungen),
            dokumente=dokumente,
            herkunft=built.herkunft,
            unread=payload.unread(),
            business_keys={"nachrichtenUUID": kennung.value},
        )


def _paket(kennung: str, xml: bytes, dokumente: Sequence[Dokument], einstellungen: Einstellungen) -> Dokument:
    """PAKET: the message alone, as XMeld is exchanged; or a ZIP for targets that take one file only."""
    if einstellungen.paket == "zip":
        return package(kennung, ziel.NACHRICHT, xml, dokumente)
    return Dokument(f"{kennung}_{ziel.NACHRICHT}.xml", "application/xml", MemoryContent(xml))


def _rahmen(nachricht: Node, payload: Payload, kontext: Kontext) -> None:
    """The frame of a G2G message. The product's version is the mapping's: a new release alone changes no output."""
    nachricht.attribute("produkt", PRODUKT)
    nachricht.attribute("produkthersteller", PRODUKT)
    nachricht.attribute("produktversion", f"{Wohnsitzanmeldung.name}@{Wohnsitzanmeldung.version}")
    nachricht.attribute("standard", "XMeld")
    nachricht.attribute("version", "25.11a")
    nachricht.attribute("test", _test(payload, kontext))


def _test(payload: Payload, kontext: Kontext) -> str | None:
    """TEST-BLEIBT-TEST: a test stays one, in the sender's words if XMeld can hold them."""
    angabe = payload.attribute("test")
    if angabe is not None and angabe.value.strip() and ziel.is_din_91379(normal(angabe.value)):
        return normal(angabe.value)
    return "Testnachricht" if angabe is not None or kontext.is_test else None


def _kopf(
    nachricht: Node, kennung: Sourced[str], eingang: dt.datetime, einstellungen: Einstellungen, kontext: Kontext
) -> None:
    """nachrichtenkopf.g2g. UUID-JE-FASSUNG: a corrected output is another message, a repeated one the same."""
    kopf = nachricht.element("nachrichtenkopf.g2g")
    identifikation = kopf.element("identifikation.nachricht")
    identifikation.leaf("nachrichtenUUID", kennung)
    identifikation.code("nachrichtentyp", codelist(*ziel.NACHRICHTEN, "1704"))
    identifikation.leaf("erstellungszeitpunkt", metadata(eingang, "nachricht.received_at"))
    leser = kopf.element("leser")
    leser.code("verzeichnisdienst", DVDV)
    leser.leaf("kennung", _setting(einstellungen, "leser_kennung"))
    leser.leaf("name", _leser_name(einstellungen, kontext))
    autor = kopf.element("autor")
    autor.code("verzeichnisdienst", DVDV)
    autor.leaf("kennung", _setting(einstellungen, "autor_kennung"))
    autor.leaf("name", _setting(einstellungen, "autor_name"))
    erreichbarkeit = autor.element("erreichbarkeit")
    erreichbarkeit.code("kanal", E_MAIL)
    erreichbarkeit.leaf("kennung", _setting(einstellungen, "autor_email"))


def _leser_name(einstellungen: Einstellungen, kontext: Kontext) -> Sourced[str]:
    """STELLE-AUS-EINSTELLUNG: the configured name; without one the Mandant."""
    if einstellungen.leser_name:
        return _setting(einstellungen, "leser_name")
    return metadata(kontext.mandant, "nachricht.mandant")


def _anschrift_autor(nachricht: Node, einstellungen: Einstellungen) -> None:
    anschrift = nachricht.element("anschrift.autor").element("gebaeude")
    if einstellungen.autor_hausnummer:
        anschrift.leaf("hausnummer", _setting(einstellungen, "autor_hausnummer"))
    anschrift.leaf("postleitzahl", _setting(einstellungen, "autor_postleitzahl"))
    anschrift.leaf("strasse", _setting(einstellungen, "autor_strasse"))
    anschrift.leaf("wohnort", _setting(einstellungen, "autor_ort"))


def _setting(einstellungen: Einstellungen, name: str) -> Sourced[str]:
    return metadata(getattr(einstellungen, name), f"settings.{name}")


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
