"""Antrag auf Meldebescheinigung to XMeld 25.11a `onlinedienste.abrufanfrage.meldebescheinigung.1700` (§§ 18, 18a BMG).

One function per section of the target, in target order. Rules have names in capitals; README.md lists them with the
table of fields.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from intermediary.mapping.api import (
    Antrag,
    Ausgabe,
    Builder,
    Code,
    Dokument,
    Group,
    Kontext,
    MemoryContent,
    Node,
    Part,
    Payload,
    Sourced,
    code,
    codelist,
    derived,
    local,
    media_type_of,
    metadata,
    normal,
    package,
    read_settings,
    rule,
)
from mappings.meldebescheinigung import regeln, ziel
from mappings.meldebescheinigung.datum import write_birthday
from mappings.meldebescheinigung.einstellungen import Einstellungen

HERE = ziel.HERE
PRODUKT = "XTA/OSCI Intermediary"
E_MAIL = codelist(*ziel.ERREICHBARKEIT, "01")
DVDV = codelist(*ziel.VERZEICHNISDIENST, "DVDV")
ENDUNGEN = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


class Meldebescheinigung:
    """The mapping: pure, one message per application."""

    name: ClassVar[str] = "meldebescheinigung"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = "{urn:intermediary:eingang:meldebescheinigung:1}meldebescheinigung"
    standard: ClassVar[str] = "XMeld 25.11a"
    settings_type: ClassVar[type] = Einstellungen

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The message; raises as the port `Mapping` says, with the Befunde of `regeln.py`."""
        einstellungen = read_settings(Einstellungen, kontext.settings)
        payload = Payload(antrag.tree)
        eingang = local(kontext.received_at)
        regeln.pruefe(payload, eingang.date(), einstellungen)
        kennung = derived(kontext, f"/Nachricht/Fassung[{kontext.revision}]")

        nachricht = Builder(ziel.SHAPE)
        _rahmen(nachricht, payload, kontext)
        _kopf(nachricht, kennung, eingang, einstellungen, kontext)
        _anschrift_autor(nachricht, einstellungen)
        _identifikation(nachricht.element("identifikation"), payload)
        _steuerung(nachricht.element("steuerungsinformationen"), payload)
        built = nachricht.finish()

        dokumente = tuple(_beilage(part, nummer, kontext) for nummer, part in enumerate(antrag.attachments, 1))
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


def _beilage(part: Part, nummer: int, kontext: Kontext) -> Dokument:
    """BEILAGE: 1700 has no place for files; what was sent along is delivered beside it, unchanged."""
    media_type = media_type_of(part)
    name = f"{kontext.id_for(f'/Anlage{nummer}')}_Anlage{nummer}.{ENDUNGEN.get(media_type, 'bin')}"
    return Dokument(name, media_type, part.content)


def _paket(kennung: str, xml: bytes, dokumente: tuple[Dokument, ...], einstellungen: Einstellungen) -> Dokument:
    """PAKET: the message alone, as XMeld is exchanged; or a ZIP for targets that take one file only."""
    if einstellungen.paket == "zip":
        return package(kennung, ziel.NACHRICHT, xml, dokumente)
    return Dokument(f"{kennung}_{ziel.NACHRICHT}.xml", "application/xml", MemoryContent(xml))


def _rahmen(nachricht: Node, payload: Payload, kontext: Kontext) -> None:
    """The frame of a G2G message. The product's version is the mapping's: a new release alone changes no output."""
    nachricht.attribute("produkt", PRODUKT)
    nachricht.attribute("produkthersteller", PRODUKT)
    nachricht.attribute("produktversion", f"{Meldebescheinigung.name}@{Meldebescheinigung.version}")
    nachricht.attribute("standard", "XMeld")
    nachricht.attribute("version", "25.11a")
    is_test = kontext.is_test or payload.attribute("test") is not None
    nachricht.attribute("test", "Testnachricht" if is_test else None)


def _kopf(
    nachricht: Node, kennung: Sourced[str], eingang: dt.datetime, einstellungen: Einstellungen, kontext: Kontext
) -> None:
    """nachrichtenkopf.g2g. UUID-JE-FASSUNG: a corrected output is another message, a repeated one the same."""
    kopf = nachricht.element("nachrichtenkopf.g2g")
    identifikation = kopf.element("identifikation.nachricht")
    identifikation.leaf("nachrichtenUUID", kennung)
    identifikation.code("nachrichtentyp", codelist(*ziel.NACHRICHTEN, "1700"))
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


def _identifikation(identifikation: Node, payload: Payload) -> None:
    """Whom the register finds: names, day of birth, address of the main flat."""
    person = payload.group("person")
    familienname = person.required("familienname", normal)
    identifikation.element("familienname.unstrukturiert").leaf("name", familienname)
    _vornamen(identifikation.element("vornamen"), person.optional("vornamen", normal), familienname)
    write_birthday(identifikation.element("geburt").element("geburtsdatum"), person.required("geburtsdatum", code))
    _anschrift(identifikation.element("anschrift"), payload.group("anschrift"))


def _vornamen(ziel_: Node, vornamen: Sourced[str] | None, familienname: Sourced[str]) -> None:
    """BLOCKNAME: whoever has one undivided name has it as family name, and first names that do not exist."""
    if vornamen is None:
        ziel_.leaf("nichtVorhanden", rule("BLOCKNAME", True, familienname))
    else:
        ziel_.leaf("name", vornamen)


def _anschrift(anschrift: Node, quelle: Group) -> None:
    """SCHLUESSEL-MIT-VERSION: the municipality with the version of the list it was chosen from."""
    gemeinde = quelle.group("gemeinde")
    schluessel = gemeinde.required("schluessel", code)
    anschrift.code(
        "gemeindeschluessel", Code(schluessel, ziel.GEMEINDEN, gemeinde.required("listenversion", code).value)
    )
    anschrift.leaf("postleitzahl", quelle.required("postleitzahl", normal))
    strasse = anschrift.element("strasseUndHausnummer").element("strukturiert")
    strasse.leaf("hausnummer", quelle.optional("hausnummer", normal))
    strasse.leaf("hausnummerBuchstabeZusatzziffer", quelle.optional("hausnummerzusatz", normal))
    strasse.leaf("strasse", quelle.required("strasse", normal))
    strasse.leaf("teilnummerDerHausnummer", quelle.optional("teilnummer", normal))


def _steuerung(steuerung: Node, payload: Payload) -> None:
    """MINDESTUMFANG: the certificate of § 18 Abs. 1 BMG, without additions. EINMAL-ANGEFORDERT: each addition once."""
    umfang = steuerung.element("datenumfang")
    zusaetze: dict[str, Sourced[str]] = {}
    for zusatz in payload.repeated("zusatz", code):
        zusaetze.setdefault(zusatz.value, zusatz)
    if not zusaetze:
        umfang.leaf("meldebescheinigungMindestumfang", rule("MINDESTUMFANG", True))
    for zusatz in zusaetze.values():
        umfang.code("meldebescheinigungErweitert", Code(zusatz, *ziel.ANFORDERUNGSELEMENT))
    steuerung.code("zustellvariante", Code(payload.required("zustellung", code), *ziel.ZUSTELLVARIANTE))


MAPPING = Meldebescheinigung()
