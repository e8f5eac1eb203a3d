"""What every message of XInneres between authorities has: its frame, its head, who wrote it; here for online services.

For mappings to XMeld and its siblings (`nachrichtenkopf.g2g`, xoev-digest §2): the settings of the route say who writes to
whom, the Kontext when and under which id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from intermediary.core.characters import what_cannot_be_transported
from intermediary.core.ports import Kontext
from intermediary.core.values import Dokument, MemoryContent
from intermediary.mapping.accessor import Payload, normal
from intermediary.mapping.builder import Node
from intermediary.mapping.german import local
from intermediary.mapping.package import package
from intermediary.mapping.provenance import Code, Sourced, codelist, derived, metadata

_PRODUCT = "XTA/OSCI Intermediary"
_E_MAIL = codelist("urn:de:xoev:codeliste:erreichbarkeit", "3", "01")
_DVDV = codelist("urn:xoev-de:kosit:codeliste:verzeichnisdienst", "3", "DVDV")
_KENNUNG = re.compile(r"[a-z]{3}:[0-9A-Za-z]{1,32}")  # DVDV: prefix and id (xoev-digest §2)
_GEMEINDEN = re.compile(r"[0-9]{8}(?:, *[0-9]{8})*")
_POSTLEITZAHL = re.compile(r"[0-9]{5}")
_HAUSNUMMER = re.compile(r"[0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class HeadOfServices:
    """Settings: who writes to whom. XInneres wants DVDV keys of both bodies, of the author also address and e-mail."""

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
            if what_cannot_be_transported(getattr(self, name)):
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

    def of(self, name: str) -> Sourced[str]:
        """One setting with its origin."""
        return metadata(getattr(self, name), f"settings.{name}")


def message_id(kontext: Kontext) -> Sourced[str]:
    """UUID-JE-FASSUNG: a corrected output is another message, a repeated one the same."""
    return derived(kontext, f"/Nachricht/Fassung[{kontext.revision}]")


def write_frame(nachricht: Node, standard: tuple[str, str], mapping: str, payload: Payload, kontext: Kontext) -> None:
    """The attributes around a message of a standard (name, version).

    The product's version is that of the mapping (`name@1`): a new release of the product alone changes no output.
    """
    nachricht.attribute("produkt", _PRODUCT)
    nachricht.attribute("produkthersteller", _PRODUCT)
    nachricht.attribute("produktversion", mapping)
    nachricht.attribute("standard", standard[0])
    nachricht.attribute("version", standard[1])
    nachricht.attribute("test", _test(payload, kontext))


def write_head(nachricht: Node, kind: Code, settings: HeadOfServices, kontext: Kontext) -> None:
    """`nachrichtenkopf.g2g` of a message of this kind, and `anschrift.autor`."""
    kopf = nachricht.element("nachrichtenkopf.g2g")
    identifikation = kopf.element("identifikation.nachricht")
    identifikation.leaf("nachrichtenUUID", message_id(kontext))
    identifikation.code("nachrichtentyp", kind)
    identifikation.leaf("erstellungszeitpunkt", metadata(local(kontext.received_at), "nachricht.received_at"))
    leser = kopf.element("leser")
    leser.code("verzeichnisdienst", _DVDV)
    leser.leaf("kennung", settings.of("leser_kennung"))
    leser.leaf("name", _name_of_reader(settings, kontext))
    autor = kopf.element("autor")
    autor.code("verzeichnisdienst", _DVDV)
    autor.leaf("kennung", settings.of("autor_kennung"))
    autor.leaf("name", settings.of("autor_name"))
    erreichbarkeit = autor.element("erreichbarkeit")
    erreichbarkeit.code("kanal", _E_MAIL)
    erreichbarkeit.leaf("kennung", settings.of("autor_email"))
    _write_address(nachricht.element("anschrift.autor").element("gebaeude"), settings)


def packed(
    name: str, xml: bytes, dokumente: Sequence[Dokument], settings: HeadOfServices, kontext: Kontext
) -> Dokument:
    """PAKET: the message alone, as XInneres is exchanged; or a ZIP for targets that take one file only."""
    uuid = message_id(kontext).value
    if settings.paket == "zip":
        return package(uuid, name, xml, dokumente)
    return Dokument(f"{uuid}_{name}.xml", "application/xml", MemoryContent(xml))


def _test(payload: Payload, kontext: Kontext) -> str | None:
    """TEST-BLEIBT-TEST: a test stays one, in the sender's words if the message can hold them."""
    said = payload.attribute("test")
    if said is not None and said.value.strip() and not what_cannot_be_transported(normal(said.value)):
        return normal(said.value)
    return "Testnachricht" if said is not None or kontext.is_test else None


def _name_of_reader(settings: HeadOfServices, kontext: Kontext) -> Sourced[str]:
    """STELLE-AUS-EINSTELLUNG: the configured name; without one the Mandant."""
    return settings.of("leser_name") if settings.leser_name else metadata(kontext.mandant, "nachricht.mandant")


def _write_address(gebaeude: Node, settings: HeadOfServices) -> None:
    if settings.autor_hausnummer:
        gebaeude.leaf("hausnummer", settings.of("autor_hausnummer"))
    gebaeude.leaf("postleitzahl", settings.of("autor_postleitzahl"))
    gebaeude.leaf("strasse", settings.of("autor_strasse"))
    gebaeude.leaf("wohnort", settings.of("autor_ort"))
