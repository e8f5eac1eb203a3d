"""Reading forms: three versions of XDatenfelder, lists inside and outside, and files that are none."""

from __future__ import annotations

import pytest

from intermediary.mapping.form import FormField
from intermediary.mapping.xdatenfelder import FormError, read_form
from intermediary.testing.forms import genericode
from intermediary.xml.parser import Element, parse

THREE = """<x:s xmlns:x="urn:xoev-de:fim:standard:xdatenfelder_3.0.0"><x:stammdatenschema>
<x:identifikation><x:id>S99000000001</x:id><x:version>1.0.0</x:version></x:identifikation>
<x:name>intern</x:name><x:bezeichnung>Ein Formular</x:bezeichnung>{struktur}</x:stammdatenschema></x:s>"""
FIELD = """<x:struktur><x:anzahl>{anzahl}</x:anzahl><x:enthaelt><x:datenfeld>
<x:identifikation><x:id>F99000000001</x:id><x:version>1.2.0</x:version></x:identifikation><x:name>intern</x:name>
<x:bezeichnungEingabe>Ihre Rasse</x:bezeichnungEingabe>{mehr}</x:datenfeld></x:enthaelt></x:struktur>"""
REFERENCE = """<x:codelisteReferenz><x:canonicalIdentification>urn:x:rasse</x:canonicalIdentification>
<x:version>3</x:version><x:canonicalVersionUri>urn:x:rasse_3</x:canonicalVersionUri></x:codelisteReferenz>"""


def _form(mehr: str = "", anzahl: str = "1:1") -> Element:
    return parse(THREE.format(struktur=FIELD.format(anzahl=anzahl, mehr=mehr)).encode())


def _field(tree: Element, *lists: bytes) -> FormField:
    (member,) = read_form(tree, [parse(one) for one in lists]).root.members
    assert isinstance(member, FormField)
    return member


def test_names_are_those_for_people() -> None:
    """The title is the Bezeichnung, a field has the name for output, else for input, never the internal one."""
    form = read_form(_form("<x:bezeichnungAusgabe>Rasse</x:bezeichnungAusgabe>"))

    assert "Ein Formular" == form.title
    assert "S99000000001V1.0.0" == form.name
    assert ["Rasse"] == [one.label for one in form.members()]
    assert "Ihre Rasse" == _field(_form("<x:bezeichnungAusgabe>-</x:bezeichnungAusgabe>")).label


@pytest.mark.parametrize(
    ("anzahl", "expected"),
    [("1:1", (1, 1)), ("0:*", (0, None)), ("2:5", (2, 5)), ("", (0, None)), ("viele", (0, None))],
)
def test_repetition(anzahl: str, expected: tuple[int, int | None]) -> None:
    """The cardinality of a struktur; what cannot be read limits nothing."""
    field = _field(_form(anzahl=anzahl))

    assert expected == (field.least, field.most)


@pytest.mark.parametrize("qualified", [False, True])
def test_meanings_come_from_the_list_that_is_named(qualified: bool) -> None:
    """By canonical URI and version, in standard genericode and as FIM editors export it; other lists are not looked at."""
    rasse = genericode("urn:x:rasse", "3", {"01": "Dackel"}, qualified=qualified)
    other = genericode("urn:x:rasse", "2", {"01": "Pudel"})

    assert {"01": "Dackel"} == dict(_field(_form(REFERENCE), other, rasse).values)


def test_a_list_that_is_not_at_hand_is_named() -> None:
    """The form says which lists are missing, so that somebody can fetch them."""
    form = read_form(_form(REFERENCE))

    assert ("urn:x:rasse_3",) == form.missing


def test_columns_that_the_field_names_count() -> None:
    """codeKey and nameKey of a field choose the columns of a list with many."""
    rows = "".join(
        f"<Row>{''.join(f'<Value ColumnRef={c!r}><SimpleValue>{v}</SimpleValue></Value>' for c, v in row)}</Row>"
        for row in ([("iso", "DE"), ("nr", "000"), ("lang", "Deutschland")],)
    )
    codelist = f"""<CodeList><Identification><Version>1</Version><CanonicalUri>urn:x:rasse</CanonicalUri>
    <CanonicalVersionUri>urn:x:rasse_3</CanonicalVersionUri></Identification><ColumnSet><Column Id="iso"/><Column Id="nr"/>
    <Column Id="lang"/><Key Id="k"><ColumnRef Ref="iso"/></Key></ColumnSet>
    <SimpleCodeList>{rows}</SimpleCodeList></CodeList>"""
    keys = "<x:codeKey>nr</x:codeKey><x:nameKey>lang</x:nameKey>"

    assert {"000": "Deutschland"} == dict(_field(_form(REFERENCE + keys), codelist.encode()).values)
    assert {"DE"} == set(_field(_form(REFERENCE), codelist.encode()).values)


def test_values_that_stand_in_the_form() -> None:
    """Inline values of 3.0.0; a value without a name is its own meaning."""
    werte = (
        "<x:werte><x:wert><x:code>1</x:code><x:name>eins</x:name></x:wert><x:wert><x:code>2</x:code></x:wert></x:werte>"
    )

    assert {"1": "eins", "2": "2"} == dict(_field(_form(werte)).values)


@pytest.mark.parametrize(
    ("praezisierung", "expected"),
    [
        ('<x:praezisierung maxLength="8"/>', {"maxLength": "8"}),
        ('<x:praezisierung>{"maxLength":8}</x:praezisierung>', {"maxLength": "8"}),
        ("<x:praezisierung>nur Ziffern</x:praezisierung>", {}),
        (f"<x:praezisierung>{'[' * 50_000}</x:praezisierung>", {}),
    ],
)
def test_limits_of_both_versions(praezisierung: str, expected: dict[str, str]) -> None:
    """Attributes in 3.0.0, JSON in 2.0; a remark for people, or what only looks like JSON, is no limit."""
    assert expected == dict(_field(_form(praezisierung)).limits)


@pytest.mark.parametrize("document", [b"<a/>", THREE.format(struktur="").replace("stammdatenschema", "b").encode()])
def test_another_document_is_refused(document: bytes) -> None:
    """What holds no Datenschema is an error that says so, never an empty form."""
    with pytest.raises(FormError, match="stammdatenschema"):
        read_form(parse(document))


def test_an_element_without_id_is_refused() -> None:
    """A field that could never be found is told when the configuration is read."""
    document = THREE.format(struktur=FIELD.format(anzahl="1:1", mehr="")).replace("<x:id>F99000000001</x:id>", "")
    with pytest.raises(FormError, match="datenfeld ohne id"):
        read_form(parse(document.encode()))


def test_another_list_is_refused() -> None:
    """A file among the lists that is no genericode is told."""
    with pytest.raises(FormError, match="genericode"):
        read_form(_form(REFERENCE), [parse(b"<a/>")])
