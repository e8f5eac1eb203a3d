"""Settings of the mapping: the `[route.settings]` table of a route that uses it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from intermediary.mapping.api import demand_pattern, demand_texts


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
        for_the_file = ("aktenplan", "aktenzeichen")
        demand_texts(
            self,
            needed=for_the_file if self.ausgabe == "eakte" else (),
            optional=("absender", "empfaenger", *for_the_file),
        )
        if self.ausgabe == "eakte":
            demand_pattern(self.aktenzeichen)
