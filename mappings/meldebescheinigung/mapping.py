"""Antrag auf Meldebescheinigung to XMeld 25.11a `onlinedienste.abrufanfrage.meldebescheinigung.1700` (§§ 18, 18a BMG).

One function per section of the target, in target order. Rules have names in capitals; README.md lists them with the
table of fields.
"""

from __future__ import annotations

from typing import ClassVar

from intermediary.mapping.api import (
    Antrag,
    Ausgabe,
    Builder,
    Code,
    Dokument,
    Group,
    HeadOfServices,
    Kontext,
    Node,
    Part,
    Payload,
    Sourced,
    code,
    codelist,
    local,
    media_type_of,
    message_id,
    normal,
    packed,
    read_settings,
    rule,
    write_birthday,
    write_frame,
    write_head,
)
from mappings.meldebescheinigung import regeln, ziel

HERE = ziel.HERE
STANDARD = ("XMeld", "25.11a")
ENDUNGEN = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


class Meldebescheinigung:
    """The mapping: pure, one message per application."""

    name: ClassVar[str] = "meldebescheinigung"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = "{urn:intermediary:eingang:meldebescheinigung:1}meldebescheinigung"
    standard: ClassVar[str] = "XMeld 25.11a"
    settings_type: ClassVar[type] = HeadOfServices

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The message; raises as the port `Mapping` says, with the Befunde of `regeln.py`."""
        einstellungen = read_settings(HeadOfServices, kontext.settings)
        payload = Payload(antrag.tree)
        eingang = local(kontext.received_at)
        regeln.pruefe(payload, eingang.date(), einstellungen)

        nachricht = Builder(ziel.SHAPE)
        write_frame(nachricht, STANDARD, f"{self.name}@{self.version}", payload, kontext)
        write_head(nachricht, codelist(*ziel.NACHRICHTEN, "1700"), einstellungen, kontext)
        _identifikation(nachricht.element("identifikation"), payload)
        _steuerung(nachricht.element("steuerungsinformationen"), payload)
        built = nachricht.finish()

        dokumente = tuple(_beilage(part, nummer, kontext) for nummer, part in enumerate(antrag.attachments, 1))
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


def _beilage(part: Part, nummer: int, kontext: Kontext) -> Dokument:
    """BEILAGE: 1700 has no place for files; what was sent along is delivered beside it, unchanged."""
    media_type = media_type_of(part)
    name = f"{kontext.id_for(f'/Anlage{nummer}')}_Anlage{nummer}.{ENDUNGEN.get(media_type, 'bin')}"
    return Dokument(name, media_type, part.content)


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
