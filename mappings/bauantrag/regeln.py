"""When an application is refused: what the form cannot express, and what XBau cannot carry.

Everything else passes, even what looks odd: whether a building may be built is decided by people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from intermediary.mapping.api import Findings, Group, Part, Payload, code, normal
from mappings.bauantrag.codelisten import BUNDESLAND, NUTZUNG
from mappings.bauantrag.texte import schlicht

VERFAHREN_0200 = ("01", "02")
ERRICHTUNG = "1"

# Texts without which nobody could work on the application; a text of blanks is none.
PFLICHT = frozenset(
    {
        *("antragsnummer", "familienname", "vorname", "bezeichnung", "strasse", "postfach", "postleitzahl", "ort"),
        *("gemarkung", "listennummer", "bauvorhaben", "sonstigeAnlage", "vorschrift", "gegenstand", "begruendung"),
    }
)
# Texts that are read in the summary and the form data only: XBau 2.1 has no place for them.
NICHT_IN_XBAU = frozenset(
    {"bezugVorbescheid", "rechtsform", "register", "kammername", "beschreibung", "bemerkung", "antragsnummer", "datei"}
)


def pruefe(antrag: Payload, dateien: Sequence[Part], is_latin: Callable[[str], bool]) -> None:
    """Raise `Rejected("mapping.input.refused")` with all Befunde, or do nothing."""
    befunde = Findings()
    _texte_sind_uebertragbar(antrag, befunde, is_latin)
    _titel_sind_ausgefuellt(antrag, befunde)
    _verfahren_passt(antrag.group("antrag"), befunde)
    _land_ist_bekannt(antrag.group("antrag"), befunde)
    _gebaeude_ist_eingeordnet(antrag.group("vorhaben"), befunde)
    _unterlagen_liegen_bei(antrag, dateien, befunde)
    befunde.refuse()


def _texte_sind_uebertragbar(antrag: Payload, befunde: Findings, is_latin: Callable[[str], bool]) -> None:
    """LEER and ZEICHEN: XBau 2.1 takes the letters of String.Latin only, and no letter is replaced by another."""
    for feld in antrag.texts():
        name = feld.source.rpartition("/")[2].partition("[")[0]
        if name in PFLICHT and not schlicht(feld.value).strip():
            befunde.add(rule="LEER", path=feld.source, hint="Diese Pflichtangabe besteht nur aus Leerzeichen.")
        if name not in NICHT_IN_XBAU and not is_latin(schlicht(feld.value)):
            hint = "Diese Angabe enthält Zeichen, die das Verfahren der Bauaufsicht nicht annimmt (String.Latin)."
            befunde.add(rule="ZEICHEN", path=feld.source, hint=hint)


def _titel_sind_ausgefuellt(antrag: Payload, befunde: Findings) -> None:
    """LEER: the title of a Unterlage is its name in XBau; the title of a person may be left blank."""
    for unterlage in antrag.groups("unterlage"):
        if not schlicht(unterlage.required("titel").value).strip():
            hint = "Diese Pflichtangabe besteht nur aus Leerzeichen."
            befunde.add(rule="LEER", path=unterlage.path_of("titel"), hint=hint)


def _verfahren_passt(angaben: Group, befunde: Findings) -> None:
    """VERFAHREN: 0200 asks for a permit; exemption (0600) and preliminary decision (0210) are other messages."""
    verfahren = angaben.required("verfahren", code)
    if verfahren.value not in VERFAHREN_0200:
        hint = "Für dieses Verfahren ist ein eigener Antrag nötig; hier wird eine Baugenehmigung beantragt."
        befunde.add(rule="VERFAHREN", path=verfahren.source, hint=hint)


def _land_ist_bekannt(angaben: Group, befunde: Findings) -> None:
    """GEMEINDESCHLUESSEL: its first two digits name the Land, which XBau needs for every Flurstück."""
    schluessel = angaben.required("gemeindeschluessel", code)
    if schluessel.value[:2] not in BUNDESLAND.rows:
        hint = "Die ersten beiden Stellen des Gemeindeschlüssels bezeichnen kein Land."
        befunde.add(rule="GEMEINDESCHLUESSEL", path=schluessel.source, hint=hint)


def _gebaeude_ist_eingeordnet(vorhaben: Group, befunde: Findings) -> None:
    """NUTZUNG-UNBEKANNT and GEBAEUDEKLASSE-FEHLT."""
    gebaeude = vorhaben.optional_group("gebaeude")
    if gebaeude is None:
        return
    nutzung = gebaeude.required("nutzung", code)
    if NUTZUNG.known(nutzung) is None:
        hint = "Dieser Schlüssel steht nicht im Bauwerkszuordnungskatalog."
        befunde.add(rule="NUTZUNG-UNBEKANNT", path=nutzung.source, hint=hint)
    is_errichtung = vorhaben.required("massnahme", code).value == ERRICHTUNG
    if is_errichtung and gebaeude.optional("gebaeudeklasse") is None:
        hint = "Bei der Errichtung eines Gebäudes ist die Gebäudeklasse anzugeben."
        befunde.add(rule="GEBAEUDEKLASSE-FEHLT", path=gebaeude.path_of("gebaeudeklasse"), hint=hint)


def _unterlagen_liegen_bei(antrag: Payload, dateien: Sequence[Part], befunde: Findings) -> None:
    """UNTERLAGE-FEHLT and UNTERLAGE-MEHRDEUTIG: each named file is there once."""
    vorhanden = Counter(normal(datei.name) for datei in dateien)
    for unterlage in antrag.groups("unterlage"):
        datei = unterlage.required("datei", normal)
        if not vorhanden[datei.value]:
            hint = "Die genannte Datei ist nicht mitgesendet worden."
            befunde.add(rule="UNTERLAGE-FEHLT", path=datei.source, hint=hint)
        elif vorhanden[datei.value] > 1:
            hint = "Mehrere mitgesendete Dateien tragen diesen Namen."
            befunde.add(rule="UNTERLAGE-MEHRDEUTIG", path=datei.source, hint=hint)
