"""What every xdomea 3 message to an e-file has: its Kopf, and how its Vorgang is filed.

Any mapping that writes `Abgabe.Abgabe.0401` can use it; code lists are those of 3.0.0 and 3.1.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from intermediary.core.ports import Kontext
from intermediary.mapping.builder import Node
from intermediary.mapping.german import local
from intermediary.mapping.provenance import Sourced, codelist, constant, derived, metadata, rule
from intermediary.mapping.xdomea_files import MEDIUM_ELEKTRONISCH, day_of_receipt

ABGABE = "Abgabe.Abgabe.0401"
TEST = "Testnachricht, nicht bearbeiten."
_NACHRICHTENTYP = codelist("urn:xoev-de:xdomea:codeliste:nachrichtentyp", "2.0", "0401")


class HeadSettings(Protocol):
    """Settings of a mapping that the Kopf is written from; all are texts, the last is "true" or "false"."""

    @property
    def absender(self) -> str: ...
    @property
    def empfaenger(self) -> str: ...
    @property
    def empfangsbestaetigung(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Filing:
    """How an e-file files a Vorgang and finds it again; `aktenplan` is the Kennzeichen of its Aktenplaneinheit."""

    betreff: Sourced[str]
    kennzeichen: Sourced[str]
    aktenplan: str
    typ: Sourced[str]


def write_kopf(nachricht: Node, settings: HeadSettings, kontext: Kontext) -> None:
    """Kopf. PROZESS-JE-EINREICHUNG: the ProzessID is the key of the Nachricht, so that 0402 and 0403 find back."""
    kopf = nachricht.element("Kopf")
    kopf.leaf("ProzessID", metadata(kontext.key, "nachricht.key"))
    kopf.code("Nachrichtentyp", _NACHRICHTENTYP)
    kopf.leaf("Erstellungszeitpunkt", metadata(local(kontext.received_at), "nachricht.received_at"))
    _stelle(kopf.element("Absender"), "absender", settings.absender, kontext)
    _stelle(kopf.element("Empfaenger"), "empfaenger", settings.empfaenger, kontext)
    kopf.leaf("Hinweis", _hinweis(kontext))
    kopf.leaf("Importbestaetigung", constant(True))
    kopf.leaf(
        "Empfangsbestaetigung", metadata(settings.empfangsbestaetigung == "true", "settings.empfangsbestaetigung")
    )


def write_filing(vorgang: Node, filing: Filing, kontext: Kontext) -> Node:
    """Identifikation, AllgemeineMetadaten, Typ, Laufzeit of the Vorgang; gives AllgemeineMetadaten for more."""
    vorgang.element("Identifikation").leaf("ID", derived(kontext, "/Vorgang"))
    metadaten = vorgang.element("AllgemeineMetadaten")
    metadaten.leaf("Betreff", filing.betreff)
    metadaten.leaf("Kennzeichen", filing.kennzeichen)
    metadaten.code("Medium", MEDIUM_ELEKTRONISCH)
    metadaten.element("Aktenplaneinheit").leaf("Kennzeichen", metadata(filing.aktenplan, "settings.aktenplan"))
    vorgang.leaf("Typ", filing.typ)
    vorgang.element("Laufzeit").leaf("Beginn", day_of_receipt(kontext))
    return metadaten


def _stelle(kontakt: Node, setting: str, name: str, kontext: Kontext) -> None:
    """STELLE-AUS-EINSTELLUNG: the configured name; without one the Mandant, because xdomea wants a named body."""
    value = metadata(name, f"settings.{setting}") if name else metadata(kontext.mandant, "nachricht.mandant")
    kontakt.element("Institution").leaf("Name", value)


def _hinweis(kontext: Kontext) -> Sourced[str] | None:
    """HINWEIS: xdomea 3 has no mark for tests or repeated output, so the Kopf says it in words."""
    saetze = []
    if kontext.is_test:
        saetze.append(TEST)
    if kontext.revision:
        saetze.append(f"Berichtigte Fassung {kontext.revision} derselben Einreichung.")
    quellen = metadata(kontext.is_test, "nachricht.is_test"), metadata(kontext.revision, "nachricht.revision")
    return rule("HINWEIS", " ".join(saetze), *quellen) if saetze else None
