"""Bauantrag to XBau 2.1 `baugenehmigung.antrag.0200`: the message, its Bauvorlagen and the form as one package.

One function per section of the target, in target order. Rules have names in capitals; README.md lists them with the
table of fields. What XBau has no place for (costs, declarations, descriptions) is read in the summary.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from intermediary.mapping.api import (
    Antrag,
    Ausgabe,
    Builder,
    Code,
    Kontext,
    Labels,
    Node,
    Payload,
    Shape,
    Sourced,
    allows,
    code,
    derived,
    load_labels,
    load_shape,
    local,
    metadata,
    package,
    read_settings,
)
from mappings.bauantrag import codelisten, regeln, unterlagen
from mappings.bauantrag.beteiligte import autor, beteiligte
from mappings.bauantrag.einstellungen import Einstellungen
from mappings.bauantrag.texte import angegeben, pflicht, verbunden
from mappings.bauantrag.vorhaben import abweichung, flurstuecksnummer, gegenstand, verortung

HERE = Path(__file__).parent
NACHRICHT = "baugenehmigung.antrag.0200"
LATIN = "xoev-lc:String.Latin"
PRODUKT = "xta-osci-intermediary"


class Bauantrag:
    """The mapping: pure, one package per application. Tables are read once, when the plug-in is loaded."""

    name: ClassVar[str] = "bauantrag"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = "{urn:intermediary:eingang:bauantrag:1}bauantrag"
    standard: ClassVar[str] = "xbau 2.1"
    settings_type: ClassVar[type] = Einstellungen

    def __init__(self, shape: Shape, labels: Labels) -> None:
        self._shape = shape
        self._labels = labels
        self._latin = shape.simple_types[LATIN]

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The package; raises as the port `Mapping` says, with the Befunde of `regeln.py`."""
        einstellungen = read_settings(Einstellungen, kontext.settings)
        einstellungen.demand_latin(self._is_latin)
        payload = Payload(antrag.tree)
        regeln.pruefe(payload, antrag.attachments, self._is_latin)
        schluessel = _schluessel(payload)
        dateien = unterlagen.dateien(antrag, kontext)
        nachrichten_uuid = derived(kontext, f"/Nachricht[{kontext.revision}]")

        nachricht = Builder(self._shape)
        _rahmen(nachricht, payload, einstellungen, kontext)
        _kopf(nachricht.element("nachrichtenkopf.privat2G"), payload, nachrichten_uuid, einstellungen, kontext)
        referenz = nachricht.element("referenzAntragsteller")
        referenz.leaf("referenzAntragsteller", _referenz(payload, kontext))
        _bauvorhaben(nachricht.element("bauvorhaben"), payload)
        abweichung(nachricht.element, payload)
        unterlagen.anlagen(nachricht.element("anlagen"), payload, dateien, kontext)
        built = nachricht.finish()

        dokumente = unterlagen.dokumente(antrag, payload, self._labels, dateien, kontext)
        return Ausgabe(
            standard=self.standard,
            message=NACHRICHT,
            nachricht=built.xml,
            package=package(nachrichten_uuid.value, NACHRICHT, built.xml, dokumente),
            dokumente=dokumente,
            herkunft=built.herkunft,
            unread=payload.unread(),
            business_keys=schluessel,
        )

    def _is_latin(self, text: str) -> bool:
        return allows(self._latin, text)


def _rahmen(nachricht: Node, payload: Payload, einstellungen: Einstellungen, kontext: Kontext) -> None:
    """Attributes of the root. TESTKENNZEICHEN: a present `test` says that the message is not to be worked on."""
    nachricht.attribute("produkt", PRODUKT)
    nachricht.attribute("produkthersteller", einstellungen.verantwortlich or kontext.mandant)
    nachricht.attribute("produktversion", f"{Bauantrag.name}@{Bauantrag.version}")
    nachricht.attribute("standard", "XBau")
    nachricht.attribute("version", "2.1")
    is_test = kontext.is_test or payload.attribute("test") is not None
    nachricht.attribute("test", "Testnachricht" if is_test else None)


def _kopf(
    kopf: Node, payload: Payload, nachrichten_uuid: Sourced[str], einstellungen: Einstellungen, kontext: Kontext
) -> None:
    """Nachrichtenkopf. NEUE-FASSUNG-NEUE-KENNUNG: a corrected message has another nachrichtenUUID, a repeated one not."""
    identifikation = kopf.element("identifikation.nachricht")
    identifikation.leaf("nachrichtenUUID", nachrichten_uuid)
    identifikation.code("nachrichtentyp", codelisten.NACHRICHTENTYP)
    identifikation.leaf("erstellungszeitpunkt", metadata(local(kontext.received_at), "nachricht.received_at"))
    leser = kopf.element("leser")
    behoerde = leser.element("behoerdenkennung")
    behoerde.code("praefix", codelisten.PRAEFIX.known(metadata(einstellungen.praefix, "settings.behoerdenkennung")))
    behoerde.code(
        "kennung",
        Code(
            metadata(einstellungen.kennung, "settings.behoerdenkennung"),
            codelisten.BEHOERDENSCHLUESSEL,
            einstellungen.schluesselversion,
        ),
    )
    leser.leaf("behoerdenname", metadata(einstellungen.behoerdenname, "settings.behoerdenname"))
    autor(kopf.element("autor"), payload)


def _referenz(payload: Payload, kontext: Kontext) -> Sourced[str]:
    """REFERENZ: the identity of the Antrag, as the online service gave it; otherwise derived from the Nachricht."""
    return payload.group("antrag").optional("antragskennung", code) or derived(kontext, "/Antrag")


def _bauvorhaben(bauvorhaben: Node, payload: Payload) -> None:
    """Wer, was, wo."""
    angaben = payload.group("vorhaben")
    bauvorhaben.leaf("bezeichnungDesBauvorhabens", pflicht(angaben, "bauvorhaben"))
    beteiligte(bauvorhaben.element("beteiligte"), payload)
    gegenstand(bauvorhaben.element("gegenstand"), angaben)
    verortung(bauvorhaben.element("verortung"), payload)


def _schluessel(payload: Payload) -> dict[str, str]:
    """What people at the counter ask for: the number of the online service, and the first Flurstück."""
    flurstueck = payload.group("grundstueck").group("flurstueck")
    nummer = flurstuecksnummer(flurstueck)
    lage = verbunden("LAGE", " ", pflicht(flurstueck, "gemarkung"), angegeben(flurstueck, "flur"), nummer) or nummer
    return {
        "antragsnummer": " ".join(pflicht(payload.group("antrag"), "antragsnummer").value.split()),
        "flurstueck": " ".join(lage.value.split()),
    }


MAPPING = Bauantrag(
    shape=load_shape(HERE / "shape.toml"),
    labels=load_labels(HERE / "labels.toml").with_codes(codelisten.NUTZUNG),
)
