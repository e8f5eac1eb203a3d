"""What the e-file learns from the application: Betreff, search keys, the day a deadline ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta

from intermediary.mapping.api import Entry, Form, Kontext, Reference, Sourced, filled_in, from_receipt, metadata, rule
from mappings.fim_eakte.einstellungen import Einstellungen

LAENGSTER_BETREFF = 250
_TRENNER = r"[\s,;:/|–-]"
_AM_RAND = re.compile(rf"^{_TRENNER}+|{_TRENNER}+$")
_DOPPELT = re.compile(r"\s+([–-])\s+(?:[,;:/|–-]\s+)+|\s{2,}")
_UMSTELLEND = re.compile("[\u202a-\u202e\u2066-\u2069]")
_LEERE_KLAMMER = re.compile(r"\(\s*\)")


@dataclass(frozen=True, slots=True)
class Angaben:
    """The application as the mapping reads it: the form, what was entered, the day it was received."""

    formular: Form = field(repr=False)
    eintraege: Entry = field(repr=False)
    eingang: date

    def werte(self, feld: Reference) -> tuple[Sourced[str], ...]:
        """What was entered in a field, as people read it."""
        return feld.values(self.formular, self.eintraege)


def betreff(angaben: Angaben, einstellungen: Einstellungen, kontext: Kontext) -> Sourced[str]:
    """BETREFF-AUS-MUSTER: the configured pattern; a field that was not filled in leaves no gap, dash or bracket behind.

    Several values of a field stand side by side with commas; marks that rearrange a line are left out. At most 250
    characters, because lists show no more.
    """
    werte = {**from_receipt(angaben.eingang, kontext.key), "formular": angaben.formular.title}
    quellen: list[Sourced[str]] = [metadata(einstellungen.betreff, "settings.betreff")]
    for feld in einstellungen.betreff_felder():
        gefunden = angaben.werte(feld)
        quellen += gefunden
        werte[feld.text] = ", ".join(one.value for one in gefunden)
    text = filled_in(einstellungen.betreff, werte)
    text = _AM_RAND.sub(
        "", _DOPPELT.sub(lambda found: f" {found[1]} " if found[1] else " ", _LEERE_KLAMMER.sub("", text))
    )
    text = _UMSTELLEND.sub("", text) or angaben.formular.title
    if len(text) > LAENGSTER_BETREFF:
        text = f"{text[: LAENGSTER_BETREFF - 1].rstrip()}…"
    return rule("BETREFF-AUS-MUSTER", text, *quellen)


def suchbegriffe(angaben: Angaben, einstellungen: Einstellungen) -> list[tuple[str, Sourced[str]]]:
    """SUCHBEGRIFF: name and value of each configured field that was filled in, once per value."""
    return [
        (one.name, Sourced(wert.value, "rule", f"SUCHBEGRIFF({wert.source})") if wert.kind == "rule" else wert)
        for one in einstellungen.suchfelder()
        for wert in angaben.werte(one.feld)
    ]


def frist(angaben: Angaben, einstellungen: Einstellungen) -> Sourced[date] | None:
    """FRIST-AB-EINGANG: the last day, counted from the day after receipt (§ 187 Abs. 1, § 188 Abs. 1 BGB)."""
    if not einstellungen.frist_tage:
        return None
    ende = angaben.eingang + timedelta(days=int(einstellungen.frist_tage))
    return rule(
        "FRIST-AB-EINGANG",
        ende,
        metadata(einstellungen.frist_tage, "settings.frist_tage"),
        metadata(angaben.eingang, "nachricht.received_at"),
    )
