"""Hostile stylesheets as mappings: refused when they are loaded, or stopped at their limits, without hurting anybody."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from intermediary.core.ports import Kontext
from intermediary.core.values import Ausgabe
from intermediary.mapping.builder import BuildError
from intermediary.mapping.structure import Child, Complex, Shape, Simple
from intermediary.mapping.xslt.mapping import XsltMapping
from intermediary.mapping.xslt.stylesheet import StylesheetError, stylesheet
from intermediary.testing.golden import antrag_of
from intermediary.xml.cage.cage import MEGABYTE, CageLimits, has_saxon
from tests.evil.canary import Canary
from tests.evil.corpus import Attack, attacks, canary_defaults

HOSTILE = attacks("TX")
CONTROLS = attacks("TC")
FORM = b"<a><b>M\xc3\xbcller</b></a>"


@dataclass(frozen=True, slots=True)
class NoSettings:
    """The stylesheets of the corpus have none."""


@pytest.mark.skipif(not HOSTILE, reason="the shared corpus is not here")
@pytest.mark.parametrize("attack", HOSTILE, ids=str)
def test_a_hostile_stylesheet_makes_no_output(attack: Attack, canary: Canary) -> None:
    """It is refused by name and line, or it breaks off; the canary is not touched and this process stays small."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        outcome = _run(attack.data)
    except StylesheetError as refusal:
        outcome = refusal
    except BuildError as defect:
        outcome = defect
        assert "mapping.xslt" in defect.line

    assert not isinstance(outcome, Ausgabe)
    assert 0 == canary.knocks
    assert canary.word not in str(outcome)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 256


@pytest.mark.skipif(not CONTROLS, reason="the shared corpus is not here")
@pytest.mark.parametrize("attack", [one for one in CONTROLS if ".xsl" in one.entry.get("file", "")], ids=str)
def test_a_harmless_stylesheet_is_not_refused(attack: Attack) -> None:
    """The controls load and run to their end; what they make is not of our target, and that is all that is said."""
    with pytest.raises(BuildError) as caught:
        _run(attack.data)

    assert "stylesheet" not in caught.value.rule


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("<xsl:value-of select=\"document('x')\"/>", "document()"),
        ('<xsl:value-of select="generate-id()"/>', "generate-id()"),
        ("<xsl:value-of select=\"system-property('xsl:vendor')\"/>", "system-property()"),
        ('<xsl:value-of select="d:date-time()" xmlns:d="urn:d"/>', "d:date-time()"),
        ('<o xmlns:d="http://exslt.org/dates-and-times"/>', "namespace http://exslt.org/dates-and-times"),
        ("<o a=\"{document('x')}\"/>", "document()"),
        ('<xsl:value-of select="concat(\'(\', document (1))"/>', "document()"),
        ('<xsl:apply-imports/>', "xsl:apply-imports"),
        ('<xsl:bogus/>', "xsl:bogus"),
        ('<xsl:processing-instruction name="x"/>', "xsl:processing-instruction"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_list_is_named_with_its_line(body: str, what: str) -> None:
    """The third line is told, whatever its mistake."""
    with pytest.raises(StylesheetError, match=r"mapping\.xslt:3: ") as caught:
        stylesheet(_sheet("1.0", body), file="mapping.xslt")

    assert f"mapping.xslt:3: {what} is not allowed" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("<xsl:value-of select=\"doc('x')\"/>", "doc()"),
        ("<xsl:value-of select=\"unparsed-text('x')\"/>", "unparsed-text()"),
        ('<xsl:value-of select="current-dateTime()"/>', "current-dateTime()"),
        ("<xsl:value-of select=\"environment-variable('PATH')\"/>", "environment-variable()"),
        ("<xsl:sequence select=\"'x' => doc()\"/>", "doc()"),
        ("<xsl:sequence select=\"for-each('x', doc#1)\"/>", "doc()"),
        ("<xsl:sequence select=\"Q{http://www.w3.org/2005/xpath-functions}doc('x')\"/>", "Q{…}"),
        ("<xsl:sequence select=\"(: ' :) doc('x') (: ' :)\"/>", "doc()"),
        ("<xsl:sequence select=\"(: (: :) ' :) doc('x') (: ' :)\"/>", "doc()"),
        ("<xsl:sequence select=\"'(:', doc('x'), ':)'\"/>", "doc()"),
        ("<xsl:sequence select=\"doc(: :)('x')\"/>", "doc()"),
        ("<o xsl:expand-text=\"yes\">{doc('x')}</o>", "doc()"),
        ('<xsl:value-of _select="1"/>', "attribute _select"),
        ('<o xsl:use-when="true()"/>', "attribute use-when"),
        ('<xsl:result-document href="x"/>', "xsl:result-document"),
        ("<xsl:evaluate xpath=\"'1'\"/>", "xsl:evaluate"),
        ("<xsl:source-document href='x'/>", "xsl:source-document"),
    ],
)
def test_in_xslt_3_too(body: str, what: str) -> None:
    """The newer language has more doors; all of them are shut, by name."""
    with pytest.raises(StylesheetError) as caught:
        stylesheet(_sheet("3.0", body), file="mapping.xslt")

    assert f"mapping.xslt:3: {what} is not allowed" in str(caught.value)


@pytest.mark.parametrize("top", ["import", "include"])
def test_no_other_stylesheet_is_drawn_in(top: str) -> None:
    """A mapping is one file, whose hash its Nachrichten pin."""
    text = _sheet("1.0", "<o/>").replace(b"<xsl:template", f'<xsl:{top} href="x.xsl"/><xsl:template'.encode())

    with pytest.raises(StylesheetError, match=f"xsl:{top} is not allowed"):
        stylesheet(text, file="mapping.xslt")


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    """Port and file that no stylesheet may touch."""
    with Canary(canary_defaults()) as watch:
        yield watch


def _run(text: bytes) -> Ausgabe:
    sheet = stylesheet(text, file="mapping.xslt")
    if sheet.sheet.kind == "xslt3" and not has_saxon():
        pytest.skip("saxonche is not installed")
    mapping = XsltMapping(
        name="hostile",
        version=1,
        input_root="a",
        standard="none 1",
        message="none",
        stylesheet=sheet,
        shape=SHAPE,
        settings_type=NoSettings,
        limits=CageLimits(cpu_seconds=3, wall_seconds=300, memory_bytes=512 * MEGABYTE, output_bytes=MEGABYTE),
    )
    kontext = Kontext("e0000000-0000-4000-8000-000000000001", "musterstadt", datetime(2026, 1, 1, tzinfo=UTC))
    return mapping.map(antrag_of(FORM), kontext)


def _sheet(version: str, body: str) -> bytes:
    return (
        f'<xsl:stylesheet version="{version}" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">\n'
        f'<xsl:template match="/">\n{body}</xsl:template></xsl:stylesheet>'
    ).encode()


SHAPE = Shape(
    standard="none 1",
    package="none@1",
    sha256="0",
    root=Child("nachricht", "", "Nachricht", 1, 1),
    namespaces={},
    complex_types={"Nachricht": Complex((Child("wert", "", "Wert", 1, 1),))},
    simple_types={"Wert": Simple("string")},
)
