"""The mapping baubescheid: generated decisions, hostile HTML, files, and a page that is accessible by construction."""

from __future__ import annotations

import random
import re
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from lxml import etree, html

from intermediary.cli.mapping import shape_text
from intermediary.core.ports import Kontext
from intermediary.core.values import Ausgabe, MemoryContent, Part
from intermediary.testing.golden import antrag_of, cases_in
from intermediary.testing.proof import prove
from intermediary.validate.catalogue import Catalogue
from intermediary.xml.parser import parse
from mappings.baubescheid.mapping import HERE, MAPPING
from mappings.baubescheid.texte import aus_html

SEED = 20261122
INPUTS = 200
PLAN = Part("Grundriss.pdf", "application/pdf", "attachment", MemoryContent(b"%PDF"))
XBAU = "{http://www.xleitstelle.de/xbau/schema/2/1/}"
WORDS = ("Auflage", "§ 35 BauGB", "Đorđević & Söhne", " ", "]]> <b>&amp;</b>", "{{7*7}}", "x" * 900, "Zeile\nZeile")
PAGES = (
    b"<p>Eins</p><p>Zwei</p>",
    b"",
    b"nur Text & mehr",
    b"<ul><li>a<li>b</ul><script>alert(1)</script>",
    b"\xff\xfe",
    b"<img src=x onerror=alert(1)>",
    "<p>Größe &euro; 5 < 6</p>".encode(),
    b"<!-- <p>weg</p> -->",
)


def test_golden_inputs_are_officially_valid(shared: Path, official: Catalogue) -> None:
    """What the cases show is what an authority may send; that a file is no Base64 the check tells before the mapping."""
    no_base64 = {"07-alle-befunde": ["/baugenehmigung.bescheid.0205/anlagen/anlage[3]/primaerdokument"]}
    for case in cases_in(HERE / "golden"):
        verdict = official.validate(case.antrag.tree)

        assert no_base64.get(case.name, []) == [one.path for one in verdict.findings], case.name
        assert verdict.ran


def test_generated_decisions_give_valid_notices_or_documented_refusals(shared: Path, official: Catalogue) -> None:
    """Every input is officially valid; every notice is valid, has all origins, repeats, and its page has all its text."""
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    draw = random.Random(SEED)
    seen: Counter[str] = Counter()
    payloads = [_decision(draw) for _ in range(INPUTS)]
    for number, payload in enumerate(payloads):
        assert official.validate(parse(payload)).is_valid
        proof = prove(MAPPING, antrag_of(payload, (PLAN,)), _kontext(number), official)
        outcome = proof.outcome
        seen[type(outcome).__name__] += 1

        assert () == proof.flaws
        assert [] == [rule for rule in proof.rules if f"`{rule}`" not in readme]
        if isinstance(outcome, Ausgabe):
            assert payload == outcome.dokumente[1].content.read()
            _demand_page(outcome)

    assert INPUTS == len(set(payloads)) == sum(seen.values())
    assert min(seen["Ausgabe"], seen["Rejected"]) >= 40


@pytest.mark.parametrize(
    ("page", "read"),
    [
        ("<p>a</p><p>b<br>c</p>", ["a", "b", "c"]),
        ("<SCRIPT>x</SCRIPT>a<style>y</style>", ["a"]),
        ("<script>offen", []),
        ("a<!-- b --><!-- c", ["a"]),
        ("&lt;script&gt;x&lt;/script&gt;", ["<script>x</script>"]),
        ("5 < 6 &amp; 7 > 3", ["5 < 6 & 7 > 3"]),
        ("<ul><li>a</li><li> </li></ul>", ["– a"]),
        ("<a href='javascript:x'>Text</a>", ["Text"]),
        ("&#0;&#x1F;a", ["\ufffda"]),
        ("<" * 5000, ["<" * 5000]),
    ],
)
def test_html_of_others_becomes_words(page: str, read: list[str]) -> None:
    """Paragraphs and points stay, everything that acts or decorates goes."""
    assert read == aus_html(page)


def test_a_large_text_is_read_in_time_that_grows_with_it() -> None:
    """Ten times the tags take about ten times the steps: no pattern goes back over what it has read."""
    many = "<p><b>a</b><script>" + "x<" * 20_000 + "</script>" + "<td" * 20_000

    assert ["a"] == aus_html(many)


def test_files_inside_and_beside_the_message_are_in_the_package() -> None:
    """Every entry names its file; the bytes are those the authority sent."""
    case = next(one for one in cases_in(HERE / "golden") if one.name.startswith("02"))
    ausgabe = MAPPING.map(case.antrag, case.kontext)
    named = [one.text for one in parse(ausgabe.nachricht).iter("{*}datei")]
    files = {one.file_name: one.content.read() for one in ausgabe.dokumente}

    assert 3 == len(named)
    assert set(named) <= set(files)
    assert b"ISO-10303-21;" in files.values()
    assert "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" == ausgabe.vorgang


def test_shape_is_regenerated(schemas_folder: Path, shared: Path) -> None:
    """shape.toml is a function of our own schema and the golden messages."""
    assert (HERE / "shape.toml").read_text(encoding="utf-8") == shape_text(MAPPING.standard, HERE, schemas_folder)


def test_the_readme_lists_the_rules_that_refuse() -> None:
    """The rules that refuse, as the code has them, are those the README's table of refusals lists."""
    code = (HERE / "regeln.py").read_text(encoding="utf-8")
    readme = (HERE / "README.md").read_text(encoding="utf-8").partition("## Ablehnungen")[2]

    assert set(re.findall(r'rule="([A-Z-]+)"', code)) == set(re.findall(r"^\| `([A-Z-]+)`", readme, re.MULTILINE))


def _demand_page(ausgabe: Ausgabe) -> None:
    """Language, one title, headings in order, no element that acts or fetches, and every paragraph of the notice."""
    page = html.document_fromstring(ausgabe.dokumente[0].content.read())
    shown = page.text_content()
    known = {"html", "head", "meta", "title", "style", "body", "header", "main", "footer", "section"}
    known |= {"h1", "h2", "p", "dl", "dt", "dd", "ul", "li", "bdi"}

    assert "de" == page.get("lang")
    assert {str(one.tag) for one in page.iter(etree.Element)} <= known
    assert ["h1"] == [str(one.tag) for one in page.iter("h1")]
    for one in parse(ausgabe.nachricht).iter("{*}absatz", "{*}titel"):
        assert str(one.text).replace("\r\n", "\n") in shown


def _decision(draw: random.Random) -> bytes:
    """A decision as the schema allows it, with as many of its parts as the dice say."""
    tree = parse((HERE / "golden/02-genehmigt-alle-angaben/input.xml").read_bytes())
    tree.find(f".//{XBAU}istGenehmigung").text = draw.choice(("true", "1", "false"))
    tree.find(
        ".//{*}erstellungszeitpunkt"
    ).text = f"20{draw.randint(10, 60)}-02-2{draw.randint(0, 8)}T00:30:00.{draw.randint(0, 999):03}Z"
    bescheid = tree.find(f"{XBAU}bescheid")
    tree.find(".//behoerdenname").text = draw.choice(("Amt & Co", "Đ", "Stadt <Musterstadt>"))
    for text in tree.iter(f"{XBAU}text"):
        text.text = b64encode(draw.choice(PAGES[:4] if draw.random() < 0.8 else PAGES)).decode()
    for text in tree.iter(f"{XBAU}textabsatz"):
        text.text = draw.choice(WORDS)
    for name in ("abweichung", "nebenbestimmung", "hinweise"):
        for one in bescheid.findall(f"{XBAU}{name}"):
            if draw.random() < 0.5:
                bescheid.remove(one)
    if draw.random() < 0.7:
        page = b64encode(draw.choice(PAGES)).decode()
        reasons = f'<b:begruendung xmlns:b="{XBAU[1:-1]}"><b:text>{page}</b:text></b:begruendung>'
        bescheid.find(f"{XBAU}rechtshelfsbelehrung").addprevious(parse(reasons.encode()))
    anlagen = tree.find(f"{XBAU}anlagen")
    for one in list(anlagen)[1:]:
        if draw.random() < 0.3:
            anlagen.remove(one)
    for name in anlagen.iter(f"{XBAU}dateinameAnhang"):
        name.text = draw.choice(("Grundriss.pdf", "Grundriss.pdf", "Grundriss.pdf", "fehlt.pdf"))
    tree.find(f".//{XBAU}vorgang").text = escape(f"BA-{draw.randint(0, 10**9)}")
    return etree.tostring(tree, xml_declaration=True, encoding="UTF-8")


def _kontext(number: int) -> Kontext:
    return Kontext(
        key=f"d{number:07x}-0000-4000-8000-000000000000",
        mandant="musterstadt",
        received_at=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number),
    )
