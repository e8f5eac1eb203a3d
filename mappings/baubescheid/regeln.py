"""When a decision is sent back to the authority: what an applicant could not read, or may not go without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from intermediary.mapping.api import Findings, Group, Part, Payload, Sourced, boolean, normal
from mappings.baubescheid.texte import absaetze, entschluesselt, formatiert


def pruefe(nachricht: Payload, dateien: Sequence[Part]) -> None:
    """Raise `Rejected("mapping.input.refused")` with all Befunde, or do nothing."""
    befunde = Findings()
    bescheid = nachricht.group("bescheid")
    lesbar = [_ist_lesbar(text, befunde) for text in formatierte_texte(bescheid)]
    _ablehnung_ist_begruendet(bescheid, befunde, all(lesbar))
    _rechtsbehelf_ist_belehrt(bescheid, befunde)
    _dateien_liegen_bei(nachricht, dateien, befunde)
    befunde.refuse()


def formatierte_texte(bescheid: Group) -> Iterator[Group]:
    """Every `TextFormatiert` of the decision, in the order of the schema."""
    for abweichung in bescheid.groups("abweichung"):
        for name in ("vorschrift", "begruendung", "nebenbestimmung"):
            yield from abweichung.groups(name)
    for nebenbestimmung in bescheid.groups("nebenbestimmung"):
        yield nebenbestimmung.group("nebenbestimmung")
    yield from bescheid.groups("begruendung")
    yield from bescheid.groups("hinweise")


def _ist_lesbar(text: Group, befunde: Findings) -> bool:
    """TEXT-UNLESBAR: what is no base64 of UTF-8 cannot be shown to anybody."""
    try:
        formatiert(text)
    except ValueError:
        hint = "Dieser Text ist kein HTML in UTF-8 (als base64) und lässt sich nicht darstellen."
        befunde.add(rule="TEXT-UNLESBAR", path=text.path_of("text"), hint=hint)
        return False
    return True


def _ablehnung_ist_begruendet(bescheid: Group, befunde: Findings, is_readable: bool) -> None:
    """BEGRUENDUNG-FEHLT: § 39 Abs. 1 VwVfG; who is refused has to learn why."""
    if bescheid.group("tenor").required("istGenehmigung", boolean).value or not is_readable:
        return
    begruendung = bescheid.optional_group("begruendung")
    if begruendung is None or not formatiert(begruendung):
        hint = "Der Antrag wird abgelehnt; die Begründung fehlt."
        befunde.add(rule="BEGRUENDUNG-FEHLT", path=bescheid.path_of("begruendung"), hint=hint)


def _rechtsbehelf_ist_belehrt(bescheid: Group, befunde: Findings) -> None:
    """RECHTSBEHELF-FEHLT: § 37 Abs. 6 VwVfG; an instruction of blanks is none."""
    belehrung = bescheid.group("rechtshelfsbelehrung")
    if not absaetze(belehrung):
        hint = "Die Rechtsbehelfsbelehrung besteht nur aus Leerzeichen."
        befunde.add(rule="RECHTSBEHELF-FEHLT", path=belehrung.path, hint=hint)


def _dateien_liegen_bei(nachricht: Payload, dateien: Sequence[Part], befunde: Findings) -> None:
    """ANLAGE-FEHLT and ANLAGE-MEHRDEUTIG: each file that is named, and not inside the message, is there once."""
    vorhanden = Counter(normal(datei.name) for datei in dateien)
    for anlage in nachricht.group("anlagen").groups("anlage"):
        name, inhalt = anlage.optional("dateinameAnhang", normal), anlage.optional("primaerdokument")
        if inhalt is not None:
            _datei_ist_lesbar(inhalt, befunde)
        if name is None or inhalt is not None:
            continue
        if not vorhanden[name.value]:
            hint = "Die genannte Datei ist nicht mitgesendet worden."
            befunde.add(rule="ANLAGE-FEHLT", path=name.source, hint=hint)
        elif vorhanden[name.value] > 1:
            hint = "Mehrere mitgesendete Dateien tragen diesen Namen."
            befunde.add(rule="ANLAGE-MEHRDEUTIG", path=name.source, hint=hint)


def _datei_ist_lesbar(inhalt: Sourced[str], befunde: Findings) -> None:
    """ANLAGE-UNLESBAR: half a file is worse than none."""
    try:
        entschluesselt(inhalt.value)
    except ValueError:
        hint = "Der Inhalt dieser Datei ist kein base64 und lässt sich nicht lesen."
        befunde.add(rule="ANLAGE-UNLESBAR", path=inhalt.source, hint=hint)
