"""Mappings in XSLT: marks keep lines, every leaf has an origin, defects name their line, both versions of the language."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from intermediary.core.faults import Misconfigured, Rejected
from intermediary.core.ports import Kontext
from intermediary.core.values import Ausgabe, MemoryContent, Part
from intermediary.mapping.builder import BuildError
from intermediary.mapping.structure import Attribute, Child, Complex, Shape, Simple
from intermediary.mapping.xslt.mapping import XsltMapping
from intermediary.mapping.xslt.stylesheet import StylesheetError, stylesheet
from intermediary.testing.golden import antrag_of, without_origin
from intermediary.xml.cage import cage as cage_module
from intermediary.xml.cage.cage import has_saxon
from intermediary.xml.parser import parse

FORM = '<f xmlns="urn:f"><name>Müller</name><p><ort>Ulm</ort></p><p><ort>Trier</ort></p><n>3</n></f>'.encode()
HEAD = (
    '<xsl:stylesheet version="{version}" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:f="urn:f"\n'
    '    xmlns:k="urn:intermediary:kontext:1" xmlns:o="urn:o">\n'
)
BODY = """  <!-- a comment
       of two lines -->
  <xsl:template match="/">
    <o:nachricht art="x">
      <o:name
        ><xsl:value-of select="/k:eingang/k:formular/f:f/f:name"/></o:name>
      <xsl:for-each select="//f:p">
        <o:ort><xsl:value-of select="f:ort"/></o:ort>
      </xsl:for-each>
      <xsl:element name="o:zahl"><xsl:value-of select="//f:n"/></xsl:element>
      <o:fest>ja</o:fest>
      <o:id><xsl:value-of select="//k:id[@pfad='/Ding']"/></o:id>
      <o:von><xsl:value-of select="//k:einstellung[@name='von']"/></o:von>
    </o:nachricht>
  </xsl:template>
</xsl:stylesheet>
"""
VERSIONS = pytest.mark.parametrize(
    "version",
    ["1.0", pytest.param("3.0", marks=pytest.mark.skipif(not has_saxon(), reason="saxonche is not installed"))],
)


@dataclass(frozen=True, slots=True)
class Einstellungen:
    """One setting."""

    von: str = field(default="Amt & Co", metadata={"help": "wer schreibt"})


@VERSIONS
def test_every_leaf_names_line_template_and_input(version: str) -> None:
    """Lines are those of the file as people edit it, comments and tags of several lines included."""
    ausgabe = _map(HEAD.format(version=version) + BODY)

    assert [
        "/nachricht/name <- rule mapping.xslt:8 /",
        "/nachricht/ort[1] <- rule mapping.xslt:10 /(/f/p[1]/ort)",
        "/nachricht/ort[2] <- rule mapping.xslt:10 /(/f/p[2]/ort)",
        "/nachricht/zahl <- rule mapping.xslt:12 /",
        "/nachricht/fest <- constant mapping.xslt:13",
        "/nachricht/id <- rule mapping.xslt:14 /",
        "/nachricht/von <- rule mapping.xslt:15 /",
    ] == [f"{one.target} <- {one.kind} {one.source}".rstrip() for one in ausgabe.herkunft]
    assert [] == without_origin(ausgabe)
    assert () == ausgabe.unread


@VERSIONS
def test_two_runs_give_equal_bytes_without_marks(version: str) -> None:
    """The message is written by the builder; nothing of the marks is left in it."""
    first, second = (_map(HEAD.format(version=version) + BODY) for _ in range(2))

    assert first.package.content.read() == second.package.content.read()
    assert b"herkunft" not in first.nachricht
    assert "Müller" == parse(first.nachricht).findtext("{urn:o}name")
    assert "Amt & Co" == parse(first.nachricht).findtext("{urn:o}von")


@VERSIONS
@pytest.mark.parametrize(
    ("old", "new", "path", "rule", "line"),
    [
        ("<o:fest>ja</o:fest>", "<o:fest>nein</o:fest>", "/nachricht/fest", "enumeration", 13),
        ("<o:fest>ja</o:fest>", "<o:fst>ja</o:fst>", "/nachricht/fst", "not in the shape", 13),
        ("<o:fest>ja</o:fest>", "<fest>ja</fest>", "/nachricht/fest", "is not {urn:o}fest", 13),
        ("<o:fest>ja</o:fest>", "", "/nachricht/fest", "at least 1, has 0", 6),
        ("<o:fest>ja</o:fest>", "<o:fest>ja</o:fest>text", "/nachricht", "text between elements", 6),
        ('select="//f:n"', "select=\"'drei'\"", "/nachricht/zahl", "type integer", 12),
        ('art="x"', 'at="x"', "/nachricht/@at", "not in the shape", 6),
        ('art="x"', "", "/nachricht/@art", "required", 6),
    ],
)
def test_a_defect_names_place_rule_and_line(version: str, old: str, new: str, path: str, rule: str, line: int) -> None:
    """What the target does not allow is told as for a mapping in Python, with the line of the stylesheet."""
    with pytest.raises(BuildError) as caught:
        _map(HEAD.format(version=version) + BODY.replace(old, new))

    assert path == caught.value.path
    assert caught.value.rule.startswith(rule)
    assert f"mapping.xslt:{line}" == caught.value.line


@VERSIONS
def test_what_does_not_compile_names_its_line(version: str) -> None:
    """The processor's complaint is about a line that people see in their editor."""
    with pytest.raises(BuildError, match=r"does not compile \(mapping.xslt:10\)"):
        _map(HEAD.format(version=version) + BODY.replace('select="f:ort"', 'select="f:ort["'))


def test_what_breaks_off_names_its_line() -> None:
    """A variable that nobody declared is found while the stylesheet runs."""
    with pytest.raises(BuildError, match=r"breaks off \(mapping.xslt:10\)"):
        _map(HEAD.format(version="1.0") + BODY.replace('select="f:ort"', 'select="$ort"'))


@VERSIONS
def test_befunde_refuse_the_application(version: str) -> None:
    """The sender learns rule, place and hint."""
    befund = '<b:befund regel="LEER" pfad="/f/name" hinweis="Fehlt."/>'
    befund = f'<b:befunde xmlns:b="urn:intermediary:befunde:1">{befund}</b:befunde>'
    with pytest.raises(Rejected) as caught:
        _map(HEAD.format(version=version) + f'<xsl:template match="/">{befund}</xsl:template></xsl:stylesheet>')

    assert [("mapping.input.refused", "/f/name", "LEER", "Fehlt.")] == [
        (one.code, one.path, one.rule, one.hint) for one in caught.value.findings
    ]


def test_a_refusal_without_a_reason_is_a_defect() -> None:
    """Nobody is turned away without being told why."""
    empty = '<xsl:template match="/"><b:befunde xmlns:b="urn:intermediary:befunde:1"/></xsl:template></xsl:stylesheet>'
    with pytest.raises(BuildError, match="a refusal has reasons"):
        _map(HEAD.format(version="1.0") + empty)


def test_attachments_are_delivered_and_described() -> None:
    """A stylesheet sees name, type, size and the file in the package; the bytes pass by it."""
    shown = "concat(//k:anlage/@name, ' ', //k:anlage/@laenge, ' ', //k:anlage/@medientyp)"
    body = BODY.replace("//k:einstellung[@name='von']", shown)
    part = Part("ordner/Foto <1>.jpg", "image/jpeg", "attachment", MemoryContent(b"\xff\xd8"))
    ausgabe = _map(HEAD.format(version="1.0") + body, part)

    assert "Foto <1>.jpg 2 image/jpeg" == parse(ausgabe.nachricht).findtext("{urn:o}von")
    assert [FORM, b"\xff\xd8"] == [one.content.read() for one in ausgabe.dokumente]


def test_a_field_that_no_expression_names_is_unread() -> None:
    """The report can tell what was left aside."""
    ausgabe = _map(HEAD.format(version="1.0") + BODY.replace('select="//f:n"', 'select="3"'))

    assert ("/f/n",) == ausgabe.unread


def test_an_element_made_in_a_function_has_its_line() -> None:
    """Where there is no context, the origin is line and function."""
    if not has_saxon():
        pytest.skip("saxonche is not installed")
    body = BODY.replace("<o:fest>ja</o:fest>", '<xsl:sequence select="o:fest()"/>').replace(
        "</xsl:stylesheet>", '<xsl:function name="o:fest"><o:fest>ja</o:fest></xsl:function>\n</xsl:stylesheet>'
    )

    assert "mapping.xslt:18" == next(
        one.source for one in _map(HEAD.format(version="3.0") + body).herkunft if one.target == "/nachricht/fest"
    )


def test_without_the_processor_the_operator_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """XSLT 3 needs an extra; the Nachricht waits until it is installed."""
    monkeypatch.setattr(cage_module, "has_saxon", lambda: False)

    with pytest.raises(Misconfigured) as caught:
        _map(HEAD.format(version="3.0") + BODY)

    assert "mapping.processor.missing" == caught.value.code


@pytest.mark.parametrize("text", [b"<x/>", b"<xsl:stylesheet", BODY.encode(), b"<!DOCTYPE x []><x/>"])
def test_what_is_no_stylesheet_does_not_load(text: bytes) -> None:
    """The plug-in is refused when it is loaded, not when the first application arrives."""
    with pytest.raises(StylesheetError, match=r"mapping\.xslt"):
        stylesheet(text, file="mapping.xslt")


def _map(text: str, *parts: Part) -> Ausgabe:
    mapping = XsltMapping(
        name="probe",
        version=1,
        input_root="{urn:f}f",
        standard="probe 1",
        message="probe",
        stylesheet=stylesheet(text.encode(), file="mapping.xslt"),
        shape=SHAPE,
        settings_type=Einstellungen,
        ids=("/Ding",),
    )
    kontext = Kontext("e0000000-0000-4000-8000-000000000001", "musterstadt", datetime(2026, 1, 1, tzinfo=UTC))
    return mapping.map(antrag_of(FORM, parts), kontext)


SHAPE = Shape(
    standard="probe 1",
    package="probe@1",
    sha256="0",
    root=Child("nachricht", "o", "Nachricht", 1, 1),
    namespaces={"o": "urn:o"},
    complex_types={
        "Nachricht": Complex(
            (
                Child("name", "o", "Text", 1, 1),
                Child("ort", "o", "Text", 0, None),
                Child("zahl", "o", "Zahl", 1, 1),
                Child("fest", "o", "Ja", 1, 1),
                Child("id", "o", "Text", 1, 1),
                Child("von", "o", "Text", 1, 1),
            ),
            (Attribute("art", required=True),),
        )
    },
    simple_types={"Text": Simple("string"), "Zahl": Simple("integer"), "Ja": Simple("string", enumeration=("ja",))},
)
