"""The files of the package: the readable document, the form data as received, the attachments."""

from __future__ import annotations

from collections.abc import Iterator

from intermediary.mapping.api import (
    PDF_A,
    TEST,
    Antrag,
    Datei,
    Filled,
    Frame,
    Kontext,
    Sourced,
    Unterlage,
    attached,
    document,
    form_data,
    generated,
    letter_sections,
    metadata,
    pdf_of,
    shown_files,
    write_date,
    write_moment,
)
from mappings.fim_eakte.angaben import Angaben, betreff, frist
from mappings.fim_eakte.einstellungen import Einstellungen

LAENGSTE_SEITE = 250_000
SCHLUSS = (
    "Maschinell aus den Formulardaten erzeugt. Maßgeblich sind die Formulardaten, "
    "die als Datei unverändert im selben Vorgang liegen."
)


def unterlagen(
    antrag: Antrag,
    gefuellt: Filled,
    angaben: Angaben,
    kennzeichen: Sourced[str],
    einstellungen: Einstellungen,
    kontext: Kontext,
) -> list[Unterlage]:
    """All in the order of the package: what people read first, then the evidence, then the attachments."""
    anlagen = attached(antrag, kontext)
    rahmen = Frame(
        office=einstellungen.empfaenger or kontext.mandant,
        reference=kennzeichen.value,
        facts=tuple(_eingang(angaben, kennzeichen.value, einstellungen, kontext)),
        files=shown_files(anlagen),
        closing=SCHLUSS,
        extra=letter_sections(antrag),
        test=TEST if kontext.is_test else "",
        with_help=einstellungen.hilfetexte == "true",
    )
    titel = metadata(f"{gefuellt.title} (Angaben)", "files.formular")
    typ = metadata(einstellungen.dokumenttyp, "settings.dokumenttyp")
    lesbar = Unterlage(titel, typ, tuple(_lesbar(document(gefuellt, rahmen), einstellungen, kontext)))
    return [lesbar, form_data(antrag, kontext, betreff="Formulardaten"), *anlagen]


def _lesbar(seite: bytes, einstellungen: Einstellungen, kontext: Kontext) -> Iterator[Datei]:
    """DARSTELLUNG: the same page as PDF/A, as HTML, or both; PDF first, because an e-file shows the first format.

    A page that would take minutes to set stays HTML.
    """
    als_pdf = einstellungen.darstellung != "html" and len(seite) <= LAENGSTE_SEITE
    if als_pdf:
        yield generated("Angaben", "application/pdf", "1.7", pdf_of(seite), kontext, code=PDF_A)
    if einstellungen.darstellung != "pdf" or not als_pdf:
        yield generated("Angaben", "text/html", "5", seite, kontext)


def _eingang(
    angaben: Angaben, kennzeichen: str, einstellungen: Einstellungen, kontext: Kontext
) -> Iterator[tuple[str, str]]:
    yield "Betreff", betreff(angaben, einstellungen, kontext).value
    yield "Aktenzeichen", kennzeichen
    yield "Aktenplan", einstellungen.aktenplan
    if kontext.revision:
        yield "Hinweis", f"Berichtigte Fassung {kontext.revision} derselben Einreichung"
    yield "Eingegangen am", write_moment(kontext.received_at)
    ende = frist(angaben, einstellungen)
    if ende is not None:
        yield einstellungen.frist_text, f"bis {write_date(ende.value)}"
    yield "Formular", angaben.formular.edition
    yield "Kennung der Einreichung", kontext.key
