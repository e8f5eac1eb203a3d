"""The files of the package: summary, form data as received, Bauvorlagen, and what else was sent along."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from intermediary.mapping.api import (
    Antrag,
    Code,
    Dokument,
    File,
    Group,
    Kontext,
    Labels,
    MemoryContent,
    Node,
    Part,
    Payload,
    Sourced,
    code,
    date,
    derived,
    integer,
    local,
    media_type_of,
    metadata,
    normal,
    rule,
    shown_name,
    summary,
    write_moment,
)
from mappings.bauantrag import codelisten
from mappings.bauantrag.codelisten import code_of
from mappings.bauantrag.texte import pflicht

# Usual file extensions of what building applications consist of; the media type decides, never the sender's name.
ENDUNGEN = {
    "application/acad": "dwg",
    "application/pdf": "pdf",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/x-step": "ifc",
    "application/xml": "xml",
    "application/zip": "zip",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tiff",
    "image/vnd.dwg": "dwg",
    "image/vnd.dxf": "dxf",
    "model/ifc": "ifc",
    "text/html": "html",
    "text/plain": "txt",
    "text/xml": "xml",
}
UNBEKANNTE_ENDUNG = "bin"
SCHLUSSWORT = (
    "Maschinell aus den Formulardaten erzeugt. Maßgeblich sind die Formulardaten, "
    "die als XML-Datei unverändert im selben Paket liegen."
)


@dataclass(frozen=True, slots=True)
class Datei:
    """One attachment under the name it has in the package."""

    part: Part = field(repr=False)
    quelle: str
    dateiname: Sourced[str]
    media_type: Sourced[str]

    @property
    def dokument(self) -> Dokument:
        return Dokument(self.dateiname.value, self.media_type.value, self.part.content)


def dateien(antrag: Antrag, kontext: Kontext) -> list[Datei]:
    """Every attachment, in the sender's order, whether the form names it or not."""
    return [_datei(part, number, kontext) for number, part in enumerate(antrag.attachments, 1)]


def anlagen(node: Node, antrag: Payload, vorhanden: Sequence[Datei], kontext: Kontext) -> None:
    """Section `anlagen`: one entry per Unterlage of the form, which names its file in the package."""
    nach_namen = {normal(datei.part.name): datei for datei in vorhanden}
    for unterlage in antrag.groups("unterlage"):
        datei = nach_namen[unterlage.required("datei", normal).value]
        anlage = node.element("anlage")
        anlage.leaf("bezeichnung", pflicht(unterlage, "titel"))
        anlage.leaf("versionsnummer", unterlage.optional("fassung", integer) or rule("ERSTE-FASSUNG", 1))
        anlage.leaf("datum", unterlage.optional("stand", date) or _eingangsdatum(kontext))
        art = anlage.element("bauvorlageart")
        art.code("vorlageBauvorhaben", code_of(codelisten.VORLAGEN_BAUVORHABEN, unterlage.optional("bauvorlage", code)))
        nachweis = unterlage.optional("nachweis", code)
        art.code("vorlageBauantragBearbeitung", code_of(codelisten.VORLAGEN_BEARBEITUNG, nachweis))
        anlage.code("mimeType", Code(datei.media_type, *codelisten.MIMETYP))
        anlage.leaf("dateinameAnhang", datei.dateiname)


def dokumente(
    antrag: Antrag, payload: Payload, labels: Labels, vorhanden: Sequence[Datei], kontext: Kontext
) -> tuple[Dokument, ...]:
    """All files in the order of the package: what people read first, then the evidence, then the attachments."""
    html = summary(
        payload,
        labels,
        facts=list(_eingang(kontext)),
        fields_heading="Erklärungen",
        files=[_zeile(datei, nummer, payload) for nummer, datei in enumerate(vorhanden, 1)],
        closing=SCHLUSSWORT,
    )
    zusammenfassung = _dateiname("Zusammenfassung", "html", kontext).value
    formulardaten = _dateiname("Formulardaten", "xml", kontext).value
    return (
        Dokument(zusammenfassung, "text/html", MemoryContent(html)),
        Dokument(formulardaten, "application/xml", antrag.payload.content),  # FORMULARDATEN-UNVERAENDERT
        *(datei.dokument for datei in vorhanden),
    )


def _datei(part: Part, nummer: int, kontext: Kontext) -> Datei:
    """MIMETYP-WIE-GESENDET: the sender's media type is the code; what is none becomes application/octet-stream."""
    quelle = f"attachment[{nummer}]"
    media_type = media_type_of(part)
    dateiname = _dateiname(f"Anlage{nummer}", ENDUNGEN.get(media_type, UNBEKANNTE_ENDUNG), kontext)
    gelesen = rule("MIMETYP-WIE-GESENDET", media_type, metadata(part.media_type, f"{quelle}.media_type"))
    return Datei(part, quelle, dateiname, gelesen)


def _zeile(datei: Datei, nummer: int, payload: Payload) -> File:
    """The titles the form gives a file; BEILAGE: a file the form does not name is delivered beside the message."""
    titel = [pflicht(u, "titel").value for u in _unterlagen(payload, datei)]
    name = shown_name(datei.part) or "ohne Namen"
    title = "; ".join(titel) if titel else f"Beilage {nummer}, im Formular nicht genannt"
    return File(title, name, datei.media_type.value, datei.part.content.length)


def _unterlagen(payload: Payload, datei: Datei) -> list[Group]:
    name = normal(datei.part.name)
    return [one for one in payload.groups("unterlage") if one.required("datei", normal).value == name]


def _eingang(kontext: Kontext) -> Iterator[tuple[str, str]]:
    if kontext.is_test:
        yield "Hinweis", "Testnachricht, nicht bearbeiten"
    if kontext.revision:
        yield "Hinweis", f"Berichtigte Fassung {kontext.revision} derselben Einreichung"
    yield "Eingegangen am", write_moment(kontext.received_at)
    yield "Kennung der Einreichung", kontext.key


def _eingangsdatum(kontext: Kontext) -> Sourced[dt.date]:
    """STAND-IST-EINGANG: a Unterlage without a date has that of receipt, in German legal time."""
    eingang = local(kontext.received_at)
    return rule("STAND-IST-EINGANG", eingang.date(), metadata(eingang, "nachricht.received_at"))


def _dateiname(text: str, endung: str, kontext: Kontext) -> Sourced[str]:
    """DATEINAME: `<uuid>_<text>.<ext>`, derived from the Nachricht, so that every attempt repeats it."""
    kennung = derived(kontext, f"/{text}")
    return kennung.by("DATEINAME", lambda uuid: f"{uuid}_{text}.{endung}")
