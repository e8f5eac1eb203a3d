"""The files of the notice: those inside the message, those beside it, and the message itself as the original."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from intermediary.mapping.api import (
    Antrag,
    Dokument,
    Group,
    Kontext,
    MemoryContent,
    Part,
    Payload,
    Sourced,
    date,
    derived,
    media_type_of,
    normal,
)
from mappings.baubescheid.texte import entschluesselt

ENDUNGEN = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tiff",
    "text/html": "html",
}
UNBEKANNTE_ENDUNG = "bin"


@dataclass(frozen=True, slots=True)
class Anlage:
    """An entry of `anlagen`: what it is called, and the file or the place where it is found."""

    titel: Sourced[str]
    datum: Sourced[dt.date]
    datei: Sourced[str] | None
    fundstelle: Sourced[str] | None


@dataclass(frozen=True, slots=True)
class Dateien:
    """Entries in the order of the message, and all files in the order of the package."""

    anlagen: tuple[Anlage, ...]
    dokumente: tuple[Dokument, ...] = field(repr=False)


def dateien(antrag: Antrag, nachricht: Payload, kontext: Kontext) -> Dateien:
    """Everything that travels: the original, the files of the entries, then what no entry names."""
    original = Dokument(f"{kontext.id_for('/Original')}_Nachricht.xml", "application/xml", antrag.payload.content)
    beilagen = [_beilage(part, nummer, kontext) for nummer, part in enumerate(antrag.attachments, 1)]
    anlagen: list[Anlage] = []
    enthalten: list[Dokument] = []
    for nummer, eintrag in enumerate(nachricht.group("anlagen").groups("anlage"), 1):
        anlage, dokument = _anlage(eintrag, nummer, antrag.attachments, beilagen, kontext)
        anlagen.append(anlage)
        if dokument is not None:
            enthalten.append(dokument)
    return Dateien(tuple(anlagen), (original, *enthalten, *(dokument for _, dokument in beilagen)))


def _anlage(
    eintrag: Group,
    nummer: int,
    parts: Sequence[Part],
    beilagen: Sequence[tuple[Sourced[str], Dokument]],
    kontext: Kontext,
) -> tuple[Anlage, Dokument | None]:
    """ANLAGE-AUS-NACHRICHT: the file inside the message; else the one beside it with the name given; else the link."""
    inhalt = eintrag.optional("primaerdokument")
    name = eintrag.optional("dateinameAnhang", normal)
    media_type = eintrag.group("mimeType").required("code").value.strip().lower()
    datei, dokument = None, None
    if inhalt is not None:
        datei = _dateiname(f"Anlage{nummer}", media_type, kontext)
        is_known = media_type in ENDUNGEN
        data = entschluesselt(inhalt.value)
        dokument = Dokument(datei.value, media_type if is_known else "application/octet-stream", MemoryContent(data))
    elif name is not None:
        place = next(place for place, part in enumerate(parts) if normal(part.name) == name.value)
        datei = beilagen[place][0]
    fundstelle = eintrag.optional("referenzPrimaerdokument") if datei is None else None
    titel, datum = eintrag.required("bezeichnung"), eintrag.required("datum", date)
    return Anlage(titel, datum, datei, fundstelle), dokument


def _beilage(part: Part, nummer: int, kontext: Kontext) -> tuple[Sourced[str], Dokument]:
    media_type = media_type_of(part)
    datei = _dateiname(f"Beilage{nummer}", media_type, kontext)
    return datei, Dokument(datei.value, media_type, part.content)


def _dateiname(text: str, media_type: str, kontext: Kontext) -> Sourced[str]:
    """DATEINAME: `<uuid>_<text>.<ext>`, derived from the Nachricht, so that every attempt repeats it."""
    endung = ENDUNGEN.get(media_type, UNBEKANNTE_ENDUNG)
    return derived(kontext, f"/{text}").by("DATEINAME", lambda uuid: f"{uuid}_{text}.{endung}")
