"""Any application to xdomea 3 `Abgabe.Abgabe.0401`: a readable document and a Vorgang, by configuration alone.

`[route.files]` names the form (XDatenfelder) and its code lists, `[route.settings]` says how the e-file is kept. A page per
section of the target: `vorgang`, `unterlagen`; `angaben` is what the e-file learns from the payload.
Rules have names in capitals; README.md lists them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from intermediary.mapping.api import (
    ABGABE,
    ANY_ROOT,
    Antrag,
    Ausgabe,
    Builder,
    Entry,
    Form,
    Kontext,
    Shape,
    all_files,
    configured_form,
    file_reference,
    fill,
    identity_of,
    load_shape,
    local,
    package,
    payload_entries,
    pdf_missing,
    read_settings,
    write_dokumente,
    write_kopf,
)
from mappings.fim_eakte.angaben import Angaben, suchbegriffe
from mappings.fim_eakte.einstellungen import Einstellungen
from mappings.fim_eakte.unterlagen import unterlagen
from mappings.fim_eakte.vorgang import schreibe_vorgang

HERE = Path(__file__).parent
LOSE_FELDER = "Weitere Angaben"
UNGEEIGNET = "mapping.setting.invalid"


class FimEakte:
    """The mapping: pure, one package per application; the form comes with the Kontext."""

    name: ClassVar[str] = "fim_eakte"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = ANY_ROOT
    standard: ClassVar[str] = "xdomea 3.1.0"
    settings_type: ClassVar[type] = Einstellungen

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The package; `Misconfigured` when settings or form do not fit; refused is only JSON that is no object."""
        einstellungen = read_settings(Einstellungen, kontext.settings)
        formular = configured_form(kontext.files)
        eintraege = payload_entries(antrag)
        _passt(formular, eintraege)
        gefuellt = fill(formular, eintraege, loose=LOSE_FELDER)
        angaben = Angaben(formular, eintraege, local(kontext.received_at).date())
        kennzeichen = file_reference(einstellungen.aktenzeichen, kontext)
        dateien = unterlagen(antrag, gefuellt, angaben, kennzeichen, einstellungen, kontext)

        nachricht = Builder(self._shapes[einstellungen.xdomea])
        write_kopf(nachricht, einstellungen, kontext)
        vorgang = nachricht.element("Schriftgutobjekt").element("Vorgang")
        schreibe_vorgang(vorgang, angaben, kennzeichen, einstellungen, kontext)
        write_dokumente(vorgang, dateien, kontext)
        built = nachricht.finish()

        alle = all_files(dateien)
        return Ausgabe(
            standard=f"xdomea {einstellungen.xdomea}",
            message=ABGABE,
            nachricht=built.xml,
            package=package(kontext.key, ABGABE, built.xml, alle),
            dokumente=alle,
            herkunft=built.herkunft,
            unread=tuple(leaf.path for leaf in eintraege.leaves() if leaf.path not in gefuellt.shown),
            business_keys=_schluessel(angaben, einstellungen) | {"aktenzeichen": kennzeichen.value},
        )

    def standard_of(self, settings: Mapping[str, str]) -> str:
        """The standard that a route with these settings writes."""
        return f"xdomea {settings.get('xdomea', '3.1.0')}"

    def examine(self, settings: Mapping[str, str], files: Mapping[str, bytes]) -> list[Befund]:
        """What would be waited for: an unreadable form or list, a field the form does not have, PDF that cannot be made."""
        einstellungen = read_settings(Einstellungen, settings)
        try:
            formular = configured_form(files)
        except Misconfigured as fault:
            return list(fault.findings)
        befunde = [
            Befund(UNGEEIGNET, path=f"settings.{wo}", hint=f"das Formular {formular.name} hat kein Feld {feld.text}")
            for wo, felder in (
                ("betreff", einstellungen.betreff_felder()),
                ("suchbegriffe", [one.feld for one in einstellungen.suchfelder()]),
            )
            for feld in felder
            if feld.field(formular) is None
        ]
        if einstellungen.darstellung != "html" and pdf_missing():
            befunde.append(Befund(UNGEEIGNET, path="settings.darstellung", hint=pdf_missing()))
        return befunde


def _schluessel(angaben: Angaben, einstellungen: Einstellungen) -> dict[str, str]:
    """The search keys by name; further values of a field are numbered."""
    schluessel: dict[str, str] = {}
    anzahl: Counter[str] = Counter()
    for name, wert in suchbegriffe(angaben, einstellungen):
        anzahl[name] += 1
        schluessel[name if anzahl[name] == 1 else f"{name} {anzahl[name]}"] = wert.value
    return schluessel


def _passt(formular: Form, eintraege: Entry) -> None:
    """FORMULAR-PASST: a payload that names another Datenschema than the configured form waits for the operator."""
    genannt = identity_of(eintraege.name)
    ist_schema = genannt.id[:1] == "S" and genannt.id[1:].isdecimal()
    if ist_schema and genannt.id != formular.root.identity.id:
        hint = f"die Formulardaten gehören zu einem anderen Datenschema als {formular.name}"
        befund = Befund(UNGEEIGNET, path="files.formular", hint=hint)
        raise Misconfigured(UNGEEIGNET, where="files.formular", findings=(befund,))


MAPPING = FimEakte({"3.1.0": load_shape(HERE / "shape.toml"), "3.0.0": load_shape(HERE / "shape-3.0.0.toml")})
