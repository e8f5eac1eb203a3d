"""`mapping report`: the page a Fachamt reads, and that a change of form or mapping changes it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from intermediary.operations.mapping_places import Place, places
from intermediary.testing.workbench.bench import bench
from intermediary.testing.workbench.report.facts import facts_of
from intermediary.testing.workbench.report.page import page
from intermediary.testing.workbench.report.rules import explained
from tests.unit.testing.workbench.conftest import Copy

FIELD = '        <xs:element name="chipnummer" type="xs:string" minOccurs="0"/>\n'


def test_the_page_says_where_every_field_goes(copy: Copy) -> None:
    """Each field with its target and rule, each leaf of the target with its origin, settings, refusals, hashes."""
    html = _report(copy)
    text = _text(html)

    assert "rasse (freiwillig) übertragen hund › rasse wie gesendet" in text
    assert "vorname (Pflicht, mehrfach) übertragen halter › vornamen Regel VORNAMEN-VERBUNDEN" in text
    assert "kassenzeichen Pflicht Regel KASSENZEICHEN: Einstellung „kassenzeichenkreis“" in text
    assert "ANLAGE-NICHT-VORGESEHEN Die Anmeldung sieht keine Anlagen vor" in text
    assert "100 % der Zielangaben haben eine Herkunft" in text
    assert places([str(copy.root)])[0].sha256 in html.replace("<wbr>", "")


def test_the_page_stands_alone_and_repeats(copy: Copy) -> None:
    """One file without scripts or references; the same mapping gives the same bytes."""
    first, second = _report(copy), _report(copy)

    assert first == second
    assert None is re.search(r"<script|<link|<img|https?:|url\(|@import", first)
    assert '<html lang="de">' in first
    assert first.count("<h1>") == 1
    assert set(re.findall(r'href="#([a-z]+)"', first)) <= set(re.findall(r' id="([a-z]+)"', first))


def test_a_new_field_of_the_form_changes_the_page(copy: Copy) -> None:
    """A field somebody adds is first in no case, then sent in vain, then carried: the page says which."""
    before = _report(copy)
    schema = (copy.folder / "schema/hundesteuer.xsd").read_text(encoding="utf-8")
    place = re.search(r'( *)<xs:element name="rasse"[^>]*/>\n', schema)
    assert place
    copy.change("schema/hundesteuer.xsd", place[0], place[0] + FIELD)
    added = _report(copy)
    assert before != added
    assert "chipnummer" not in before
    assert "chipnummer (freiwillig) in keinem Testfall – –" in _text(added)

    old = re.search(
        r"<rasse>[^<]*</rasse>", (copy.folder / "golden/01-anmeldung/input.xml").read_text(encoding="utf-8")
    )
    assert old
    copy.change("golden/01-anmeldung/input.xml", old[0], f"{old[0]}<chipnummer>276</chipnummer>")
    copy.call("test", "--update")
    assert "chipnummer (freiwillig) liest niemand – –" in _text(_report(copy))

    copy.change("mapping.py", 'angaben.optional("rasse")', 'angaben.optional("chipnummer")')
    copy.call("test", "--update")
    text = _text(_report(copy))
    assert "chipnummer (freiwillig) übertragen hund › rasse wie gesendet" in text
    assert "rasse (freiwillig) liest niemand – –" in text


def test_what_is_not_as_reviewed_is_said_first(copy: Copy) -> None:
    """A report of a mapping whose cases differ warns, and the command ends with findings."""
    copy.change("mapping.py", '" ".join(name.value', '"-".join(name.value')
    done = copy.call("report", "-o", copy.root / "bericht.html")

    assert 1 == done.exit_code
    assert "Achtung: 1 von 3 Testfällen" in _text((copy.root / "bericht.html").read_text(encoding="utf-8"))


def test_nothing_is_left_unescaped(copy: Copy) -> None:
    """Names, reasons and values are text, whatever they contain."""
    case = copy.folder / "golden/01-anmeldung/case.toml"
    reason = '<script>alert("x")</script> & mehr'
    case.write_text(re.sub("(?m)^why = .*$", f"why = '{reason}'", case.read_text(encoding="utf-8")), encoding="utf-8")
    html = _report(copy)

    assert "<script" not in html
    assert reason in _text(html)


@pytest.mark.parametrize("place", places(()), ids=lambda place: place.name)
def test_our_reports_leave_no_question(place: Place) -> None:
    """Every leaf has an origin, everything the target demands is filled, every rule is explained in German."""
    facts = facts_of(bench(place, None))
    found = facts.bench.coverage

    assert 0 == facts.bench.failed
    assert ((), ()) == (found.without, found.not_filled)
    assert found.leaves >= 100
    assert [] == [rule for rule in facts.used_rules if rule not in facts.rules]
    assert page(facts, None, is_official=False) == page(facts, None, is_official=False)


def test_rules_are_explained_by_the_readme() -> None:
    """A row of a table that begins with the rule, or the rule and a colon; anything else is no explanation."""
    table = "| Regel | Inhalt |\n|---|---|\n| `A-B` | zuerst das eine | § 1 |"
    readme = f"{table}\n\nText (`C-D`: wie gesagt; sonst) und (`E-F`)."

    assert {"A-B": "zuerst das eine – § 1", "C-D": "wie gesagt"} == explained(readme, ["A-B", "C-D", "E-F", "G-H"])


def _report(copy: Copy) -> str:
    output = copy.root / "bericht.html"
    copy.call("report", "-o", output)
    return Path(output).read_text(encoding="utf-8")


def _text(html: str) -> str:
    from html import unescape

    body = re.sub(r"<style>.*?</style>", "", html.replace("<wbr>", ""), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<(?!script)[^>]*>", " ", body)).split()).replace(" ›", " ›").replace("( ", "(")
