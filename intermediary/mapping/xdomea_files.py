"""The files of an xdomea package and what the message says of each: format by code, subject, type, names.

Any mapping that writes xdomea 3 can use it: code lists `dateiformat` 1.0 and `medium` 1.0 are those of 3.0.0 and 3.1.0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from intermediary.core.ports import Antrag, Kontext
from intermediary.core.values import Dokument, MemoryContent, Part
from intermediary.mapping.builder import Node
from intermediary.mapping.files import media_type_of, shown_name
from intermediary.mapping.german import local
from intermediary.mapping.page import File
from intermediary.mapping.provenance import Code, Sourced, codelist, constant, derived, metadata, rule

DATEIFORMAT = ("urn:xoev-de:xdomea:codeliste:dateiformat", "1.0")
MEDIUM_ELEKTRONISCH = codelist("urn:xoev-de:xdomea:codeliste:medium", "1.0", "001")
SONSTIGES = "100"
# Codelist Dateiformat 1.0: media type to code and usual file extension.
FORMATE = {
    "application/json": (SONSTIGES, "json"),
    "application/msword": ("003", "doc"),
    "application/pdf": ("018", "pdf"),
    "application/postscript": ("021", "ps"),
    "application/rtf": ("022", "rtf"),
    "application/vnd.ms-excel": ("028", "xls"),
    "application/vnd.ms-outlook": ("012", "msg"),
    "application/vnd.ms-powerpoint": ("020", "ppt"),
    "application/vnd.oasis.opendocument.presentation": ("013", "odp"),
    "application/vnd.oasis.opendocument.spreadsheet": ("014", "ods"),
    "application/vnd.oasis.opendocument.text": ("015", "odt"),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("037", "pptx"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("036", "xlsx"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("035", "docx"),
    "application/xml": ("030", "xml"),
    "image/bmp": ("001", "bmp"),
    "image/jpeg": ("011", "jpg"),
    "image/png": ("019", "png"),
    "image/tiff": ("024", "tiff"),
    "message/rfc822": ("006", "eml"),
    "text/csv": ("002", "csv"),
    "text/html": ("008", "html"),
    "text/plain": ("045", "txt"),
    "text/rtf": ("022", "rtf"),
    "text/xml": ("030", "xml"),
}
PDF_A = "044"
UNBEKANNTE_ENDUNG = "bin"
UNBEKANNT = "unbekannt"


@dataclass(frozen=True, slots=True)
class Datei:
    """One primary document in one format; `dokument` is the file in the package."""

    format: Code
    sonstiger_name: Sourced[str] | None
    format_version: Sourced[str]
    dateiname: Sourced[str]
    original_name: Sourced[str] | None
    dokument: Dokument = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unterlage:
    """One Dokument of the Vorgang: the same content in one or more formats, the preferred one first."""

    betreff: Sourced[str]
    typ: Sourced[str]
    dateien: tuple[Datei, ...]


def generated(text: str, media_type: str, version: str, data: bytes, kontext: Kontext, *, code: str = "") -> Datei:
    """A file we made; `text` is its place in the package and part of its name, `code` overrides the format's usual one."""
    usual, endung = FORMATE[media_type]
    dateiname = file_name(text, endung, kontext)
    return Datei(
        format=codelist(*DATEIFORMAT, code or usual),
        sonstiger_name=None,
        format_version=constant(version),
        dateiname=dateiname,
        original_name=None,
        dokument=Dokument(dateiname.value, media_type, MemoryContent(data)),
    )


def received(text: str, part: Part, source: str, kontext: Kontext, *, version: str = UNBEKANNT) -> Datei:
    """A file as it was received. DATEIFORMAT: the sender's media type decides; what the list lacks is "Sonstiges".

    `source` names the part in the Herkunft (`attachment[1]`).
    """
    media_type = media_type_of(part)
    code, endung = FORMATE.get(media_type, (SONSTIGES, UNBEKANNTE_ENDUNG))
    gelesen = metadata(media_type, f"{source}.media_type")
    dateiname = file_name(text, endung, kontext)
    return Datei(
        format=Code(rule("DATEIFORMAT", code, gelesen), *DATEIFORMAT),
        sonstiger_name=gelesen if code == SONSTIGES else None,
        format_version=constant(version),
        dateiname=dateiname,
        original_name=_original_name(part, source),
        dokument=Dokument(dateiname.value, media_type, part.content),
    )


def file_name(text: str, endung: str, kontext: Kontext) -> Sourced[str]:
    """`<uuid>_<text>.<ext>` (xoev-digest §7). DATEINAME."""
    kennung = derived(kontext, f"/Vorgang/{text}/Primaerdokument")
    return kennung.by("DATEINAME", lambda uuid: f"{uuid}_{text}.{endung}")


def form_data(antrag: Antrag, kontext: Kontext, *, betreff: str = "") -> Unterlage:
    """FORMULARDATEN-UNVERAENDERT: byte by byte as received, whatever the layout: they are the evidence."""
    if antrag.tree is None:
        datei = received("Formulardaten", antrag.payload, "payload", kontext, version="1.0")
    else:
        datei = _xml("Formulardaten", antrag.payload, "payload", kontext)
    betreff = betreff or f"Formulardaten ({'XML' if antrag.tree is not None else 'JSON'})"
    return Unterlage(constant(betreff), constant("Formulardaten"), (datei,))


def attached(antrag: Antrag, kontext: Kontext) -> list[Unterlage]:
    """ANLAGE-NUMMER: every attachment as "Anlage 1" and so on, in the sender's order, as it was received."""
    return [_attachment(part, number, kontext) for number, part in enumerate(antrag.attachments, 1)]


def shown_files(unterlagen: Sequence[Unterlage]) -> list[File]:
    """Attachments as a readable document lists them."""
    return [_shown(one) for one in unterlagen]


def all_files(unterlagen: Sequence[Unterlage]) -> tuple[Dokument, ...]:
    """Every file of every Unterlage, in the order of the package."""
    return tuple(datei.dokument for unterlage in unterlagen for datei in unterlage.dateien)


def write_dokumente(vorgang: Node, unterlagen: Sequence[Unterlage], kontext: Kontext) -> None:
    """One Dokument per Unterlage. DOKUMENT-STATT-ANLAGE: attachments too, because not every DMS imports `Anlage`."""
    for nummer, unterlage in enumerate(unterlagen, 1):
        dokument = vorgang.element("Dokument")
        identifikation = dokument.element("Identifikation")
        identifikation.leaf("ID", derived(kontext, f"/Vorgang/Dokument[{nummer}]"))
        identifikation.leaf("NummerImUebergeordnetenContainer", rule("FORTLAUFEND", nummer))
        metadaten = dokument.element("AllgemeineMetadaten")
        metadaten.leaf("Betreff", unterlage.betreff)
        metadaten.code("Medium", MEDIUM_ELEKTRONISCH)
        dokument.leaf("Posteingangsdatum", day_of_receipt(kontext))
        dokument.leaf("Typ", unterlage.typ)
        version = dokument.element("Version")
        version.leaf("Nummer", constant("1"))
        for datei in unterlage.dateien:
            _format(version.element("Format"), datei)


def day_of_receipt(kontext: Kontext) -> Sourced[dt.date]:
    """EINGANGSDATUM: the calendar day of receipt in German legal time."""
    eingang = local(kontext.received_at)
    return rule("EINGANGSDATUM", eingang.date(), metadata(eingang, "nachricht.received_at"))


def _xml(text: str, part: Part, source: str, kontext: Kontext) -> Datei:
    """A part that has been read as XML, whatever type its sender gave it."""
    code, endung = FORMATE["application/xml"]
    dateiname = file_name(text, endung, kontext)
    return Datei(
        format=codelist(*DATEIFORMAT, code),
        sonstiger_name=None,
        format_version=constant("1.0"),
        dateiname=dateiname,
        original_name=_original_name(part, source),
        dokument=Dokument(dateiname.value, "application/xml", part.content),
    )


def _attachment(part: Part, number: int, kontext: Kontext) -> Unterlage:
    source = f"attachment[{number}]"
    betreff = rule("ANLAGE-NUMMER", f"Anlage {number}", metadata(number, source))
    return Unterlage(betreff, constant("Anlage"), (received(f"Anlage{number}", part, source, kontext),))


def _shown(unterlage: Unterlage) -> File:
    datei = unterlage.dateien[0]
    name = datei.original_name.value if datei.original_name else "ohne Namen"
    return File(unterlage.betreff.value, name, datei.dokument.media_type, datei.dokument.content.length)


def _original_name(part: Part, source: str) -> Sourced[str] | None:
    """DATEINAME-ORIGINAL: the last part of the sender's path, without control characters; only shown, never used."""
    name = shown_name(part)
    return rule("DATEINAME-ORIGINAL", name, metadata(part.name, f"{source}.name")) if name else None


def _format(format_: Node, datei: Datei) -> None:
    format_.code("Name", datei.format)
    format_.leaf("SonstigerName", datei.sonstiger_name)
    format_.leaf("Version", datei.format_version)
    primaerdokument = format_.element("Primaerdokument")
    primaerdokument.leaf("Dateiname", datei.dateiname)
    primaerdokument.leaf("DateinameOriginal", datei.original_name)
