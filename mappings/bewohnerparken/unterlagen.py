"""The files of the package: what people read first, then the evidence, then the attachments."""

from __future__ import annotations

from intermediary.mapping.api import (
    Antrag,
    Kontext,
    Labels,
    Payload,
    Unterlage,
    attached,
    constant,
    form_data,
    generated,
    intake,
    shown_files,
    summary,
)

SCHLUSS = (
    "Maschinell aus den Formulardaten erzeugt. Maßgeblich sind die Formulardaten, "
    "die als XML-Datei unverändert im selben Vorgang liegen."
)


def unterlagen(antrag: Antrag, payload: Payload, labels: Labels, kennzeichen: str, kontext: Kontext) -> list[Unterlage]:
    """All in the order of the package; each becomes a Dokument of the Vorgang."""
    anlagen = attached(antrag, kontext)
    html = summary(
        payload,
        labels,
        facts=intake(kontext, kennzeichen),
        fields_heading="Erklärungen",
        files=shown_files(anlagen),
        closing=SCHLUSS,
    )
    seite = generated("Zusammenfassung", "text/html", "5", html, kontext)
    betreff = constant("Antrag Bewohnerparkausweis (Zusammenfassung)")
    return [Unterlage(betreff, constant("Antrag"), (seite,)), form_data(antrag, kontext), *anlagen]
