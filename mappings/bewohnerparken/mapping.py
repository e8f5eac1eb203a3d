"""Antrag auf Bewohnerparkausweis (FIM S05000000058) to xdomea 3.1.0 `Abgabe.Abgabe.0401`: one Vorgang for the e-file.

A page per section of the target, in its order: `kopf`, `vorgang` with its Dokumente (`unterlagen`), `kontakt`. Rules have
names in capitals; README.md lists them with the table of fields. What the e-file needs to find and file the Vorgang
becomes metadata; everything else is read in the summary.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from intermediary.mapping.api import (
    Antrag,
    Ausgabe,
    Builder,
    CodeTable,
    Kontext,
    Labels,
    Payload,
    Shape,
    load_codes,
    load_labels,
    load_shape,
    local,
    metadata,
    package,
    read_settings,
    rule,
)
from mappings.bewohnerparken import felder, regeln
from mappings.bewohnerparken.einstellungen import Einstellungen
from mappings.bewohnerparken.kontakt import schreibe_kontakt
from mappings.bewohnerparken.kopf import schreibe_kopf
from mappings.bewohnerparken.unterlagen import unterlagen
from mappings.bewohnerparken.vorgang import schreibe_dokument, schreibe_vorgang

HERE = Path(__file__).parent
NACHRICHT = "Abgabe.Abgabe.0401"


class Bewohnerparken:
    """The mapping: pure, one package per application. Tables are read once, when the plug-in is loaded."""

    name: ClassVar[str] = "bewohnerparken"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = felder.WURZEL
    standard: ClassVar[str] = "xdomea 3.1.0"
    settings_type: ClassVar[type] = Einstellungen

    def __init__(self, shape: Shape, labels: Labels, staat: CodeTable) -> None:
        self._shape = shape
        self._labels = labels
        self._staat = staat

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The package; raises as the port `Mapping` says, with the Befunde of `regeln.py`."""
        einstellungen = read_settings(Einstellungen, kontext.settings)
        payload = Payload(antrag.tree)
        regeln.pruefe(payload)
        eingang = local(kontext.received_at)
        kennzeichen = rule(
            "VORGANGSZEICHEN",
            einstellungen.kennzeichen(eingang.date(), kontext.key),
            metadata(einstellungen.aktenzeichen, "settings.aktenzeichen"),
            metadata(eingang, "nachricht.received_at"),
        )
        dateien = unterlagen(antrag, payload, self._labels, kennzeichen.value, kontext)

        nachricht = Builder(self._shape)
        schreibe_kopf(nachricht, eingang, einstellungen, kontext)
        vorgang = nachricht.element("Schriftgutobjekt").element("Vorgang")
        schreibe_vorgang(vorgang, payload, kennzeichen, eingang, einstellungen, kontext)
        for nummer, datei in enumerate(dateien, 1):
            schreibe_dokument(vorgang, datei, nummer, eingang, kontext)
        schreibe_kontakt(vorgang, payload.group(felder.PERSON), self._staat)
        built = nachricht.finish()

        dokumente = tuple(datei.dokument for datei in dateien)
        return Ausgabe(
            standard=self.standard,
            message=NACHRICHT,
            nachricht=built.xml,
            package=package(kontext.key, NACHRICHT, built.xml, dokumente),
            dokumente=dokumente,
            herkunft=built.herkunft,
            unread=payload.unread(),
            business_keys={"aktenzeichen": kennzeichen.value},
        )


MAPPING = Bewohnerparken(
    shape=load_shape(HERE / "shape.toml"),
    labels=load_labels(HERE / "labels.toml"),
    staat=load_codes(HERE / "staat.toml"),
)
