"""Gewerbeanmeldung (FIM S00000009) to the e-file (xdomea 3.1.0 `Abgabe.Abgabe.0401`) or to a Fachverfahren (own XML).

The setting `ausgabe` chooses; the package for the e-file contains the message for the Fachverfahren too. A page per
section: `anzeige` and `personen` write the message, `kontakt` what is special of the one of xdomea, `unterlagen` the
files. Rules have names in capitals; README.md lists them with the table of fields.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from pathlib import Path
from typing import ClassVar

from intermediary.mapping.api import (
    ABGABE,
    Antrag,
    Ausgabe,
    Builder,
    Built,
    Filing,
    Kontext,
    Labels,
    Payload,
    Shape,
    Unterlage,
    all_files,
    attached,
    constant,
    file_reference,
    form_data,
    load_labels,
    load_shape,
    package,
    payload_of,
    read_settings,
    rule,
    write_dokumente,
    write_filing,
    write_kopf,
)
from mappings.gewerbeanmeldung import felder, regeln, unterlagen
from mappings.gewerbeanmeldung.anzeige import gewerbeanzeige, kennung
from mappings.gewerbeanmeldung.einstellungen import Einstellungen
from mappings.gewerbeanmeldung.kontakt import schreibe_kontakte

HERE = Path(__file__).parent
EAKTE = "xdomea 3.1.0"
FACHVERFAHREN = "gewerbeanzeige 1.0.0"
ANZEIGE = "gewerbeanzeige"
BETREFF = rule("BETREFF-OHNE-PERSON", "Gewerbeanmeldung")  # subjects appear in lists that many people see


class Gewerbeanmeldung:
    """The mapping: pure, one package per registration. Tables are read once, when the plug-in is loaded."""

    name: ClassVar[str] = "gewerbeanmeldung"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = felder.WURZEL
    further_roots: ClassVar[tuple[str, ...]] = (felder.WURZEL_PORTAL, felder.JSON)
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
        payload = payload_of(antrag)
        regeln.pruefe(payload)
        anlagen = attached(antrag, kontext)
        anzeige = gewerbeanzeige(self._anzeige, payload, anlagen, kontext)
        if einstellungen.ausgabe == "fachverfahren":
            return self._fachverfahren(antrag, payload, anzeige, anlagen, kontext)
        return self._eakte(antrag, payload, anzeige, anlagen, einstellungen, kontext)

    def _fachverfahren(
        self, antrag: Antrag, payload: Payload, anzeige: Built, anlagen: list[Unterlage], kontext: Kontext
    ) -> Ausgabe:
        zusammenfassung = unterlagen.zusammenfassung(payload, self._labels, anlagen, kontext)
        dokumente = all_files((zusammenfassung, form_data(antrag, kontext), *anlagen))
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
        anlagen: list[Unterlage],
        einstellungen: Einstellungen,
        kontext: Kontext,
    ) -> Ausgabe:
        kennzeichen = file_reference(einstellungen.aktenzeichen, kontext)
        dateien = [
            unterlagen.zusammenfassung(payload, self._labels, anlagen, kontext, kennzeichen=kennzeichen.value),
            unterlagen.anzeige(anzeige.xml, kontext),
            form_data(antrag, kontext),
            *anlagen,
        ]
        nachricht = Builder(self._xdomea)
        write_kopf(nachricht, einstellungen, kontext)
        vorgang = nachricht.element("Schriftgutobjekt").element("Vorgang")
        ablage = Filing(BETREFF, kennzeichen, einstellungen.aktenplan, constant("Gewerbeanmeldung"))
        write_filing(vorgang, ablage, kontext)
        write_dokumente(vorgang, dateien, kontext)
        schreibe_kontakte(vorgang, payload)
        built = nachricht.finish()
        dokumente = all_files(dateien)
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
