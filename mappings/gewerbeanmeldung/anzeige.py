"""The message for a Fachverfahren (`schema/gewerbeanzeige.xsd`): every field of the form, in the order of the target."""

from __future__ import annotations

from collections.abc import Sequence

from intermediary.mapping.api import (
    Builder,
    Built,
    Group,
    Kontext,
    Node,
    Payload,
    Shape,
    Sourced,
    Unterlage,
    boolean,
    constant,
    date,
    derived,
    integer,
    local,
    metadata,
)
from mappings.gewerbeanmeldung import codelisten, felder
from mappings.gewerbeanmeldung.personen import (
    schreibe_anschrift,
    schreibe_erreichbarkeit,
    schreibe_inhaber,
    schreibe_name,
)
from mappings.gewerbeanmeldung.texte import angegeben

ORTE = (
    ("betriebsstaette", felder.BETRIEBSSTAETTE),
    ("hauptniederlassung", felder.HAUPTNIEDERLASSUNG),
    ("fruehereBetriebsstaette", felder.FRUEHERE_BETRIEBSSTAETTE),
)


def gewerbeanzeige(shape: Shape, payload: Payload, anlagen: Sequence[Unterlage], kontext: Kontext) -> Built:
    """The whole message; `anlagen` lie beside it in the package under the names it gives."""
    nachricht = Builder(shape)
    _vorgang(nachricht.element("vorgang"), kontext)
    _gemeinde(nachricht.element("gemeinde"), payload)
    nachricht.leaf("anlass", constant("anmeldung"))
    _betrieb(nachricht, payload.group(felder.BETRIEB))
    for inhaber in payload.groups(felder.INHABER):
        schreibe_inhaber(nachricht.element("inhaber"), inhaber)
    _erlaubnisse(nachricht, payload.optional_group(felder.ERLAUBNISSE))
    nachricht.leaf("angezeigtAm", payload.required(felder.DATUM, date))
    for nummer, anlage in enumerate(anlagen, 1):
        (datei,) = anlage.dateien
        eintrag = nachricht.element("anlage")
        eintrag.leaf("datei", datei.dateiname)
        eintrag.leaf("originalname", datei.original_name)
        eintrag.leaf("medientyp", metadata(datei.dokument.media_type, f"attachment[{nummer}].media_type"))
    return nachricht.finish()


def kennung(kontext: Kontext) -> Sourced[str]:
    """NEUE-FASSUNG-NEUE-KENNUNG: a corrected message has another nachrichtenUUID, a repeated one not."""
    return derived(kontext, f"/Gewerbeanzeige[{kontext.revision}]")


def _vorgang(vorgang: Node, kontext: Kontext) -> None:
    vorgang.leaf("nachrichtenUUID", kennung(kontext))
    vorgang.leaf("einreichung", metadata(kontext.key, "nachricht.key"))
    vorgang.leaf("fassung", metadata(kontext.revision, "nachricht.revision"))
    vorgang.leaf("eingang", metadata(local(kontext.received_at), "nachricht.received_at"))
    vorgang.leaf("stelle", metadata(kontext.mandant, "nachricht.mandant"))
    vorgang.leaf("test", metadata(kontext.is_test, "nachricht.is_test"))


def _gemeinde(gemeinde: Node, payload: Payload) -> None:
    kennzahl = payload.group(felder.GEMEINDEKENNZAHL)
    ags = codelisten.angegeben(kennzahl, felder.GEMEINDESCHLUESSEL, codelisten.GEMEINDESCHLUESSEL)
    rs = codelisten.angegeben(kennzahl, felder.REGIONALSCHLUESSEL, codelisten.REGIONALSCHLUESSEL)
    gemeinde.leaf("name", payload.required(felder.GEMEINDE))
    gemeinde.code("gemeindeschluessel", ags)
    gemeinde.code("regionalschluessel", rs)


def _betrieb(nachricht: Node, betrieb: Group) -> None:
    nachricht.code("grund", codelisten.pflicht(betrieb, felder.GRUND, codelisten.GRUND))
    nachricht.leaf("betriebsart", betrieb.required(felder.BETRIEBSART))
    nachricht.code("niederlassung", codelisten.angegeben(betrieb, felder.NIEDERLASSUNG, codelisten.NIEDERLASSUNG))
    sonder = betrieb.group(felder.SONDERGEWERBE)
    nachricht.leaf("reisegewerbe", sonder.required(felder.REISEGEWERBE, boolean))
    nachricht.leaf("automatenaufstellung", sonder.required(felder.AUTOMATEN, boolean))
    _taetigkeit(nachricht.element("taetigkeit"), betrieb)
    leiter = betrieb.optional_group(felder.BETRIEBSLEITER)
    if leiter is not None:
        schreibe_name(nachricht.element("betriebsleiter"), leiter)
    for name, feld in ORTE:
        ort = betrieb.optional_group(feld)
        if ort is not None:
            ziel = nachricht.element(name)
            schreibe_anschrift(ziel.element("anschrift"), ort.group(felder.ANSCHRIFT))
            schreibe_erreichbarkeit(ziel, ort.group(felder.KOMMUNIKATION))
    frueher = nachricht.optional("frueher")
    frueher.leaf("firma", angegeben(betrieb, felder.FRUEHERE_FIRMA))
    vorher = betrieb.optional_group(felder.FRUEHERER_INHABER)
    if vorher is not None:
        schreibe_name(frueher.element("gewerbetreibender"), vorher)


def _taetigkeit(taetigkeit: Node, betrieb: Group) -> None:
    angemeldet, beschaeftigte = betrieb.group(felder.TAETIGKEIT), betrieb.group(felder.BESCHAEFTIGTE)
    taetigkeit.leaf("schwerpunkt", angemeldet.required(felder.SCHWERPUNKT))
    taetigkeit.leaf("weitere", angegeben(angemeldet, felder.WEITERE_TAETIGKEITEN))
    taetigkeit.leaf("nebenerwerb", betrieb.required(felder.NEBENERWERB, boolean))
    taetigkeit.leaf("beginn", betrieb.required(felder.BEGINN, date))
    taetigkeit.leaf("vollzeitbeschaeftigte", beschaeftigte.required(felder.VOLLZEIT, integer))
    taetigkeit.leaf("teilzeitbeschaeftigte", beschaeftigte.required(felder.TEILZEIT, integer))


def _erlaubnisse(nachricht: Node, erlaubnisse: Group | None) -> None:
    if erlaubnisse is None:
        return
    for erlaubnis in erlaubnisse.groups(felder.ERLAUBNIS):
        ziel = nachricht.element("erlaubnis")
        ziel.leaf("vorhanden", erlaubnis.required(felder.ERLAUBNIS_LIEGT_VOR, boolean))
        ziel.leaf("ausgestelltAm", erlaubnis.optional(felder.AUSSTELLUNGSDATUM, date))
        ziel.leaf("behoerde", angegeben(erlaubnis, felder.BEHOERDE))
    karte = erlaubnisse.optional_group(felder.HANDWERKSKARTE)
    if karte is not None:
        ziel = nachricht.element("handwerkskarte")
        ziel.leaf("vorhanden", karte.required(felder.KARTE_LIEGT_VOR, boolean))
        ziel.leaf("ausgestelltAm", karte.optional(felder.AUSSTELLUNGSDATUM, date))
        ziel.leaf("handwerkskammer", angegeben(karte, felder.HANDWERKSKAMMER))
