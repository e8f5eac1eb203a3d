"""What every xdomea message to an e-file shares: file reference, Kopf, filing, the files beside the form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from intermediary.core.ports import Kontext
from intermediary.core.values import MemoryContent, Part
from intermediary.mapping.api import (
    Builder,
    Filing,
    all_files,
    attached,
    constant,
    demand_pattern,
    demand_texts,
    file_reference,
    form_data,
    intake,
    load_shape,
    shown_files,
    write_dokumente,
    write_filing,
    write_kopf,
)
from intermediary.testing.golden import antrag_of
from intermediary.xml.parser import parse
from mappings.bewohnerparken.mapping import HERE

KEY = "f1a00001-0000-4000-8000-000000000001"
NEW_YEAR = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)  # half past midnight in Germany
SHAPE = load_shape(HERE / "shape.toml")


@dataclass(frozen=True, slots=True)
class Settings:
    absender: str = ""
    empfaenger: str = "Ordnungsamt"
    empfangsbestaetigung: str = "true"
    aktenplan: str = "1"


def _kontext(**changes: object) -> Kontext:
    return Kontext(KEY, "musterstadt", NEW_YEAR, **changes)  # type: ignore[arg-type]


def test_a_file_reference_is_filled_in_from_the_receipt() -> None:
    """The day is that of German legal time, the Vorgang the start of the key; the origin names setting and moment."""
    reference = file_reference("112/{jahr}-{monat}-{tag}/{vorgang}", _kontext())

    assert "112/2026-01-01/f1a00001" == reference.value
    assert ("rule", "VORGANGSZEICHEN(settings.aktenzeichen, nachricht.received_at)") == (
        reference.kind,
        reference.source,
    )


@pytest.mark.parametrize("pattern", ["{lfd}", "{jahr}{}", "{Jahr}", "{jahr }"])
def test_a_pattern_that_nobody_fills_in_is_refused(pattern: str) -> None:
    """Settings refuse it when they are read, and name what there is."""
    with pytest.raises(ValueError, match=r"\{jahr\}, \{monat\}, \{tag\}, \{vorgang\}"):
        demand_pattern(pattern)
    demand_pattern("ohne Platzhalter")


def test_texts_of_settings_are_demanded() -> None:
    """A needed text of blanks and a control character in any are refused by name."""
    demand_texts(Settings(), needed=("empfaenger",), optional=("absender",))
    with pytest.raises(ValueError, match="absender is empty"):
        demand_texts(Settings(), needed=("absender",))
    with pytest.raises(ValueError, match="absender contains a control character"):
        demand_texts(Settings(absender="a\x07"), optional=("absender",))


def _message(kontext: Kontext, settings: Settings = Settings()) -> tuple[str, dict[str, str]]:
    nachricht = Builder(SHAPE)
    write_kopf(nachricht, settings, kontext)
    vorgang = nachricht.element("Schriftgutobjekt").element("Vorgang")
    write_filing(vorgang, Filing(constant("b"), constant("k"), "1", constant("t")), kontext)
    attachments = (Part("a\\b.heic", "image/heic", "attachment", MemoryContent(b"x")),)
    antrag = antrag_of(b"<x/>", attachments, name="form.xml")
    write_dokumente(vorgang, [form_data(antrag, kontext), *attached(antrag, kontext)], kontext)
    built = nachricht.finish()
    return built.xml.decode(), {one.target.rpartition("Vorgang/")[2]: one.source for one in built.herkunft}


def test_a_test_and_a_correction_are_said_in_words() -> None:
    """xdomea 3 has no mark for either; without them there is no Hinweis."""
    marked, _ = _message(_kontext(is_test=True, revision=2))
    plain, _ = _message(_kontext())

    assert "Testnachricht, nicht bearbeiten. Berichtigte Fassung 2 derselben Einreichung." in marked
    assert "Hinweis" not in plain
    assert [("Hinweis", "Testnachricht, nicht bearbeiten")] == intake(_kontext(is_test=True))[:1]
    assert ("Hinweis", "Berichtigte Fassung 2 derselben Einreichung") in intake(_kontext(revision=2))
    assert ["Eingegangen am", "Vorgangszeichen", "Kennung der Einreichung"] == [n for n, _ in intake(_kontext(), "1")]


def test_bodies_are_named() -> None:
    """The configured name, or the Mandant; a wish for a confirmation of receipt is carried."""
    xml, _ = _message(_kontext())
    head = parse(xml.encode())[0]

    assert ["musterstadt", "Ordnungsamt"] == [one.text for one in head.iter("{*}Name") if one.text]
    assert "true" == head.findtext("{*}Empfangsbestaetigung")
    assert "2026-01-01" in xml


def test_form_and_attachments_become_documents() -> None:
    """The form as XML whatever its type says, an unknown type as Sonstiges with its name, names only shown."""
    kontext = _kontext()
    parts = (
        Part("", "", "attachment", MemoryContent(b"x")),
        Part("a\\b.pdf", "application/pdf", "a", MemoryContent(b"")),
    )
    antrag = antrag_of(b"<x/>", parts)
    unterlagen = [form_data(antrag, kontext), *attached(antrag, kontext)]
    _, origins = _message(kontext)

    assert [b"<x/>", b"x", b""] == [one.content.read() for one in all_files(unterlagen)]
    assert [".xml", ".bin", ".pdf"] == [one.file_name[-4:] for one in all_files(unterlagen)]
    assert [("Anlage 1", "ohne Namen"), ("Anlage 2", "b.pdf")] == [
        (one.title, one.original_name) for one in shown_files(unterlagen[1:])
    ]
    assert "attachment[1].media_type" == origins["Dokument[2]/Version[1]/Format[1]/SonstigerName"]
    assert "payload" not in origins["Dokument[1]/Version[1]/Format[1]/Name/code"]
