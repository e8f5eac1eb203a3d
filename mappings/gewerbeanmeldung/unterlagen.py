"""The files of the package: summary, message for the Fachverfahren, form data as received, attachments."""

from __future__ import annotations

from collections.abc import Sequence

from intermediary.mapping.api import (
    Kontext,
    Labels,
    Payload,
    Unterlage,
    constant,
    generated,
    intake,
    shown_files,
    summary,
)

SCHLUSS = (
    "Maschinell aus den Formulardaten erzeugt. Maßgeblich sind die Formulardaten, "
    "die als {}-Datei unverändert im selben Paket liegen."
)
TYP = constant("Gewerbeanzeige")


def zusammenfassung(
    payload: Payload, labels: Labels, anlagen: Sequence[Unterlage], kontext: Kontext, *, kennzeichen: str = ""
) -> Unterlage:
    """What people read first: the whole form under its own names."""
    html = summary(
        payload,
        labels,
        facts=intake(kontext, kennzeichen),
        fields_heading="Allgemeine Angaben",
        files=shown_files(anlagen),
        closing=SCHLUSS.format(payload.language),
    )
    datei = generated("Zusammenfassung", "text/html", "5", html, kontext)
    return Unterlage(constant("Gewerbeanmeldung (Zusammenfassung)"), TYP, (datei,))


def anzeige(xml: bytes, kontext: Kontext) -> Unterlage:
    """The message for the Fachverfahren, as a document of the package."""
    datei = generated("Gewerbeanzeige", "application/xml", "1.0", xml, kontext)
    return Unterlage(constant("Gewerbeanzeige (XML für das Fachverfahren)"), TYP, (datei,))
