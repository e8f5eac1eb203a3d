"""When an application is refused: what the message 1704 cannot express, and what the law or the form excludes.

Everything else passes: whether the details are right is decided by the Meldebehörde.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from intermediary.mapping.api import (
    UNKNOWN_DAY,
    Findings,
    Group,
    HeadOfServices,
    Payload,
    boolean,
    code,
    date,
    earliest,
    is_partial_date,
    normal,
)
from mappings.wohnsitzanmeldung import ziel
from mappings.wohnsitzanmeldung.anlagen import MAX_BESTAETIGUNG_BYTES, Anlage, confirmation_in

FAMILIENSTAND_ZU = {"EG": "VH", "LP": "LP"}


def pruefe(antrag: Payload, anlagen: Sequence[Anlage], eingang: dt.date, einstellungen: HeadOfServices) -> None:
    """Raise `Rejected("mapping.input.refused")` with all Befunde, or do nothing; `eingang` is the day of receipt."""
    befunde = Findings()
    _texte_sind_uebertragbar(antrag, befunde)
    for person in people(antrag):
        _daten_sind_tage(person, eingang, befunde)
        _staatsangehoerigkeiten_sind_bekannt(person, befunde)
        _wohnungen_liegen_im_inland(person, befunde)
    _partner_passt(antrag, befunde)
    _einzug_ist_geschehen(antrag, eingang, befunde)
    _gemeinde_ist_zustaendig(antrag, einstellungen, befunde)
    _bestaetigung_ist_da(antrag, anlagen, befunde)
    befunde.refuse()


def people(antrag: Payload) -> Iterator[Group]:
    """Everybody the message is about."""
    yield antrag.group("antragsteller")
    partner = antrag.optional_group("partner")
    if partner is not None:
        yield from (*partner.groups("ziehtMit"), *partner.groups("ziehtNichtMit"))
    yield from antrag.groups("kind")


def _texte_sind_uebertragbar(antrag: Payload, befunde: Findings) -> None:
    """ZEICHEN-NICHT-DIN-91379: registers hold only these, in normal form. LEERE-ANGABE: blanks are no answer."""
    for feld in antrag.texts():
        if not feld.value.strip():
            befunde.add(rule="LEERE-ANGABE", path=feld.source, hint="Die Angabe besteht nur aus Leerzeichen.")
        elif not ziel.is_din_91379(normal(feld.value)):
            hint = "Die Angabe enthält Zeichen, die das Melderegister nicht führt (DIN 91379, Datentyp C)."
            befunde.add(rule="ZEICHEN-NICHT-DIN-91379", path=feld.source, hint=hint)


def _daten_sind_tage(person: Group, eingang: dt.date, befunde: Findings) -> None:
    """DATUM-KEIN-TAG: 00 stands for what is not known, from the right. GEBURT-IN-ZUKUNFT: nobody is born after today."""
    geburt = person.required("geburtsdatum", code)
    stand = person.optional_group("familienstand")
    beginn = stand.optional("beginn", code) if stand is not None else None
    for datum in (geburt, beginn):
        if datum is not None and not is_partial_date(datum.value):
            hint = "Das Datum gibt es nicht; unbekannte Tage und Monate sind 00, ein unbekanntes Datum ist 0000-00-00."
            befunde.add(rule="DATUM-KEIN-TAG", path=datum.source, hint=hint)
    if is_partial_date(geburt.value) and geburt.value != UNKNOWN_DAY and earliest(geburt.value) > eingang.isoformat():
        hint = "Das Geburtsdatum liegt nach dem Tag des Eingangs."
        befunde.add(rule="GEBURT-IN-ZUKUNFT", path=geburt.source, hint=hint)


def _staatsangehoerigkeiten_sind_bekannt(person: Group, befunde: Findings) -> None:
    """STAATSANGEHOERIGKEIT-UNBEKANNT: a key that the list lacks means nothing to the register."""
    for key in person.repeated("staatsangehoerigkeit", code):
        if ziel.known_citizenship(key) is None:
            hint = "Der Schlüssel steht nicht in der Liste der Staatsangehörigkeiten (Destatis, 2024-08-01)."
            befunde.add(rule="STAATSANGEHOERIGKEIT-UNBEKANNT", path=key.source, hint=hint)


def _wohnungen_liegen_im_inland(person: Group, befunde: Findings) -> None:
    """ZUZUG-AUS-AUSLAND: 1704 has no address abroad; such a registration is made in person (§ 23a BMG)."""
    for wohnung in person.groups("bisherigeWohnung"):
        ausland = wohnung.optional_group("ausland")
        if ausland is not None:
            hint = "Die elektronische Anmeldung ist nur bei einem Umzug innerhalb Deutschlands möglich."
            befunde.add(rule="ZUZUG-AUS-AUSLAND", path=ausland.path, hint=hint)


def _partner_passt(antrag: Payload, befunde: Findings) -> None:
    """PARTNER-UND-FAMILIENSTAND: spouses are married, partners live in a partnership. KIND-OHNE-PARTNER."""
    partner = antrag.optional_group("partner")
    if partner is not None:
        stand = FAMILIENSTAND_ZU[partner.required("art", code).value]
        for person in (antrag.group("antragsteller"), *partner.groups("ziehtMit")):
            angegeben = person.group("familienstand").required("stand", code)
            if angegeben.value != stand:
                hint = "Der Familienstand passt nicht zur Art der Partnerschaft."
                befunde.add(rule="PARTNER-UND-FAMILIENSTAND", path=angegeben.source, hint=hint)
    if partner is None or partner.optional_group("ziehtMit") is None:
        for kind in antrag.groups("kind"):
            nur_partner = kind.optional("nurPartnerZugeordnet", boolean)
            if nur_partner is not None and nur_partner.value:
                hint = "Das Kind ist nur einem Partner zugeordnet, der nicht mitzieht."
                befunde.add(rule="KIND-OHNE-PARTNER", path=nur_partner.source, hint=hint)


def _einzug_ist_geschehen(antrag: Payload, eingang: dt.date, befunde: Findings) -> None:
    """EINZUG-IN-ZUKUNFT: who has moved in registers, not who is going to (§ 17 Abs. 1 BMG)."""
    einzug = antrag.group("neueWohnung").required("einzugsdatum", date)
    if einzug.value > eingang:
        hint = "Das Einzugsdatum liegt nach dem Tag des Eingangs; anmelden kann sich, wer eingezogen ist."
        befunde.add(rule="EINZUG-IN-ZUKUNFT", path=einzug.source, hint=hint)


def _gemeinde_ist_zustaendig(antrag: Payload, einstellungen: HeadOfServices, befunde: Findings) -> None:
    """GEMEINDE-NICHT-ZUSTAENDIG: the new flat lies elsewhere; somebody else has to register it."""
    gemeinde = antrag.group("neueWohnung").group("anschrift").group("gemeinde").required("schluessel", code)
    if not einstellungen.is_responsible(gemeinde.value):
        hint = "Für die Gemeinde der neuen Wohnung ist diese Meldebehörde nicht zuständig."
        befunde.add(rule="GEMEINDE-NICHT-ZUSTAENDIG", path=gemeinde.source, hint=hint)


def _bestaetigung_ist_da(antrag: Payload, anlagen: Sequence[Anlage], befunde: Findings) -> None:
    """The landlord's confirmation that the form names has come (BESTAETIGUNG-FEHLT), as a PDF of at most 10 MiB."""
    if antrag.optional("wohnungsgeberbestaetigung") is None:
        return
    path = antrag.path_of("wohnungsgeberbestaetigung")
    bestaetigung = confirmation_in(anlagen, antrag)
    if bestaetigung is None:
        hint = "Die genannte Datei wurde nicht mitgeschickt."
        befunde.add(rule="BESTAETIGUNG-FEHLT", path=path, hint=hint)
    elif bestaetigung.part.content.length > MAX_BESTAETIGUNG_BYTES:
        hint = "Die Wohnungsgeberbestätigung ist größer als 10 MiB."
        befunde.add(rule="BESTAETIGUNG-ZU-GROSS", path=path, hint=hint)
    elif not bestaetigung.is_pdf():
        hint = "Die Wohnungsgeberbestätigung ist kein PDF-Dokument."
        befunde.add(rule="BESTAETIGUNG-KEIN-PDF", path=path, hint=hint)
