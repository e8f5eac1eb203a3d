"""The sections of the notice, in the order in which somebody reads a decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from intermediary.mapping.api import Group, Payload, Sourced, boolean, constant, rule
from intermediary.mapping.api import code as as_code
from mappings.baubescheid import codelisten
from mappings.baubescheid.texte import absaetze, formatiert

GENEHMIGT = "Ihr Bauvorhaben wird genehmigt."
ABGELEHNT = "Ihr Bauantrag wird abgelehnt."


@dataclass(frozen=True, slots=True)
class Abschnitt:
    """A heading and its paragraphs."""

    titel: Sourced[str]
    absaetze: tuple[Sourced[str], ...] = field(repr=False)


def abschnitte(nachricht: Payload) -> list[Abschnitt]:
    """LEERES-ENTFAELLT: sections without a paragraph are left out; the decision and the instruction never are."""
    bescheid = nachricht.group("bescheid")
    return [one for one in _abschnitte(bescheid) if one.absaetze]


def ergebnis(nachricht: Payload) -> Sourced[str]:
    """ERGEBNIS-AUS-TENOR: granted or refused, as the authority decided."""
    tenor = nachricht.group("bescheid").group("tenor").required("istGenehmigung", boolean)
    return tenor.by("ERGEBNIS-AUS-TENOR", lambda is_granted: "genehmigt" if is_granted else "abgelehnt")


def _abschnitte(bescheid: Group) -> Iterator[Abschnitt]:
    tenor = bescheid.group("tenor").required("istGenehmigung", boolean)
    satz = tenor.by("ERGEBNIS-AUS-TENOR", lambda is_granted: GENEHMIGT if is_granted else ABGELEHNT)
    yield Abschnitt(constant("Entscheidung"), (satz,))
    yield Abschnitt(constant("Begründung"), _texte(bescheid, "begruendung"))
    nebenbestimmungen = bescheid.groups("nebenbestimmung")
    for nummer, eine in enumerate(nebenbestimmungen, 1):
        titel = _titel("Nebenbestimmung", nummer, len(nebenbestimmungen), eine, codelisten.NEBENBESTIMMUNG)
        yield Abschnitt(titel, tuple(formatiert(eine.group("nebenbestimmung"))))
    abweichungen = bescheid.groups("abweichung")
    for nummer, eine in enumerate(abweichungen, 1):
        titel = _titel("Beantragte Abweichung", nummer, len(abweichungen), eine, codelisten.ABWEICHUNG)
        yield Abschnitt(titel, _abweichung(eine))
    yield Abschnitt(constant("Stellungnahmen der Fachbereiche"), _kommentare(bescheid))
    yield Abschnitt(constant("Hinweise"), _texte(bescheid, "hinweise"))
    yield Abschnitt(constant("Rechtsbehelfsbelehrung"), tuple(absaetze(bescheid.group("rechtshelfsbelehrung"))))


def _titel(name: str, nummer: int, von: int, group: Group, bedeutungen: Mapping[str, str]) -> Sourced[str]:
    """TITEL-MIT-ART: what kind it is stands in the heading; numbers tell several apart."""
    art = group.group("art").required("code", as_code)
    bedeutung = bedeutungen.get(art.value)
    zahl = f" {nummer} von {von}" if von > 1 else ""
    return rule("TITEL-MIT-ART", f"{name}{zahl}: {bedeutung or f'Art {art.value}'}", art)


def _abweichung(abweichung: Group) -> tuple[Sourced[str], ...]:
    zugelassen = abweichung.required("istZugelassen", boolean)
    satz = zugelassen.by("ABWEICHUNG-IN-WORTEN", lambda yes: "Wird zugelassen." if yes else "Wird nicht zugelassen.")
    teile = (_texte(abweichung, name) for name in ("vorschrift", "begruendung", "nebenbestimmung"))
    return (satz, *(absatz for teil in teile for absatz in teil))


def _kommentare(bescheid: Group) -> tuple[Sourced[str], ...]:
    kommentare = bescheid.group("tenor").optional_group("kommentareFachrecht")
    if kommentare is None:
        return ()
    return tuple(absatz for einer in kommentare.groups("kommentarFachrecht") for absatz in absaetze(einer))


def _texte(group: Group, name: str) -> tuple[Sourced[str], ...]:
    text = group.optional_group(name)
    return tuple(formatiert(text)) if text is not None else ()
