"""Antrag auf Bewohnerparkausweis (FIM S05000000058) to xdomea 3.1.0 `Abgabe.Abgabe.0401`: one Vorgang for the e-file.

What is special stands here, in `kontakt`, `unterlagen` and `regeln`. README.md lists the rules (names in capitals).
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from intermediary.mapping.api import (
    ABGABE,
    Antrag,
    Ausgabe,
    Builder,
    CodeTable,
    Filing,
    Kontext,
    Labels,
    Payload,
    Shape,
    Sourced,
    all_files,
    code,
    constant,
    file_reference,
    load_codes,
    load_labels,
    load_shape,
    package,
    read_settings,
    write_dokumente,
    write_filing,
    write_kopf,
)
from mappings.bewohnerparken import felder, regeln
from mappings.bewohnerparken.einstellungen import Einstellungen
from mappings.bewohnerparken.kontakt import schreibe_kontakt
from mappings.bewohnerparken.unterlagen import unterlagen

HERE = Path(__file__).parent
ARTEN = {"01": "Neuantrag", "02": "Verlängerung"}


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
        kennzeichen = file_reference(einstellungen.aktenzeichen, kontext)
        dateien = unterlagen(antrag, payload, self._labels, kennzeichen.value, kontext)
        nachricht = Builder(self._shape)
        write_kopf(nachricht, einstellungen, kontext)
        ablage = Filing(_betreff(payload), kennzeichen, einstellungen.aktenplan, constant("Bewohnerparkausweis"))
        vorgang = nachricht.element("Schriftgutobjekt").element("Vorgang")
        write_filing(vorgang, ablage, kontext)
        write_dokumente(vorgang, dateien, kontext)
        schreibe_kontakt(vorgang, payload.group(felder.PERSON), self._staat)
        built = nachricht.finish()
        dokumente = all_files(dateien)
        return Ausgabe(
            standard=self.standard,
            message=ABGABE,
            nachricht=built.xml,
            package=package(kontext.key, ABGABE, built.xml, dokumente),
            dokumente=dokumente,
            herkunft=built.herkunft,
            unread=payload.unread(),
            business_keys={"aktenzeichen": kennzeichen.value},
        )


def _betreff(payload: Payload) -> Sourced[str]:
    """BETREFF-OHNE-PERSON: kind of application only; subjects appear in lists that many people see."""
    art = payload.group(felder.ANTRAG).required(felder.ART_DES_ANTRAGS, code)
    return art.by("BETREFF-OHNE-PERSON", lambda schluessel: f"Bewohnerparkausweis – {ARTEN.get(schluessel, 'Antrag')}")


MAPPING = Bewohnerparken(
    shape=load_shape(HERE / "shape.toml"),
    labels=load_labels(HERE / "labels.toml"),
    staat=load_codes(HERE / "staat.toml"),
)
