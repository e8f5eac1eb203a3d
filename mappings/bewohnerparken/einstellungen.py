"""Settings of the mapping: the `[route.settings]` table of a route that uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from intermediary.mapping.api import demand_pattern, demand_texts


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """What an authority decides about its e-file: none of it comes from the application (xoev-digest §7)."""

    aktenplan: str = field(metadata={"help": "Kennzeichen der Aktenplaneinheit, zum Beispiel 112-06."})
    aktenzeichen: str = field(
        metadata={"help": "Muster des Vorgangszeichens mit {jahr}, {monat}, {tag} des Eingangs und {vorgang}."}
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
        demand_texts(self, needed=("aktenplan", "aktenzeichen"), optional=("absender", "empfaenger"))
        demand_pattern(self.aktenzeichen)
