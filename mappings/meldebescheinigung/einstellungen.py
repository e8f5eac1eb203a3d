"""Settings of the mapping: the `[route.settings]` table of a route that uses it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from mappings.meldebescheinigung.ziel import is_din_91379

_KENNUNG = re.compile(r"[a-z]{3}:[0-9A-Za-z]{1,32}")  # DVDV: prefix and id (xoev-digest §2)
_GEMEINDEN = re.compile(r"[0-9]{8}(?:, *[0-9]{8})*")
_POSTLEITZAHL = re.compile(r"[0-9]{5}")
_HAUSNUMMER = re.compile(r"[0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """Who writes to whom: XMeld wants both bodies with DVDV keys, and the author with a way to reach it and an address."""

    leser_kennung: str = field(metadata={"help": "DVDV-Kennung der Meldebehörde, zum Beispiel ags:05334002."})
    autor_kennung: str = field(metadata={"help": "DVDV-Kennung des Portals, in dessen Namen die Nachricht entsteht."})
    autor_name: str = field(metadata={"help": "Name der Stelle, die das Portal betreibt."})
    autor_email: str = field(metadata={"help": "E-Mail-Adresse für Rückfragen der Meldebehörde."})
    autor_strasse: str = field(metadata={"help": "Straße der Anschrift des Autors."})
    autor_postleitzahl: str = field(metadata={"help": "Postleitzahl der Anschrift des Autors."})
    autor_ort: str = field(metadata={"help": "Ort der Anschrift des Autors."})
    autor_hausnummer: str = field(default="", metadata={"help": "Hausnummer der Anschrift des Autors, nur Ziffern."})
    leser_name: str = field(default="", metadata={"help": "Name der Meldebehörde; ohne Angabe der Name des Mandanten."})
    gemeinden: str = field(
        default="",
        metadata={"help": "Gemeindeschlüssel, für die die Meldebehörde zuständig ist, mit Komma; ohne Angabe alle."},
    )
    paket: Literal["nachricht", "zip"] = field(
        default="nachricht",
        metadata={"help": "Übergabe als einzelne XML-Nachricht oder als ZIP mit allen weiteren Anlagen."},
    )

    def __post_init__(self) -> None:
        for name in ("leser_kennung", "autor_kennung"):
            if not _KENNUNG.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} is no DVDV key such as ags:05334002")
        for name in ("autor_name", "autor_email", "autor_strasse", "autor_ort"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} is empty")
        for name in ("autor_name", "autor_email", "autor_strasse", "autor_ort", "leser_name"):
            if not is_din_91379(getattr(self, name)):
                raise ValueError(f"{name} has characters that DIN 91379 lacks")
        if not _POSTLEITZAHL.fullmatch(self.autor_postleitzahl):
            raise ValueError("autor_postleitzahl has five digits")
        if not _HAUSNUMMER.fullmatch(self.autor_hausnummer):
            raise ValueError("autor_hausnummer has at most four digits")
        if self.gemeinden and not _GEMEINDEN.fullmatch(self.gemeinden):
            raise ValueError("gemeinden are keys of eight digits, separated by commas")

    def is_responsible(self, gemeinde: str) -> bool:
        """Whether a municipality is among the configured ones; without configured ones every one is."""
        return not self.gemeinden or gemeinde in [one.strip() for one in self.gemeinden.split(",")]
