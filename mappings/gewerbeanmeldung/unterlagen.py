"""The files of the package: summary, message for the Fachverfahren, form data as received, attachments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
DATEIFORMAT = ("urn:xoev-de:xdomea:codeliste:dateiformat", "1.0")
SONSTIGES = "100"
FORMATE = {
    "application/msword": ("003", "doc"),
    "application/pdf": ("018", "pdf"),
    "application/rtf": ("022", "rtf"),
    "application/vnd.oasis.opendocument.text": ("015", "odt"),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("036", "xlsx"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("035", "docx"),
    "application/xml": ("030", "xml"),
    "image/jpeg": ("011", "jpg"),
    "image/png": ("019", "png"),
    "image/tiff": ("024", "tiff"),
    "message/rfc822": ("006", "eml"),
    "text/html": ("008", "html"),
    "text/plain": ("045", "txt"),
    "text/xml": ("030", "xml"),
}
UNBEKANNTE_ENDUNG = "bin"
SCHLUSSWORT = (
    "Maschinell aus den Formulardaten erzeugt. Maßgeblich sind die Formulardaten, "
    "die als XML-Datei unverändert im selben Paket liegen."
)


@dataclass(frozen=True, slots=True)
class Anlage:
    """One attachment under the name it has in the package."""

    nummer: int
    dateiname: Sourced[str]
    media_type: Sourced[str]
    original_name: Sourced[str] | None
    part: Part = field(repr=False)


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


def anlagen(antrag: Antrag, kontext: Kontext) -> list[Anlage]:
    """Every attachment, in the sender's order."""
    return [_anlage(part, nummer, kontext) for nummer, part in enumerate(antrag.attachments, 1)]


def zusammenfassung(
    payload: Payload, labels: Labels, vorhanden: Sequence[Anlage], kontext: Kontext, *, kennzeichen: str = ""
) -> Unterlage:
    """What people read first: the whole form under its own names."""
    html = summary(
        payload,
        labels,
        facts=list(_eingang(kennzeichen, kontext)),
        fields_heading="Allgemeine Angaben",
        files=[_zeile(anlage) for anlage in vorhanden],
        closing=SCHLUSSWORT,
    )
    return _text("Zusammenfassung", "Gewerbeanmeldung (Zusammenfassung)", "008", "html", "text/html", html, kontext)


def anzeige(xml: bytes, kontext: Kontext) -> Unterlage:
    """The message for the Fachverfahren, as a document of the package."""
    betreff = "Gewerbeanzeige (XML für das Fachverfahren)"
    return _text("Gewerbeanzeige", betreff, "030", "xml", "application/xml", xml, kontext)


def formulardaten(antrag: Antrag, kontext: Kontext) -> Unterlage:
    """FORMULARDATEN-UNVERAENDERT: the XML byte by byte as it was received, whatever its layout: it is the evidence."""
    dateiname = _dateiname("Formulardaten", "xml", kontext)
    return Unterlage(
        betreff=constant("Formulardaten (XML)"),
        typ=constant("Formulardaten"),
        format=codelist(*DATEIFORMAT, "030"),
        sonstiger_name=None,
        format_version=constant("1.0"),
        original_name=_original_name(antrag.payload, "payload"),
        dateiname=dateiname,
        dokument=Dokument(dateiname.value, "application/xml", antrag.payload.content),
    )


def als_unterlage(anlage: Anlage) -> Unterlage:
    """DATEIFORMAT: the sender's media type decides; a type the list lacks is "Sonstiges" with the type as its name."""
    code, _ = FORMATE.get(anlage.media_type.value, (SONSTIGES, UNBEKANNTE_ENDUNG))
    quelle = metadata(anlage.nummer, f"attachment[{anlage.nummer}]")
    return Unterlage(
        betreff=rule("ANLAGE-NUMMER", f"Anlage {anlage.nummer}", quelle),
        typ=constant("Anlage"),
        format=Code(rule("DATEIFORMAT", code, anlage.media_type), *DATEIFORMAT),
        sonstiger_name=anlage.media_type if code == SONSTIGES else None,
        format_version=constant("unbekannt"),
        original_name=anlage.original_name,
        dateiname=anlage.dateiname,
        dokument=dokument(anlage),
    )


def dokument(anlage: Anlage) -> Dokument:
    """The attachment as it leaves: its bytes are those of the sender."""
    return Dokument(anlage.dateiname.value, anlage.media_type.value, anlage.part.content)


def _anlage(part: Part, nummer: int, kontext: Kontext) -> Anlage:
    quelle = f"attachment[{nummer}]"
    media_type = media_type_of(part)
    _, endung = FORMATE.get(media_type, (SONSTIGES, UNBEKANNTE_ENDUNG))
    return Anlage(
        nummer=nummer,
        dateiname=_dateiname(f"Anlage{nummer}", endung, kontext),
        media_type=metadata(media_type, f"{quelle}.media_type"),
        original_name=_original_name(part, quelle),
        part=part,
    )


def _text(
    name: str, betreff: str, format_: str, endung: str, media_type: str, inhalt: bytes, kontext: Kontext
) -> Unterlage:
    """A document that this mapping wrote itself."""
    dateiname = _dateiname(name, endung, kontext)
    return Unterlage(
        betreff=constant(betreff),
        typ=constant("Gewerbeanzeige"),
        format=codelist(*DATEIFORMAT, format_),
        sonstiger_name=None,
        format_version=constant("5" if endung == "html" else "1.0"),
        original_name=None,
        dateiname=dateiname,
        dokument=Dokument(dateiname.value, media_type, MemoryContent(inhalt)),
    )


def _eingang(kennzeichen: str, kontext: Kontext) -> Iterator[tuple[str, str]]:
    if kontext.is_test:
        yield "Hinweis", "Testnachricht, nicht bearbeiten"
    if kontext.revision:
        yield "Hinweis", f"Berichtigte Fassung {kontext.revision} derselben Einreichung"
    yield "Eingegangen am", write_moment(kontext.received_at)
    if kennzeichen:
        yield "Vorgangszeichen", kennzeichen
    yield "Kennung der Einreichung", kontext.key


def _zeile(anlage: Anlage) -> File:
    name = anlage.original_name.value if anlage.original_name else "ohne Namen"
    return File(f"Anlage {anlage.nummer}", name, anlage.media_type.value, anlage.part.content.length)


def _original_name(part: Part, quelle: str) -> Sourced[str] | None:
    """DATEINAME-ORIGINAL: the last part of the sender's path, without control characters; only shown, never used."""
    name = shown_name(part)
    return rule("DATEINAME-ORIGINAL", name, metadata(part.name, f"{quelle}.name")) if name else None


def _dateiname(text: str, endung: str, kontext: Kontext) -> Sourced[str]:
    """DATEINAME: `<uuid>_<text>.<ext>` (xoev-digest §7)."""
    kennung = derived(kontext, f"/Vorgang/{text}/Primaerdokument")
    return kennung.by("DATEINAME", lambda uuid: f"{uuid}_{text}.{endung}")
