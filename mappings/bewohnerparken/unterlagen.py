"""The files of the package: summary, form data as received, attachments; each with its format code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from intermediary.mapping.api import (
    Antrag,
    Code,
    Dokument,
    File,
    Kontext,
    Labels,
    MemoryContent,
    Part,
    Payload,
    Sourced,
    codelist,
    constant,
    derived,
    media_type_of,
    metadata,
    rule,
    shown_name,
    summary,
    write_moment,
)

# Codelist Dateiformat, version 1.0 (xdomea): media type to code and usual file extension.
DATEIFORMAT = "urn:xoev-de:xdomea:codeliste:dateiformat"
DATEIFORMAT_VERSION = "1.0"
SONSTIGES = "100"
FORMATE = {
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
UNBEKANNTE_ENDUNG = "bin"


@dataclass(frozen=True, slots=True)
class Unterlage:
    """One primary document with what xdomea says about it; `dokument` is the file in the package."""

    betreff: Sourced[str]
    typ: Sourced[str]
    format: Code
    sonstiger_name: Sourced[str] | None
    format_version: Sourced[str]
    original_name: Sourced[str] | None
    dateiname: Sourced[str]
    dokument: Dokument = field(repr=False)


def unterlagen(antrag: Antrag, payload: Payload, labels: Labels, kennzeichen: str, kontext: Kontext) -> list[Unterlage]:
    """All files in the order of the package: what people read first, then the evidence, then the attachments."""
    anlagen = [_anlage(part, number, kontext) for number, part in enumerate(antrag.attachments, 1)]
    return [
        _zusammenfassung(payload, labels, kennzeichen, anlagen, kontext),
        _formulardaten(antrag, kontext),
        *anlagen,
    ]


def _zusammenfassung(
    payload: Payload, labels: Labels, kennzeichen: str, anlagen: list[Unterlage], kontext: Kontext
) -> Unterlage:
    html = summary(
        payload,
        labels,
        facts=list(_eingang(kennzeichen, kontext)),
        fields_heading="Erklärungen",
        files=[_zeile(anlage) for anlage in anlagen],
        closing=(
            "Maschinell aus den Formulardaten erzeugt. Maßgeblich sind die Formulardaten, "
            "die als XML-Datei unverändert im selben Vorgang liegen."
        ),
    )
    dateiname = _dateiname("Zusammenfassung", "html", kontext)
    return Unterlage(
        betreff=constant("Antrag Bewohnerparkausweis (Zusammenfassung)"),
        typ=constant("Antrag"),
        format=codelist(DATEIFORMAT, DATEIFORMAT_VERSION, "008"),
        sonstiger_name=None,
        format_version=constant("5"),
        original_name=None,
        dateiname=dateiname,
        dokument=Dokument(dateiname.value, "text/html", MemoryContent(html)),
    )


def _eingang(kennzeichen: str, kontext: Kontext) -> Iterator[tuple[str, str]]:
    if kontext.is_test:
        yield "Hinweis", "Testnachricht, nicht bearbeiten"
    yield "Eingegangen am", write_moment(kontext.received_at)
    yield "Vorgangszeichen", kennzeichen
    yield "Kennung der Einreichung", kontext.key


def _zeile(anlage: Unterlage) -> File:
    name = anlage.original_name.value if anlage.original_name else "ohne Namen"
    return File(anlage.betreff.value, name, anlage.dokument.media_type, anlage.dokument.content.length)


def _formulardaten(antrag: Antrag, kontext: Kontext) -> Unterlage:
    """FORMULARDATEN-UNVERAENDERT: the XML byte by byte as it was received, whatever its layout: it is the evidence."""
    dateiname = _dateiname("Formulardaten", "xml", kontext)
    return Unterlage(
        betreff=constant("Formulardaten (XML)"),
        typ=constant("Formulardaten"),
        format=codelist(DATEIFORMAT, DATEIFORMAT_VERSION, "030"),
        sonstiger_name=None,
        format_version=constant("1.0"),
        original_name=_original_name(antrag.payload, "payload"),
        dateiname=dateiname,
        dokument=Dokument(dateiname.value, "application/xml", antrag.payload.content),
    )


def _anlage(part: Part, number: int, kontext: Kontext) -> Unterlage:
    """DATEIFORMAT: the sender's media type decides; a type the list lacks is "Sonstiges" with the type as its name."""
    quelle = f"attachment[{number}]"
    media_type = media_type_of(part)
    code, endung = FORMATE.get(media_type, (SONSTIGES, UNBEKANNTE_ENDUNG))
    gelesen = metadata(media_type, f"{quelle}.media_type")
    dateiname = _dateiname(f"Anlage{number}", endung, kontext)
    return Unterlage(
        betreff=rule("ANLAGE-NUMMER", f"Anlage {number}", metadata(number, quelle)),
        typ=constant("Anlage"),
        format=Code(rule("DATEIFORMAT", code, gelesen), DATEIFORMAT, DATEIFORMAT_VERSION),
        sonstiger_name=gelesen if code == SONSTIGES else None,
        format_version=constant("unbekannt"),
        original_name=_original_name(part, quelle),
        dateiname=dateiname,
        dokument=Dokument(dateiname.value, media_type, part.content),
    )


def _original_name(part: Part, quelle: str) -> Sourced[str] | None:
    """DATEINAME-ORIGINAL: the last part of the sender's path, without control characters; only shown, never used."""
    name = shown_name(part)
    return rule("DATEINAME-ORIGINAL", name, metadata(part.name, f"{quelle}.name")) if name else None


def _dateiname(text: str, endung: str, kontext: Kontext) -> Sourced[str]:
    """`<uuid>_<text>.<ext>` (xoev-digest §7)."""
    kennung = derived(kontext, f"/Vorgang/{text}/Primaerdokument")
    return kennung.by("DATEINAME", lambda uuid: f"{uuid}_{text}.{endung}")
