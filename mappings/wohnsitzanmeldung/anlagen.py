"""What came beside the form: the landlord's confirmation goes into the message, everything else beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from intermediary.mapping.api import (
    Antrag,
    Dokument,
    Kontext,
    Part,
    Payload,
    Sourced,
    derived,
    media_type_of,
    metadata,
    normal,
    rule,
)

MAX_BESTAETIGUNG_BYTES = 10 * 1024 * 1024
PDF = b"%PDF-"
_HEAD_BYTES = 1024

ENDUNGEN = {
    "application/pdf": "pdf",
    "application/xml": "xml",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tiff",
    "text/plain": "txt",
    "text/xml": "xml",
}
UNBEKANNTE_ENDUNG = "bin"


@dataclass(frozen=True, slots=True)
class Anlage:
    """One attachment with its place in the sender's order, counted from 1."""

    number: int
    part: Part = field(repr=False)

    @property
    def source(self) -> str:
        return f"attachment[{self.number}]"

    def is_pdf(self) -> bool:
        """Whether the file begins like a PDF, whatever its name and type say."""
        with self.part.content.open() as stream:
            return PDF in stream.read(_HEAD_BYTES)


def attachments_of(antrag: Antrag) -> tuple[Anlage, ...]:
    """All attachments."""
    return tuple(Anlage(number, part) for number, part in enumerate(antrag.attachments, 1))


def confirmation_in(anlagen: Sequence[Anlage], payload: Payload) -> Anlage | None:
    """BESTAETIGUNG-NACH-NAME: the first attachment with the name the form gives, folders left out; None if none has it."""
    name = payload.optional("wohnungsgeberbestaetigung")
    if name is None:
        return None
    return next((anlage for anlage in anlagen if _last(anlage.part.name) == _last(name.value)), None)


def content_of(bestaetigung: Anlage) -> Sourced[bytes]:
    """The PDF for the message; its length has been checked before."""
    return metadata(bestaetigung.part.content.read(), bestaetigung.source)


def documents(anlagen: Sequence[Anlage], kontext: Kontext) -> tuple[Dokument, ...]:
    """DATEINAME: the attachments 1704 has no place for, as `<uuid>_Anlage<number>.<ext>`."""
    return tuple(_document(anlage, kontext) for anlage in anlagen)


def names_of(dokumente: Sequence[Dokument], anlagen: Sequence[Anlage]) -> Sourced[str] | None:
    """ANLAGEN-GENANNT: the message says which files travel beside it, so that nobody misses them."""
    if not dokumente:
        return None
    namen = ", ".join(dokument.file_name for dokument in dokumente)
    text = f"Mit der Anmeldung eingereicht und nicht in dieser Nachricht enthalten: {namen}"
    return rule("ANLAGEN-GENANNT", text, *(metadata(anlage.number, anlage.source) for anlage in anlagen))


def _document(anlage: Anlage, kontext: Kontext) -> Dokument:
    media_type = media_type_of(anlage.part)
    kennung = derived(kontext, f"/Anlage[{anlage.number}]").value
    endung = ENDUNGEN.get(media_type, UNBEKANNTE_ENDUNG)
    return Dokument(f"{kennung}_Anlage{anlage.number}.{endung}", media_type, anlage.part.content)


def _last(path: str) -> str:
    return normal(path).replace("\\", "/").rpartition("/")[2]
