"""When an application is refused: rules of the form itself that its schema cannot express.

Everything else passes, even what looks odd: whether an application is justified is decided by people. Values outside a
code list do not refuse either, because the published schema leaves the lists open.
"""

from __future__ import annotations

from intermediary.core.faults import Rejected
from intermediary.mapping.api import Findings, Group, Payload, code, date
from mappings.bewohnerparken import felder

VERLAENGERUNG = "02"
ANDERER_HALTER = "02"


def pruefe(antrag: Payload) -> None:
    """Raise `Rejected("mapping.input.refused")` with all Befunde, or do nothing."""
    befunde = Findings()
    _name_ist_ausgefuellt(antrag.group(felder.PERSON), befunde)
    _geburtsdatum_ist_ein_tag(antrag.group(felder.PERSON), befunde)
    _verlaengerung_nennt_ausweis(antrag.group(felder.ANTRAG), befunde)
    _anderer_halter_ist_genannt(antrag, befunde)
    befunde.refuse()


def _name_ist_ausgefuellt(person: Group, befunde: Findings) -> None:
    """NAME-LEER: a name of blanks passes the schema, but the e-file could not assign the Vorgang to anybody."""
    if not person.required(felder.FAMILIENNAME).value.strip():
        hint = "Der Familienname besteht nur aus Leerzeichen."
        befunde.add(rule="NAME-LEER", path=person.path_of(felder.FAMILIENNAME), hint=hint)
    if not any(vorname.value.strip() for vorname in person.repeated(felder.VORNAME)):
        hint = "Der Vorname besteht nur aus Leerzeichen."
        befunde.add(rule="NAME-LEER", path=person.path_of(felder.VORNAME), hint=hint)


def _geburtsdatum_ist_ein_tag(person: Group, befunde: Findings) -> None:
    """`type`: the schema allows days of other years than 1 to 9999; no e-file does."""
    try:
        person.required(felder.GEBURTSDATUM, date)
    except Rejected as refusal:
        befunde.adopt(refusal)


def _verlaengerung_nennt_ausweis(angaben: Group, befunde: Findings) -> None:
    """VERLAENGERUNG-OHNE-AUSWEIS: rule R05000000334 of the form; an extension needs the existing permit."""
    is_verlaengerung = angaben.required(felder.ART_DES_ANTRAGS, code).value == VERLAENGERUNG
    if is_verlaengerung and angaben.optional_group(felder.BESTEHENDER_AUSWEIS) is None:
        befunde.add(
            rule="VERLAENGERUNG-OHNE-AUSWEIS",
            path=angaben.path_of(felder.BESTEHENDER_AUSWEIS),
            hint="Bei einer Verlängerung sind Nummer und Ausstelldatum des bestehenden Ausweises anzugeben.",
        )


def _anderer_halter_ist_genannt(antrag: Payload, befunde: Findings) -> None:
    """HALTER-FEHLT: rule R05000000281 of the form; a car registered to somebody else needs that person's details."""
    zulassung = antrag.group(felder.FAHRZEUG).required(felder.ZULASSUNG_AUF, code)
    if zulassung.value == ANDERER_HALTER and antrag.optional_group(felder.HALTER) is None:
        befunde.add(
            rule="HALTER-FEHLT",
            path=antrag.path_of(felder.HALTER),
            hint="Das Fahrzeug ist auf eine andere Person zugelassen; deren Angaben fehlen.",
        )
