"""Stylesheets as mappings: what is not in the list of the allowed is refused when they are loaded, by name and line."""

from __future__ import annotations

import pytest

from intermediary.mapping.xslt.stylesheet import StylesheetError, stylesheet


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


def _sheet(version: str, body: str) -> bytes:
    return (
        f'<xsl:stylesheet version="{version}" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">\n'
        f'<xsl:template match="/">\n{body}</xsl:template></xsl:stylesheet>'
    ).encode()
