"""Settings of the mapping: the `[route.settings]` table is the whole configuration of a service, beside its form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from intermediary.mapping.api import FROM_RECEIPT, PLACEHOLDER, Reference, demand_pattern, demand_texts, has_control

VOM_FORMULAR = ("formular",)
MEISTE_TAGE = 3660
MEISTE_JAHRE = 999
UNBEFRISTET = "unbefristet"

Schalter = Literal["true", "false"]


@dataclass(frozen=True, slots=True)
class Suchbegriff:
    """One search key: what it is called in the e-file, and the field it comes from."""

    name: str
    feld: Reference


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """What an authority decides about its e-file: none of it comes from the application (xoev-digest §7)."""

    aktenplan: str = field(metadata={"help": "Kennzeichen der Aktenplaneinheit, zum Beispiel 112-06."})
    aktenzeichen: str = field(
        metadata={"help": "Muster des Vorgangszeichens mit {jahr}, {monat}, {tag} des Eingangs und {vorgang}."}
    )
    betreff: str = field(
        default="{formular}",
        metadata={
            "help": "Betreff des Vorgangs; auch {formular} und Felder des Formulars: {F60000012}, {G60000001/F60000012}."
        },
    )
    suchbegriffe: str = field(
        default="",
        metadata={"help": "Felder, nach denen die eAkte suchen soll: Name=Feld, mit Strichpunkt getrennt."},
    )
    vorgangstyp: str = field(default="", metadata={"help": "Typ des Vorgangs; ohne Angabe der Titel des Formulars."})
    dokumenttyp: str = field(default="Antrag", metadata={"help": "Typ des Dokuments mit den Angaben."})
    frist_tage: str = field(default="", metadata={"help": "Bearbeitungsfrist in Tagen ab dem Tag des Eingangs."})
    frist_text: str = field(default="Bearbeitungsfrist", metadata={"help": "Wie die Frist heißt."})
    aufbewahrung_jahre: str = field(
        default="", metadata={"help": 'Aufbewahrungsdauer in Jahren nach der zdA-Verfügung, oder "unbefristet".'}
    )
    xdomea: Literal["3.1.0", "3.0.0"] = field(
        default="3.1.0", metadata={"help": "Fassung von xdomea, die die eAkte liest."}
    )
    darstellung: Literal["html", "pdf", "beide"] = field(
        default="html", metadata={"help": "Format des lesbaren Dokuments; pdf braucht das Extra pdf."}
    )
    hilfetexte: Schalter = field(
        default="false", metadata={"help": "Ob die Hilfetexte des Formulars am Ende des Dokuments stehen."}
    )
    absender: str = field(
        default="", metadata={"help": "Name der abgebenden Stelle; ohne Angabe der Name des Mandanten."}
    )
    empfaenger: str = field(
        default="", metadata={"help": "Name der Stelle mit der eAkte; ohne Angabe der Name des Mandanten."}
    )
    empfangsbestaetigung: Schalter = field(
        default="false", metadata={"help": "Ob die eAkte den Empfang mit Nachricht 0403 bestätigen soll."}
    )

    def __post_init__(self) -> None:
        needed = ("aktenplan", "aktenzeichen", "betreff", "dokumenttyp", "frist_text")
        demand_texts(self, needed=needed, optional=("vorgangstyp", "absender", "empfaenger"))
        _pruefe_zahl("frist_tage", self.frist_tage, MEISTE_TAGE)
        if self.aufbewahrung_jahre != UNBEFRISTET:
            _pruefe_zahl("aufbewahrung_jahre", self.aufbewahrung_jahre, MEISTE_JAHRE)
        demand_pattern(self.aktenzeichen)
        self.betreff_felder()
        self.suchfelder()

    def betreff_felder(self) -> tuple[Reference, ...]:
        """The fields of the form that the Betreff names; raises `ValueError` for a placeholder that cannot be one."""
        known = (*FROM_RECEIPT, *VOM_FORMULAR)
        return tuple(_feld("betreff", one) for one in PLACEHOLDER.findall(self.betreff) if one not in known)

    def suchfelder(self) -> tuple[Suchbegriff, ...]:
        """The search keys in the order they were named."""
        found = []
        for eintrag in filter(None, (part.strip() for part in self.suchbegriffe.split(";"))):
            name, gleich, feld = (part.strip() for part in eintrag.partition("="))
            if not name or not gleich or has_control(name):
                raise ValueError(f"suchbegriffe: expected Name=Feld, not {eintrag!r}")
            found.append(Suchbegriff(name, _feld("suchbegriffe", feld)))
        return tuple(found)


def _feld(setting: str, text: str) -> Reference:
    try:
        return Reference(text)
    except ValueError as wrong:
        raise ValueError(f"{setting}: {wrong}") from None


def _pruefe_zahl(name: str, text: str, most: int) -> None:
    if not text:
        return
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:9]) <= most:
        raise ValueError(f"{name}: expected a number from 1 to {most}")
