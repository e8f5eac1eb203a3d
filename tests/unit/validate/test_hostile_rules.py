"""Rules that attack whoever runs them: a finding at the time of reading, or a run that ends at its ceilings."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from intermediary.core.faults import Misconfigured
from intermediary.validate.rules.program import compile_program
from intermediary.xml.cage.cage import MEGABYTE, Cage, Caged, CageLimits
from tests.unit.validate.rule_samples import SCH, hold, package_of, program_of, schematron

LAUGHS = (
    '<!DOCTYPE sch:schema [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    f"<sch:schema {SCH}><sch:title>&c;</sch:title></sch:schema>"
)


@pytest.fixture
def cage() -> Cage:
    """A cage with little time and memory, as hostile rules deserve."""
    return Cage(CageLimits(cpu_seconds=1, memory_bytes=400 * MEGABYTE, output_bytes=MEGABYTE))


def rule(context: str, test: str, inside: str = "") -> str:
    return f'<sch:pattern><sch:rule context="{context}">{inside}<sch:assert id="r" test="{test}"/></sch:rule></sch:pattern>'


FORBIDDEN = [
    pytest.param(LAUGHS, id="billion-laughs"),
    pytest.param(schematron(rule("b", "document('file:///etc/passwd')")), id="document"),
    pytest.param(schematron(rule("b", "document('file:///etc/passwd')"), binding="xslt"), id="document-1"),
    pytest.param(schematron(rule("b", "doc('http://127.0.0.1/')")), id="doc"),
    pytest.param(schematron(rule("b", "doc (: not a call? :) ('x')")), id="doc-behind-comment"),
    pytest.param(schematron(rule("b", "fn:doc('x')")), id="doc-with-prefix"),
    pytest.param(schematron(rule("b", "Q{http://www.w3.org/2005/xpath-functions}doc('x')")), id="doc-with-uri"),
    pytest.param(schematron(rule("b", "apply(doc#1, ['x'])")), id="doc-as-value"),
    pytest.param(schematron(rule("b[unparsed-text('x')]", "true()")), id="context"),
    pytest.param(schematron(rule("b", "$x", "<sch:let name='x' value=\"collection('x')\"/>")), id="let"),
    pytest.param(schematron(rule("b", "environment-variable('HOME')")), id="environment"),
    pytest.param(schematron(rule("b", "system-property('user.home')")), id="system-property"),
    pytest.param(schematron(rule("b", "transform(map{})")), id="transform"),
    pytest.param(schematron(rule("b", "function-lookup(xs:QName('fn:doc'), 1)")), id="function-lookup"),
    pytest.param(schematron('<sch:ns prefix="s" uri="http://saxon.sf.net/"/>'), id="saxon"),
    pytest.param(schematron('<sch:ns prefix="j" uri="java:java.lang.Runtime"/>'), id="java"),
    pytest.param(schematron('<sch:ns prefix="d" uri="http://exslt.org/dynamic"/>', binding="xslt"), id="exslt"),
    pytest.param(schematron('<sch:ns prefix="o" uri="urn:x-intermediary:rules"/>'), id="ours"),
    pytest.param(schematron('<xsl:import href="file:///etc/passwd"/>'), id="import"),
    pytest.param(schematron('<xsl:include href="x.xsl"/>'), id="include-xslt"),
    pytest.param(schematron('<xsl:template match="/" priority="99"><run/></xsl:template>'), id="template"),
    pytest.param(schematron('<xsl:output method="text"/>'), id="output"),
    pytest.param(schematron('<xsl:param name="p" select="1"/>'), id="param"),
    pytest.param(
        schematron('<xsl:function name="u:f" xmlns:u="u"><xsl:result-document href="/tmp/x"/></xsl:function>'),
        id="write",
    ),
    pytest.param(
        schematron('<xsl:function name="u:f" xmlns:u="u"><xsl:evaluate xpath="."/></xsl:function>'), id="evaluate"
    ),
    pytest.param(
        schematron('<xsl:function name="u:f" xmlns:u="u"><x y="{doc(\'x\')}"/></xsl:function>'), id="value-template"
    ),
    pytest.param(
        schematron('<xsl:function name="u:f" xmlns:u="u" expand-text="yes">{doc(\'x\')}</xsl:function>'),
        id="text-template",
    ),
    pytest.param(schematron(rule("b", "x", '<xsl:message terminate="yes"/>')), id="xslt-in-rule"),
    pytest.param(schematron("<sch:pattern documents=\"'x.xml'\"/>"), id="documents"),
    pytest.param(schematron('<sch:include href="file:///etc/passwd"/>'), id="include-file"),
    pytest.param(schematron('<sch:include href="/etc/passwd"/>'), id="include-absolute"),
    pytest.param(schematron('<sch:include href="../../../etc/passwd"/>'), id="include-above"),
    pytest.param(schematron('<sch:include href="http://127.0.0.1/x.sch"/>'), id="include-host"),
]


@pytest.mark.parametrize("text", FORBIDDEN)
def test_rules_may_not_ask_for_it(text: str) -> None:
    """Files, hosts, environment, programs and the way round them are refused before anything runs."""
    with pytest.raises(Misconfigured) as caught:
        program_of(text)

    assert caught.value.code == "validate.rules.forbidden"


def test_words_in_sentences_and_names_are_no_calls(cage: Cage) -> None:
    """What looks like a call inside a literal, an element's or a longer function's name is allowed."""
    inside = rule("b", "'doc(1)' != 'x' and not(doc) and not(my-doc) and not(*:collection)")

    assert hold(cage, program_of(schematron(inside))).findings == ()


BROKEN = {
    "extends-itself": '<sch:pattern><sch:rule abstract="true" id="x"><sch:extends rule="x"/></sch:rule>'
    '<sch:rule context="b"><sch:extends rule="x"/></sch:rule></sch:pattern>',
    "includes-itself": '<sch:include href="regeln.sch#p"/>'
    '<sch:pattern id="p"><sch:include href="regeln.sch#p"/></sch:pattern>',
    "laughing-rules": "<sch:pattern>"
    + "".join(
        f'<sch:rule abstract="true" id="x{n}">' + f'<sch:extends rule="x{n + 1}"/>' * 10 + "</sch:rule>"
        for n in range(9)
    )
    + '<sch:rule abstract="true" id="x9"><sch:assert test="x"/></sch:rule>'
    '<sch:rule context="b"><sch:extends rule="x0"/></sch:rule></sch:pattern>',
    "laughing-patterns": '<sch:pattern abstract="true" id="p"><sch:rule context="b"><sch:assert test="'
    + "$x " * 2000
    + '"/></sch:rule></sch:pattern><sch:pattern is-a="p"><sch:param name="x" value="'
    + "1 or " * 40_000
    + '1"/></sch:pattern>',
    "too-many-assertions": "<sch:pattern><sch:rule context='b'>"
    + '<sch:assert test="x"/>' * 20_001
    + "</sch:rule></sch:pattern>",
}


@pytest.mark.parametrize("name", BROKEN)
def test_rules_that_grow_without_end_are_refused(name: str) -> None:
    """Recursion and multiplication end at a ceiling, in little time and memory."""
    with pytest.raises(Misconfigured) as caught:
        program_of(schematron(BROKEN[name]))

    assert caught.value.code == "validate.rules.broken"


def test_a_tree_of_includes_is_refused() -> None:
    """Sixteen files that each include the next one ten times would be ten to the sixteenth."""
    files = {
        f"r{n}.sch": f"<sch:pattern {SCH}>" + f'<sch:include href="r{n + 1}.sch"/>' * 10 + "</sch:pattern>"
        for n in range(20)
    }
    files["r0.sch"] = schematron('<sch:include href="r1.sch"/>')
    with pytest.raises(Misconfigured) as caught:
        compile_program(package_of(files), "r0.sch")

    assert caught.value.code == "validate.rules.broken"


HEAVY = [
    pytest.param("xslt2", rule("b", "count(1 to 1000000000000[. mod 2 = 1]) gt 0"), id="count"),
    pytest.param(
        "xslt2", rule("b", "sum(for $i in 1 to 1000000, $j in 1 to 1000000 return $i mod ($j + 1)) = 0"), id="time"
    ),
    pytest.param(
        "xslt2",
        rule("b", "string-length(string-join(for $i in 1 to 900000000 return string($i), '')) = 1"),
        id="memory",
    ),
    pytest.param(
        "xslt2", rule("b", "matches(string-join(for $i in 1 to 40 return 'a', ''), '^(a+)+(a+)+(a+)+b$')"), id="regex"
    ),
    pytest.param(
        "xslt2",
        '<xsl:function name="u:f" xmlns:u="u"><xsl:param name="n"/>'
        '<xsl:sequence select="u:f($n) + u:f($n + 1)"/></xsl:function>'
        '<sch:ns prefix="u" uri="u"/>' + rule("b", "u:f(1) = 1"),
        id="recursion",
    ),
    pytest.param(
        "xslt",
        rule("b", "count(//*[count(//*[count(//*[count(//*[count(//*) &gt; 1]) &gt; 1]) &gt; 1]) &gt; 1]) = 1"),
        id="nested-1",
    ),
]


@pytest.mark.parametrize(("binding", "inside"), HEAVY)
def test_rules_without_end_are_stopped(cage: Cage, binding: str, inside: str) -> None:
    """No verdict at the ceilings, and the next document is judged."""
    document = "<a>" + "<b n='1'/>" * 400 + "</a>"
    program = program_of(schematron(inside, binding=binding))
    try:
        outcome = hold(cage, program, document)
    except Caged as caged:
        assert caged.reason in ("limit", "run")
    else:
        assert outcome is not None, "a processor may find a way to answer at once"

    assert hold(cage, program_of(schematron(rule("b", "@n")))).findings == ()


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("<b n='1'>" * 200 + "</b>" * 200, id="deep"),
        pytest.param("<b n='1' " + " ".join(f"a{number}='1'" for number in range(255)) + "/>", id="attributes"),
        pytest.param(f"<b n='1'><{'n' * 1024}/></b>", id="name"),
        pytest.param("<b n='1'>" + "&amp;" * 1_000_000 + "</b>", id="references"),
    ],
)
def test_what_passes_the_gate_is_judged(cage: Cage, document: str) -> None:
    """As deep and as wide as the gate lets documents be."""
    for binding in ("xslt", "xslt2"):
        assert hold(cage, program_of(schematron(rule("b", "@n"), binding=binding)), document).findings == ()


def test_nobody_knocks_at_a_server(cage: Cage, tmp_path: Path) -> None:
    """Should a call slip through the words, the child still has neither file nor host."""
    secret = tmp_path / "secret.xml"
    secret.write_text("<secret/>")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        for url in (f"http://127.0.0.1:{server.getsockname()[1]}/x", secret.as_uri()):
            program = program_of(schematron(rule("b", "doc-later('URL')")))
            slipped = type(program.sheet).of(
                "xslt3", program.sheet.text.replace(b"doc-later('URL')", f"doc('{url}')/x = 1".encode())
            )
            with pytest.raises(Caged):
                cage.run(b"<a><b/></a>", [slipped])

        with pytest.raises(BlockingIOError):
            server.accept()
