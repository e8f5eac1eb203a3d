"""When a registration is refused: what nobody could work on, and what no message could carry.

Everything else passes, even what looks odd: whether a trade may be pursued is decided by people. Codes outside their list
do not refuse either, because the published schema leaves the lists open.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator

from intermediary.core.faults import Rejected
from intermediary.mapping.api import Findings, Group, Payload, date, integer
from mappings.gewerbeanmeldung import felder
from mappings.gewerbeanmeldung.texte import angegeben

# Texts without which nobody could work on the registration; a text of blanks is none.
PFLICHT = frozenset({felder.GEMEINDE, felder.SCHWERPUNKT, felder.FAMILIENNAME, felder.VORNAMEN})
TAGE = frozenset({felder.DATUM, felder.BEGINN, felder.AUSSTELLUNGSDATUM})


def pruefe(anzeige: Payload) -> None:
    """Raise `Rejected("mapping.input.refused")` with all Befunde, or do nothing."""
    befunde = Findings()
    _pflichttexte_sind_ausgefuellt(anzeige, befunde)
    _tage_sind_tage(anzeige, befunde)
    _inhaber_ist_genannt(anzeige, befunde)
    for inhaber in anzeige.groups(felder.INHABER):
        _anzahl(inhaber, felder.ZAHL_GESELLSCHAFTER, befunde)
        for person in personen(inhaber):
            _geburtsdatum_gibt_es(person.group(felder.GEBURTSDATUM), befunde)
    beschaeftigte = anzeige.group(felder.BETRIEB).group(felder.BESCHAEFTIGTE)
    _anzahl(beschaeftigte, felder.VOLLZEIT, befunde)
    _anzahl(beschaeftigte, felder.TEILZEIT, befunde)
    befunde.refuse()


def personen(inhaber: Group) -> Iterator[Group]:
    """Everybody whom a Betriebsinhaber names, in the order of the form."""
    for rolle in (felder.EINZELINHABER, felder.GESELLSCHAFTER, felder.VERTRETER):
        for gruppe in inhaber.groups(rolle):
            yield gruppe.group(felder.PERSON)


def _pflichttexte_sind_ausgefuellt(anzeige: Payload, befunde: Findings) -> None:
    """LEER: a text of blanks passes the schema, but says nothing."""
    for feld in anzeige.texts():
        if _name(feld.source) in PFLICHT and not feld.value.strip():
            befunde.add(rule="LEER", path=feld.source, hint="Diese Pflichtangabe besteht nur aus Leerzeichen.")


def _tage_sind_tage(anzeige: Payload, befunde: Findings) -> None:
    """`type`: the schema allows days of other years than 1 to 9999; no target does."""
    for feld in anzeige.texts():
        if _name(feld.source) in TAGE:
            try:
                date(feld.value)
            except ValueError:
                hint = "Diese Angabe hat nicht die Form, die das Zielformat verlangt."
                befunde.add(rule="type", path=feld.source, hint=hint)


def _inhaber_ist_genannt(anzeige: Payload, befunde: Findings) -> None:
    """INHABER-FEHLT: § 14 GewO; who registers a trade is a named organisation or a person."""
    for inhaber in anzeige.groups(felder.INHABER):
        if angegeben(inhaber, felder.ORGANISATION) is None and next(personen(inhaber), None) is None:
            hint = "Zu diesem Betriebsinhaber fehlt der Name: Organisation, Inhaber, Gesellschafter oder Vertreter."
            befunde.add(rule="INHABER-FEHLT", path=inhaber.path, hint=hint)


def _geburtsdatum_gibt_es(gruppe: Group, befunde: Findings) -> None:
    """GEBURTSDATUM: day and month may be unknown, but what is given exists in the calendar."""
    tag, monat = gruppe.optional(felder.TAG, integer), gruppe.optional(felder.MONAT, integer)
    jahr = gruppe.required(felder.JAHR, integer).value
    if monat is not None and not 1 <= monat.value <= 12:
        befunde.add(rule="GEBURTSDATUM", path=monat.source, hint="Diesen Monat gibt es nicht.")
    elif tag is not None and not 1 <= tag.value <= _letzter_tag(monat.value if monat else None, jahr):
        befunde.add(rule="GEBURTSDATUM", path=tag.source, hint="Diesen Tag gibt es im Kalender nicht.")


def _letzter_tag(monat: int | None, jahr: int) -> int:
    if monat is None:
        return 31
    return calendar.monthrange(jahr, monat)[1]


def _anzahl(gruppe: Group, name: str, befunde: Findings) -> None:
    """ANZAHL: nobody employs less than nobody."""
    try:
        anzahl = gruppe.optional(name, integer)
    except Rejected as refusal:
        befunde.adopt(refusal)
        return
    if anzahl is not None and anzahl.value < 0:
        befunde.add(rule="ANZAHL", path=anzahl.source, hint="Eine Anzahl kann nicht kleiner als 0 sein.")


def _name(path: str) -> str:
    return path.rpartition("/")[2].partition("[")[0]
