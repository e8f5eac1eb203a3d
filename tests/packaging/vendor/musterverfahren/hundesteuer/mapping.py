"""Registration of a dog to `hundesteuer.anmeldung.0001` of the made-up standard `musterverfahren 1.0`.

One function per section of the target, in its order. Rules have names in capitals; the README lists them.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from intermediary.core.faults import Rejected
from intermediary.mapping.api import (
    Antrag,
    Ausgabe,
    Builder,
    Dokument,
    Findings,
    Group,
    Kontext,
    MemoryContent,
    Node,
    Payload,
    Shape,
    Sourced,
    date,
    derived,
    load_shape,
    local,
    metadata,
    read_settings,
    rule,
)

HERE = Path(__file__).parent
NAMESPACE = "urn:example:musterverfahren:eingang:hundesteuer:1"
NACHRICHT = "hundesteuer.anmeldung.0001"

_KREIS = re.compile(r"[0-9]{4}")


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """The `[route.settings]` of a route that uses this mapping."""

    kassenzeichenkreis: str = field(metadata={"help": "Vier Ziffern, mit denen jedes Kassenzeichen beginnt."})

    def __post_init__(self) -> None:
        if not _KREIS.fullmatch(self.kassenzeichenkreis):
            raise ValueError("kassenzeichenkreis has four digits")


class Hundesteuer:
    """The mapping: pure, one message per registration. The shape is read once, when the plug-in is loaded."""

    name: ClassVar[str] = "musterverfahren-hundesteuer"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = f"{{{NAMESPACE}}}hundesteueranmeldung"
    standard: ClassVar[str] = "musterverfahren 1.0"
    settings_type: ClassVar[type] = Einstellungen

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The message; raises as the port `Mapping` says, with all Befunde of `_pruefe`."""
        einstellungen = read_settings(Einstellungen, kontext.settings)
        anmeldung = Payload(antrag.tree)
        eingang = local(kontext.received_at)
        _pruefe(antrag, anmeldung, eingang.date())
        kassenzeichen = _kassenzeichen(einstellungen, kontext)

        nachricht = Builder(self._shape)
        nachricht.attribute("test", "true" if kontext.is_test else None)
        nachricht.leaf("nachrichtenUUID", derived(kontext, f"nachricht/{kontext.revision}"))
        nachricht.leaf("eingang", metadata(eingang, "nachricht.received_at"))
        nachricht.leaf("kassenzeichen", kassenzeichen)
        _halter(nachricht.element("halter"), anmeldung.group("halter"))
        _hund(nachricht.element("hund"), anmeldung.group("hund"))
        built = nachricht.finish()

        return Ausgabe(
            standard=self.standard,
            message=NACHRICHT,
            nachricht=built.xml,
            package=Dokument(f"{kontext.key}_{NACHRICHT}.xml", "application/xml", MemoryContent(built.xml)),
            herkunft=built.herkunft,
            unread=anmeldung.unread(),
            business_keys={"kassenzeichen": kassenzeichen.value},
        )


MAPPING = Hundesteuer(load_shape(HERE / "shape.toml"))


def _pruefe(antrag: Antrag, anmeldung: Payload, heute: dt.date) -> None:
    """Raise `Rejected("mapping.input.refused")` with all Befunde, or do nothing."""
    befunde = Findings()
    if antrag.attachments:
        hint = "Die Anmeldung sieht keine Anlagen vor; sie gingen sonst verloren."
        befunde.add(rule="ANLAGE-NICHT-VORGESEHEN", path=anmeldung.path, hint=hint)
    try:
        beginn = anmeldung.group("hund").required("haltungsbeginn", date)
    except Rejected as refusal:
        befunde.adopt(refusal)
    else:
        if beginn.value > heute:
            hint = "Angemeldet wird ein Hund, der schon gehalten wird."
            befunde.add(rule="HALTUNG-NICHT-BEGONNEN", path=beginn.source, hint=hint)
    befunde.refuse()


def _kassenzeichen(einstellungen: Einstellungen, kontext: Kontext) -> Sourced[str]:
    """KASSENZEICHEN: the configured digits and the first part of the Nachricht's key."""
    kreis = metadata(einstellungen.kassenzeichenkreis, "settings.kassenzeichenkreis")
    return rule("KASSENZEICHEN", f"{kreis.value}-{kontext.key.partition('-')[0]}", kreis)


def _halter(halter: Node, angaben: Group) -> None:
    """VORNAMEN-VERBUNDEN: all first names in the applicant's order, one blank between them."""
    vornamen = angaben.repeated("vorname")
    halter.leaf("familienname", angaben.required("familienname"))
    halter.leaf("vornamen", rule("VORNAMEN-VERBUNDEN", " ".join(name.value for name in vornamen), *vornamen))


def _hund(hund: Node, angaben: Group) -> None:
    hund.leaf("rufname", angaben.required("rufname"))
    hund.leaf("rasse", angaben.optional("rasse"))
    hund.leaf("seit", angaben.required("haltungsbeginn", date))
