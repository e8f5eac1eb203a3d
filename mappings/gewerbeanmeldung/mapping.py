"""Gewerbeanmeldung (FIM S00000009) to the e-file (xdomea 3.1.0 `Abgabe.Abgabe.0401`) or to a Fachverfahren (own XML).

The setting `ausgabe` chooses; the package for the e-file contains the message for the Fachverfahren too. A page per
section: `anzeige` and `personen` write the message, `kopf`, `vorgang` and `kontakt` the one of xdomea, `unterlagen` the
files. Rules have names in capitals; README.md lists them with the table of fields.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from pathlib import Path
from typing import ClassVar

from intermediary.mapping.api import (
    Antrag,
    Ausgabe,
    Builder,
    Built,
    Kontext,
    Labels,
    Payload,
    Shape,
    load_labels,
    load_shape,
    local,
    metadata,
    package,
    read_settings,
    rule,
)
from mappings.gewerbeanmeldung import felder, regeln, unterlagen
from mappings.gewerbeanmeldung.anzeige import gewerbeanzeige, kennung
from mappings.gewerbeanmeldung.einstellungen import Einstellungen
from mappings.gewerbeanmeldung.kontakt import schreibe_kontakte
from mappings.gewerbeanmeldung.kopf import schreibe_kopf
from mappings.gewerbeanmeldung.unterlagen import Anlage
from mappings.gewerbeanmeldung.vorgang import schreibe_dokument, schreibe_vorgang

HERE = Path(__file__).parent
EAKTE = "xdomea 3.1.0"
ABGABE = "Abgabe.Abgabe.0401"
FACHVERFAHREN = "gewerbeanzeige 1.0.0"
ANZEIGE = "gewerbeanzeige"


class Gewerbeanmeldung:
    """The mapping: pure, one package per registration. Tables are read once, when the plug-in is loaded."""

    name: ClassVar[str] = "gewerbeanmeldung"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = felder.WURZEL
    standard: ClassVar[str] = EAKTE
    settings_type: ClassVar[type] = Einstellungen

    def __init__(self, xdomea: Shape, anzeige: Shape, labels: Labels) -> None:
        self._xdomea = xdomea
        self._anzeige = anzeige
        self._labels = labels

    def standard_of(self, settings: MappingOf[str, str]) -> str:
        """What a route with these settings writes."""
        return FACHVERFAHREN if settings.get("ausgabe") == "fachverfahren" else EAKTE

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The package; raises as the port `Mapping` says, with the Befunde of `regeln.py`."""
        einstellungen = read_settings(Einstellungen, kontext.settings)
        payload = Payload(antrag.tree)
        regeln.pruefe(payload)
        anlagen = unterlagen.anlagen(antrag, kontext)
        anzeige = gewerbeanzeige(self._anzeige, payload, anlagen, kontext)
        if einstellungen.ausgabe == "fachverfahren":
            return self._fachverfahren(antrag, payload, anzeige, anlagen, kontext)
        return self._eakte(antrag, payload, anzeige, anlagen, einstellungen, kontext)

    def _fachverfahren(
        self, antrag: Antrag, payload: Payload, anzeige: Built, anlagen: list[Anlage], kontext: Kontext
    ) -> Ausgabe:
        dokumente = (
            unterlagen.zusammenfassung(payload, self._labels, anlagen, kontext).dokument,
            unterlagen.formulardaten(antrag, kontext).dokument,
            *(unterlagen.dokument(anlage) for anlage in anlagen),
        )
        uuid = kennung(kontext).value
        return Ausgabe(
            standard=FACHVERFAHREN,
            message=ANZEIGE,
            nachricht=anzeige.xml,
            package=package(uuid, ANZEIGE, anzeige.xml, dokumente),
            dokumente=dokumente,
            herkunft=anzeige.herkunft,
            unread=payload.unread(),
            business_keys={"nachrichtenUUID": uuid},
        )

    def _eakte(
        self,
        antrag: Antrag,
        payload: Payload,
        anzeige: Built,
        anlagen: list[Anlage],
        einstellungen: Einstellungen,
        kontext: Kontext,
    ) -> Ausgabe:
        eingang = local(kontext.received_at)
        kennzeichen = rule(
            "VORGANGSZEICHEN",
            einstellungen.kennzeichen(eingang.date(), kontext.key),
            metadata(einstellungen.aktenzeichen, "settings.aktenzeichen"),
            metadata(eingang, "nachricht.received_at"),
        )
        dateien = [
            unterlagen.zusammenfassung(payload, self._labels, anlagen, kontext, kennzeichen=kennzeichen.value),
            unterlagen.anzeige(anzeige.xml, kontext),
            unterlagen.formulardaten(antrag, kontext),
            *(unterlagen.als_unterlage(anlage) for anlage in anlagen),
        ]
        nachricht = Builder(self._xdomea)
        schreibe_kopf(nachricht, eingang, einstellungen, kontext)
        vorgang = nachricht.element("Schriftgutobjekt").element("Vorgang")
        schreibe_vorgang(vorgang, kennzeichen, eingang, einstellungen, kontext)
        for nummer, datei in enumerate(dateien, 1):
            schreibe_dokument(vorgang, datei, nummer, eingang, kontext)
        schreibe_kontakte(vorgang, payload)
        built = nachricht.finish()
        dokumente = tuple(datei.dokument for datei in dateien)
        return Ausgabe(
            standard=EAKTE,
            message=ABGABE,
            nachricht=built.xml,
            package=package(kontext.key, ABGABE, built.xml, dokumente),
            dokumente=dokumente,
            herkunft=built.herkunft,
            unread=payload.unread(),
            business_keys={"aktenzeichen": kennzeichen.value},
        )


MAPPING = Gewerbeanmeldung(
    xdomea=load_shape(HERE / "shape.toml"),
    anzeige=load_shape(HERE / "gewerbeanzeige.shape.toml"),
    labels=load_labels(HERE / "labels.toml"),
)
