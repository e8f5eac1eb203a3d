"""When an application is refused: what the message 1700 cannot express, and what somebody else has to answer.

Everything else passes: whether a person is registered, and may have the certificate, the Meldebehörde decides.
"""

from __future__ import annotations

import datetime as dt

from intermediary.mapping.api import (
    UNKNOWN_DAY,
    Findings,
    HeadOfServices,
    Payload,
    code,
    earliest,
    is_partial_date,
    normal,
)
from mappings.meldebescheinigung import ziel


def pruefe(antrag: Payload, eingang: dt.date, einstellungen: HeadOfServices) -> None:
    """Raise `Rejected("mapping.input.refused")` with all Befunde, or do nothing; `eingang` is the day of receipt."""
    befunde = Findings()
    _texte_sind_uebertragbar(antrag, befunde)
    _geburtsdatum_ist_ein_tag(antrag, eingang, befunde)
    _gemeinde_ist_zustaendig(antrag, einstellungen, befunde)
    befunde.refuse()


def _texte_sind_uebertragbar(antrag: Payload, befunde: Findings) -> None:
    """ZEICHEN-NICHT-DIN-91379: registers hold only these, in normal form. LEERE-ANGABE: blanks are no answer."""
    for feld in antrag.texts():
        if not feld.value.strip():
            befunde.add(rule="LEERE-ANGABE", path=feld.source, hint="Die Angabe besteht nur aus Leerzeichen.")
        elif not ziel.is_din_91379(normal(feld.value)):
            hint = "Die Angabe enthält Zeichen, die das Melderegister nicht führt (DIN 91379, Datentyp C)."
            befunde.add(rule="ZEICHEN-NICHT-DIN-91379", path=feld.source, hint=hint)


def _geburtsdatum_ist_ein_tag(antrag: Payload, eingang: dt.date, befunde: Findings) -> None:
    """DATUM-KEIN-TAG: 00 stands for what is not known, from the right. GEBURT-IN-ZUKUNFT: nobody is born after today."""
    geburt = antrag.group("person").required("geburtsdatum", code)
    if not is_partial_date(geburt.value):
        hint = "Das Datum gibt es nicht; unbekannte Tage und Monate sind 00, ein unbekanntes Datum ist 0000-00-00."
        befunde.add(rule="DATUM-KEIN-TAG", path=geburt.source, hint=hint)
    elif geburt.value != UNKNOWN_DAY and earliest(geburt.value) > eingang.isoformat():
        hint = "Das Geburtsdatum liegt nach dem Tag des Eingangs."
        befunde.add(rule="GEBURT-IN-ZUKUNFT", path=geburt.source, hint=hint)


def _gemeinde_ist_zustaendig(antrag: Payload, einstellungen: HeadOfServices, befunde: Findings) -> None:
    """GEMEINDE-NICHT-ZUSTAENDIG: the flat lies elsewhere; the register there knows the person."""
    schluessel = antrag.group("anschrift").group("gemeinde").required("schluessel", code)
    if not einstellungen.is_responsible(schluessel.value):
        hint = "Für diese Gemeinde ist eine andere Meldebehörde zuständig."
        befunde.add(rule="GEMEINDE-NICHT-ZUSTAENDIG", path=schluessel.source, hint=hint)
