"""The proof of a mapping finds what is planted: each thing that must hold, broken once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import count

import pytest

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.ports import Antrag, Kontext
from intermediary.core.values import Ausgabe, Befund, Dokument, Herkunft, MemoryContent
from intermediary.testing.golden import load_case
from intermediary.testing.proof import prove
from intermediary.validate.catalogue import Catalogue
from mappings.baubescheid.mapping import HERE, MAPPING

Change = Callable[[Ausgabe], Ausgabe]
CASE = load_case(HERE / "golden/02-genehmigt-alle-angaben")
OFFICIAL = Catalogue.open(None, own=[HERE / "schema"])
FINDING = Befund("mapping.input.refused", path="/x", rule="X", hint="x")


class Broken:
    """A mapping whose output, or refusal, somebody spoilt."""

    name, version, input_root, standard = MAPPING.name, MAPPING.version, MAPPING.input_root, MAPPING.standard

    def __init__(self, spoil: Change) -> None:
        self._spoil = spoil

    def map(self, antrag: Antrag, kontext: Kontext) -> Ausgabe:
        return self._spoil(MAPPING.map(antrag, kontext))


def _flaws(spoil: Change) -> tuple[str, ...]:
    return prove(Broken(spoil), CASE.antrag, CASE.kontext, OFFICIAL).flaws


def _message(old: bytes, new: bytes) -> Change:
    return lambda ausgabe: dataclasses.replace(ausgabe, nachricht=ausgabe.nachricht.replace(old, new, 1))


def _herkunft(change: Callable[[tuple[Herkunft, ...]], tuple[Herkunft, ...]]) -> Change:
    return lambda ausgabe: dataclasses.replace(ausgabe, herkunft=change(ausgabe.herkunft))


def _naming(path: str) -> Change:
    return _herkunft(lambda all_: (dataclasses.replace(all_[0], kind="input", source=path), *all_[1:]))


def _without_last_document(ausgabe: Ausgabe) -> Ausgabe:
    return dataclasses.replace(ausgabe, dokumente=ausgabe.dokumente[:-1])


def test_a_sound_mapping_has_no_flaw() -> None:
    """Silence about what is right, or the tests below prove nothing."""
    assert () == _flaws(lambda ausgabe: ausgabe)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_herkunft(lambda all_: all_[1:]), "no origin, or more than one: /mitteilung/kennung"),
        (_herkunft(lambda all_: (all_[1], all_[0], *all_[2:])), "no origin, or more than one: the order differs"),
        (_herkunft(lambda all_: (*all_, all_[-1])), "no origin, or more than one: /mitteilung/anlage/"),
        (_naming("/baugenehmigung.bescheid.0205/nichts"), "an origin names /baugenehmigung.bescheid.0205/nichts"),
        (_without_last_document, "the package does not hold the documents"),
        (_without_last_document, "attachment 2 is lost"),
    ],
)
def test_a_spoilt_output_is_found(spoil: Change, told: str) -> None:
    """What is not valid, not whole or not true is told with its place."""
    assert [one for one in _flaws(spoil) if one.startswith(told)]


def test_an_invalid_value_is_found() -> None:
    """A message that its own schema refuses."""
    assert [one for one in _flaws(_message(b"genehmigt", b"vielleicht")) if one.startswith("not valid: /mitteilung")]


def test_a_read_field_that_is_told_as_unread_is_found() -> None:
    """Nobody may count a field as read and unread."""

    def spoil(ausgabe: Ausgabe) -> Ausgabe:
        named = next(one.source for one in ausgabe.herkunft if one.kind == "input")
        return dataclasses.replace(ausgabe, unread=(*ausgabe.unread, named))

    assert [one for one in _flaws(spoil) if one.endswith("is an origin and told as unread")]


def test_what_differs_between_two_runs_is_found() -> None:
    """A counter in the package, a changing key: no retry would repeat it."""
    numbers = count()

    def package(ausgabe: Ausgabe) -> Ausgabe:
        content = MemoryContent(ausgabe.package.content.read() + b"x" * next(numbers))
        return dataclasses.replace(ausgabe, package=Dokument("x.zip", ausgabe.package.media_type, content))

    def keys(ausgabe: Ausgabe) -> Ausgabe:
        return dataclasses.replace(ausgabe, business_keys={"nummer": str(next(numbers))})

    assert "two runs give different packages" in _flaws(package)
    assert "two runs tell different origins, unread fields or keys" in _flaws(keys)


@pytest.mark.parametrize(
    ("refusals", "told"),
    [
        ([Rejected("mapping.input.refused")] * 2, "refused without a reason"),
        ([Rejected("mapping.input.refused", findings=(FINDING,)), None], "refused and accepted the same application"),
        ([None, Rejected("mapping.input.refused", findings=(FINDING,))], "refused and accepted the same application"),
        (
            [Rejected("mapping.input.refused", findings=(FINDING,) * n) for n in (1, 2)],
            "refused twice with different reasons",
        ),
        (
            [Rejected("mapping.input.refused", findings=(dataclasses.replace(FINDING, path=""),))] * 2,
            "refused by X without saying what and where",
        ),
    ],
)
def test_a_refusal_without_its_reasons_is_found(refusals: list[Rejected | None], told: str) -> None:
    """Senders learn what and where, and the same twice."""
    coming = iter(refusals)

    def spoil(ausgabe: Ausgabe) -> Ausgabe:
        refusal = next(coming)
        if refusal is not None:
            raise refusal
        return ausgabe

    assert told in _flaws(spoil)


def test_a_mapping_that_breaks_or_waits_is_no_refusal() -> None:
    """An application that its schema allows must not need a developer or an operator: the proof raises."""

    def waits(ausgabe: Ausgabe) -> Ausgabe:
        raise Misconfigured("mapping.setting.invalid")

    def breaks(ausgabe: Ausgabe) -> Ausgabe:
        raise ZeroDivisionError

    with pytest.raises(Misconfigured):
        _flaws(waits)
    with pytest.raises(ZeroDivisionError):
        _flaws(breaks)
