"""Settings of the mapping: the `[route.settings]` table of a route that uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

_PLATZHALTER = re.compile(r"\{([^{}]*)\}")
_BEKANNT = ("jahr", "monat", "tag", "vorgang")
_STEUERZEICHEN = re.compile("[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """What a Gewerbeamt decides: what is handed over, and where its e-file puts it (xoev-digest §7)."""

    ausgabe: Literal["eakte", "fachverfahren", "xgewerbeanzeige"] = field(
        default="eakte",
        metadata={"help": "Was übergeben wird: xdomea-Paket für die eAkte oder XML-Nachricht für das Fachverfahren."},
    )
    aktenplan: str = field(
        default="", metadata={"help": "Kennzeichen der Aktenplaneinheit, zum Beispiel 123-01; nötig für die eAkte."}
    )
    aktenzeichen: str = field(
        default="",
        metadata={
            "help": "Muster des Vorgangszeichens mit {jahr}, {monat}, {tag} des Eingangs und {vorgang}; nötig für die eAkte."
        },
    )
    absender: str = field(
        default="", metadata={"help": "Name der abgebenden Stelle; ohne Angabe der Name des Mandanten."}
    )
    empfaenger: str = field(
        default="", metadata={"help": "Name der Stelle mit der eAkte; ohne Angabe der Name des Mandanten."}
    )
    empfangsbestaetigung: Literal["true", "false"] = field(
        default="false", metadata={"help": "Ob die eAkte den Empfang mit Nachricht 0403 bestätigen soll."}
    )

    def __post_init__(self) -> None:
        if self.ausgabe == "xgewerbeanzeige":
            raise ValueError(
                "ausgabe: XGewerbeanzeige is not written yet, because its official schema package is not installed here; "
                "use fachverfahren (README, XGewerbeanzeige)"
            )
        for name in ("aktenplan", "aktenzeichen", "absender", "empfaenger"):
            if _STEUERZEICHEN.search(getattr(self, name)):
                raise ValueError(f"{name} contains a control character")
        if self.ausgabe == "eakte":
            self._demand_file_reference()

    def _demand_file_reference(self) -> None:
        for name in ("aktenplan", "aktenzeichen"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} is empty, and the e-file needs it")
        for platzhalter in _PLATZHALTER.findall(self.aktenzeichen):
            if platzhalter not in _BEKANNT:
                known = ", ".join(f"{{{name}}}" for name in _BEKANNT)
                raise ValueError(f"aktenzeichen has an unknown placeholder; known are {known}")

    def kennzeichen(self, eingang: date, key: str) -> str:
        """The Vorgangszeichen: the pattern with the day of receipt and the first part of the Nachricht's key."""
        werte = {
            "jahr": f"{eingang.year:04}",
            "monat": f"{eingang.month:02}",
            "tag": f"{eingang.day:02}",
            "vorgang": key.partition("-")[0],
        }
        return _PLATZHALTER.sub(lambda found: werte[found[1]], self.aktenzeichen)
