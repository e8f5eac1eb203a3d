"""Baubescheid (XBau 2.1 `baugenehmigung.bescheid.0205`) to a notice that the applicant can read: the way back.

The Fachverfahren's answer comes in like any Nachricht and goes through this mapping; its package holds the notice as XML,
as an accessible page, the original message and all files. Rules have names in capitals; README.md lists them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from intermediary.mapping.api import (
    Antrag,
    Ausgabe,
    Builder,
    Dokument,
    Group,
    Kontext,
    MemoryContent,
    Node,
    Payload,
    Shape,
    Sourced,
    date,
    derived,
    load_shape,
    metadata,
    package,
    read_settings,
    rule,
    write_date,
)
from intermediary.mapping.api import code as as_code
from mappings.baubescheid import codelisten, regeln
from mappings.baubescheid.abschnitte import Abschnitt, abschnitte, ergebnis
from mappings.baubescheid.anlagen import Dateien, dateien
from mappings.baubescheid.lesefassung import Seite, lesefassung

HERE = Path(__file__).parent
MITTEILUNG = "mitteilung"


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """What the authority calls its notice."""

    betreff: str = field(
        default="Bescheid zu Ihrem Bauantrag",
        metadata={"help": "Betreff der Mitteilung und Überschrift der Lesefassung."},
    )

    def __post_init__(self) -> None:
        if not self.betreff.strip():
            raise ValueError("betreff is empty")


class Baubescheid:
    """The mapping: pure, one notice per decision."""

    name: ClassVar[str] = "baubescheid"
    version: ClassVar[int] = 1
    input_root: ClassVar[str] = "{http://www.xleitstelle.de/xbau/schema/2/1/}baugenehmigung.bescheid.0205"
    standard: ClassVar[str] = "mitteilung 1.0.0"
    settings_type: ClassVar[type] = Einstellungen

    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        """The notice; raises as the port `Mapping` says, with the Befunde of `regeln.py`."""
        einstellungen = read_settings(Einstellungen, kontext.settings)
        nachricht = Payload(antrag.tree)
        regeln.pruefe(nachricht, antrag.attachments)
        test = _test(nachricht, kontext)
        inhalt = abschnitte(nachricht)
        mit = dateien(antrag, nachricht, kontext)
        kopf = nachricht.group("nachrichtenkopf.G2privat")
        kennung = derived(kontext, f"/Mitteilung[{kontext.revision}]")

        mitteilung = Builder(self._shape)
        mitteilung.leaf("kennung", kennung)
        mitteilung.leaf("test", test)
        absender = _absender(mitteilung.element("absender"), kopf.group("autor"))
        bezug = _antrag(mitteilung.element("antrag"), nachricht.group("bezug"))
        tag = _tag(kopf)
        mitteilung.leaf("datum", tag)
        mitteilung.leaf("betreff", metadata(einstellungen.betreff, "settings.betreff"))
        mitteilung.leaf("ergebnis", ergebnis(nachricht))
        _inhalt(mitteilung, inhalt, mit)
        built = mitteilung.finish()

        angaben = (*absender, *bezug, ("Datum", write_date(tag.value)))
        seite = Seite(einstellungen.betreff, absender[0][1], angaben, inhalt, mit.anlagen, test.value)
        html = Dokument(
            f"{kontext.id_for('/Lesefassung')}_Bescheid.html", "text/html", MemoryContent(lesefassung(seite))
        )
        dokumente = (html, *mit.dokumente)
        return Ausgabe(
            standard=self.standard,
            message=MITTEILUNG,
            nachricht=built.xml,
            package=package(kennung.value, MITTEILUNG, built.xml, dokumente),
            dokumente=dokumente,
            herkunft=built.herkunft,
            unread=nachricht.unread(),
            business_keys=dict(_schluessel(nachricht.group("bezug"))),
            vorgang=nachricht.group("bezug").required("referenzAntragsteller", as_code).value,
        )


def _test(nachricht: Payload, kontext: Kontext) -> Sourced[bool]:
    """TEST-BLEIBT-TEST: a message marked as a test, or on a test route, decides nothing."""
    marke = nachricht.attribute("test")
    route = metadata(kontext.is_test, "nachricht.is_test")
    if marke is None:
        return route
    return rule("TEST-BLEIBT-TEST", True, marke, route)


def _absender(ziel: Node, autor: Group) -> list[tuple[str, str]]:
    """Who decided, where it sits and how it can be reached; the same lines for the page."""
    name = autor.required("behoerdenname")
    anschrift = _anschrift(autor.group("anschrift"))
    ziel.leaf("name", name)
    ziel.leaf("anschrift", anschrift)
    zeilen = [("Behörde", name.value), ("Anschrift", anschrift.value)]
    for weg in autor.groups("erreichbarkeit"):
        kanal = weg.group("kanal").required("code", as_code)
        kennung = weg.required("kennung")
        wort = rule("KANAL-IN-WORTEN", codelisten.KANAL.get(kanal.value, codelisten.SONSTIGER_KANAL), kanal)
        eintrag = ziel.element("erreichbar")
        eintrag.leaf("kanal", wort)
        eintrag.leaf("kennung", kennung)
        zeilen.append((wort.value, kennung.value))
    return zeilen


def _anschrift(anschrift: Group) -> Sourced[str]:
    """ANSCHRIFT-IN-EINER-ZEILE: street and number or Postfach, then postcode and town."""
    gebaeude, postfach = anschrift.optional_group("gebaeude"), anschrift.optional_group("postfach")
    quelle = gebaeude or postfach
    if quelle is None:
        return rule("ANSCHRIFT-IN-EINER-ZEILE", "keine Angabe")
    erste = ("strasse", "hausnummer", "hausnummerBuchstabeZusatzziffer") if gebaeude else ("postfach",)
    oben = [one for one in (quelle.optional(name) for name in erste) if one is not None]
    unten = [one for one in (quelle.optional(name) for name in ("postleitzahl", "wohnort")) if one is not None]
    strasse = " ".join(one.value for one in oben)
    if gebaeude is None:
        strasse = f"Postfach {strasse}".strip()
    ort = " ".join(one.value for one in unten)
    return rule("ANSCHRIFT-IN-EINER-ZEILE", ", ".join(part for part in (strasse, ort) if part), *oben, *unten)


def _antrag(ziel: Node, bezug: Group) -> list[tuple[str, str]]:
    kennung, vorgang = bezug.required("referenzAntragsteller"), bezug.optional("vorgang")
    ziel.leaf("kennung", kennung)
    ziel.leaf("aktenzeichen", vorgang)
    zeilen = [("Ihr Antrag", kennung.value)]
    return zeilen if vorgang is None else [("Aktenzeichen", vorgang.value), *zeilen]


def _tag(kopf: Group) -> Sourced[dt.date]:
    """DATUM-DER-NACHRICHT: the day the authority made the message, in its own time zone."""
    tag = kopf.group("identifikation.nachricht").required("erstellungszeitpunkt", _tag_von)
    return tag.by("DATUM-DER-NACHRICHT", lambda day: day)


def _tag_von(moment: str) -> dt.date:
    return date(moment.strip().partition("T")[0])


def _inhalt(mitteilung: Node, inhalt: Sequence[Abschnitt], mit: Dateien) -> None:
    for abschnitt in inhalt:
        ziel = mitteilung.element("abschnitt")
        ziel.leaf("titel", abschnitt.titel)
        for absatz in abschnitt.absaetze:
            ziel.leaf("absatz", absatz)
    for anlage in mit.anlagen:
        ziel = mitteilung.element("anlage")
        ziel.leaf("titel", anlage.titel)
        ziel.leaf("datum", anlage.datum)
        ziel.leaf("datei", anlage.datei)
        ziel.leaf("fundstelle", anlage.fundstelle)


def _schluessel(bezug: Group) -> list[tuple[str, str]]:
    vorgang = bezug.optional("vorgang")
    antrag = ("antragskennung", bezug.required("referenzAntragsteller").value)
    return [antrag] if vorgang is None else [antrag, ("aktenzeichen", vorgang.value)]


MAPPING = Baubescheid(load_shape(HERE / "shape.toml"))
