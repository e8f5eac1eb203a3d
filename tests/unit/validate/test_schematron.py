"""The compiler of ISO Schematron: what its parts mean, in XSLT 1 and in XSLT 3 alike."""

from __future__ import annotations

import pytest
from lxml import etree, isoschematron

from intermediary.core.faults import Misconfigured
from intermediary.validate.rules.program import compile_program, read_outcome
from intermediary.validate.rules.reading import read_schematron
from intermediary.xml.cage.cage import Cage, Caged
from intermediary.xml.parser import parse
from tests.unit.validate.rule_samples import DOCUMENT, hold, package_of, program_of, schematron

ABSTRACT = (
    '<sch:pattern abstract="true" id="need"><sch:rule context="$where">'
    '<sch:assert test="$what" id="$name">$where needs $what</sch:assert></sch:rule></sch:pattern>'
)
COUNTED = (
    '<sch:pattern><sch:let name="m" value="count({path})"/><sch:rule context="a">'
    '<sch:assert id="{id}" test="$m = {count}"/></sch:rule></sch:pattern>'
)
PHASES = (
    '<sch:phase id="one"><sch:active pattern="p1"/></sch:phase>'
    '<sch:pattern id="p1"><sch:rule context="a"><sch:assert id="1" test="false()"/></sch:rule></sch:pattern>'
    '<sch:pattern id="p2"><sch:rule context="a"><sch:assert id="2" test="false()"/></sch:rule></sch:pattern>'
)


@pytest.fixture(scope="module")
def cage() -> Cage:
    """One child for all tests of this module."""
    return Cage()


def rule(context: str, assertion: str) -> str:
    return f'<sch:pattern><sch:rule context="{context}">{assertion}</sch:rule></sch:pattern>'


@pytest.mark.parametrize("binding", ["xslt", "xslt2", "xslt3"])
@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        pytest.param(rule("b", '<sch:assert id="r" test="@n = 1"/>'), [("r", "/a/b[2]")], id="assert"),
        pytest.param(rule("b", '<sch:report id="r" test="@n = 1"/>'), [("r", "/a/b[1]")], id="report"),
        pytest.param(rule("/", '<sch:assert id="r" test="x"/>'), [("r", "/")], id="document"),
        pytest.param(rule("/a", '<sch:assert id="r" test="x"/>'), [("r", "/a")], id="root"),
        pytest.param(rule("@n", '<sch:assert id="r" test=". = 1"/>'), [("r", "/a/b[2]/@n")], id="attribute"),
        pytest.param(rule("b/text()", '<sch:assert id="r" test=". = \'x\'"/>'), [("r", "/a/b[2]")], id="text"),
        pytest.param(
            rule("c | b[@n &gt; 1]", '<sch:assert id="r" test="false()"/>'),
            [("r", "/a/b[2]"), ("r", "/a/c")],
            id="union",
        ),
        pytest.param(
            '<sch:pattern><sch:rule context="b[@n = 1]"><sch:assert id="r" test="false()"/></sch:rule>'
            '<sch:rule context="b"><sch:assert id="s" test="false()"/></sch:rule></sch:pattern>',
            [("r", "/a/b[1]"), ("s", "/a/b[2]")],
            id="first-rule-that-fits",
        ),
        pytest.param(
            rule("b[@n = 1]", '<sch:assert id="r" test="false()"/>') + rule("b", '<sch:assert id="s" test="@n = 2"/>'),
            [("r", "/a/b[1]"), ("s", "/a/b[1]")],
            id="every-pattern",
        ),
        pytest.param(
            '<sch:let name="most" value="1"/>'
            + rule("b", '<sch:let name="m" value="@n"/><sch:assert id="r" test="$m &lt;= $most"/>'),
            [("r", "/a/b[2]")],
            id="let",
        ),
        pytest.param(
            COUNTED.format(path="//b", id="r", count=3) + COUNTED.format(path="//c", id="s", count=1),
            [("r", "/a")],
            id="let-of-two-patterns",
        ),
        pytest.param(
            '<sch:pattern><sch:rule abstract="true" id="has"><sch:assert id="r" test="@n = 1"/></sch:rule>'
            '<sch:rule context="b"><sch:extends rule="has"/><sch:assert id="s" test="@n"/></sch:rule></sch:pattern>',
            [("r", "/a/b[2]")],
            id="abstract-rule",
        ),
        pytest.param(
            ABSTRACT + '<sch:pattern is-a="need"><sch:param name="where" value="c"/><sch:param name="what" value="e"/>'
            '<sch:param name="name" value="c-e"/></sch:pattern>'
            '<sch:pattern is-a="need"><sch:param name="where" value="b"/><sch:param name="what" value="@n"/>'
            '<sch:param name="name" value="b-n"/></sch:pattern>',
            [("c-e", "/a/c")],
            id="abstract-pattern",
        ),
        pytest.param("<sch:title>t</sch:title><sch:p>p</sch:p>" + rule("b", '<sch:assert test="@n"/>'), [], id="valid"),
        pytest.param(rule("b", '<x:fix xmlns:x="urn:x"/><sch:assert test="@n"/>'), [], id="foreign-element"),
    ],
)
def test_what_rules_find(cage: Cage, binding: str, inside: str, expected: list[tuple[str, str]]) -> None:
    """The same rules find the same places, whichever processor runs them."""
    outcome = hold(cage, program_of(schematron(inside, binding=binding)))

    assert [(one.rule, one.path) for one in outcome.findings] == expected


@pytest.mark.parametrize(("phase", "attributes", "expected"), [
    ("", "", ["1", "2"]), ("#ALL", "", ["1", "2"]), ("one", "", ["1"]), ("", 'defaultPhase="one"', ["1"]),
    ("#ALL", 'defaultPhase="one"', ["1", "2"]), ("#DEFAULT", 'defaultPhase="one"', ["1"]),
])  # fmt: skip
def test_a_phase_chooses_patterns(cage: Cage, phase: str, attributes: str, expected: list[str]) -> None:
    """Only the active patterns of the phase run; without a word all of them do."""
    outcome = hold(cage, program_of(schematron(PHASES, attributes=attributes), phase))

    assert [one.rule for one in outcome.findings] == expected


@pytest.mark.parametrize("word", ["warning", "warn", "information", "WARNING", "info"])
@pytest.mark.parametrize("key", ["role", "flag"])
def test_warnings_do_not_refuse(cage: Cage, key: str, word: str) -> None:
    """What its author calls a warning is one, by role or flag."""
    outcome = hold(cage, program_of(schematron(rule("a", f'<sch:assert id="r" {key}="{word}" test="x"/>'))))

    assert [len(outcome.findings), [one.rule for one in outcome.warnings]] == [0, ["r"]]


@pytest.mark.parametrize("word", ["fatal", "error", "", "severe", "warning-ish"])
def test_every_other_word_is_an_error(cage: Cage, word: str) -> None:
    """A role nobody knows does not excuse."""
    outcome = hold(cage, program_of(schematron(rule("a", f'<sch:assert id="r" role="{word}" test="x"/>'))))

    assert [one.rule for one in outcome.findings] == ["r"]


@pytest.mark.parametrize("binding", ["xslt", "xslt2"])
def test_a_finding_never_quotes_the_document(cage: Cage, binding: str) -> None:
    """value-of and name with a path become …, name without one the element's name; diagnostics are added."""
    inside = (
        '<sch:pattern><sch:rule context="b[2]"><sch:assert id="r" test="false()" diagnostics="d">In <sch:name/> steht '
        '<sch:value-of select="."/>, <sch:emph>nicht</sch:emph> <sch:name path="*"/> {1}.</sch:assert></sch:rule>'
        "</sch:pattern>"
        '<sch:diagnostics><sch:diagnostic id="d">Es war <sch:value-of select="."/>.</sch:diagnostic></sch:diagnostics>'
    )
    outcome = hold(cage, program_of(schematron(inside, binding=binding)))

    assert [one.hint for one in outcome.findings] == ["In b steht …, nicht … (1). Es war …."]
    assert "Müller" not in repr(outcome)


def test_names_the_schema_does_not_know_are_not_repeated(cage: Cage) -> None:
    """A name is the sender's text like any other: path and sentence show `*`."""
    program = program_of(schematron(rule("*[@*]", '<sch:assert id="r" test="x">An <sch:name/>.</sch:assert>')))
    document = b"<a><Mueller-Geheim Schulden='1'/></a>"
    (output,) = cage.run(document, [program.sheet])

    outcome = read_outcome(program, output, parse(document), {"a"})

    assert [(one.path, one.hint) for one in outcome.findings] == [("/a/*", "An *.")]


def test_includes_lead_to_files_of_the_package(cage: Cage) -> None:
    """A pattern, and the assertions of a rule, may lie in files of their own; the path is relative to the including one."""
    included = (
        '<sch:pattern xmlns:sch="http://purl.oclc.org/dsdl/schematron"><sch:rule context="b">'
        '<sch:extends href="../r.sch#it"/></sch:rule></sch:pattern>'
    )
    part = (
        '<sch:pattern xmlns:sch="http://purl.oclc.org/dsdl/schematron"><sch:rule abstract="true" id="it">'
        '<sch:assert id="r" test="@n = 1"/></sch:rule></sch:pattern>'
    )
    files = {"regeln.sch": schematron('<sch:include href="sub/p.sch"/>'), "sub/p.sch": included, "r.sch": part}
    program = compile_program(package_of(files), "regeln.sch")

    assert [one.rule for one in hold(cage, program).findings] == ["r"]


def test_functions_and_keys_in_xslt(cage: Cage) -> None:
    """A Schematron may define functions and keys of its own, as XRechnung does."""
    inside = (
        '<sch:ns prefix="u" uri="urn:u"/><xsl:key name="by" match="b" use="@n"/>'
        '<xsl:function name="u:twice"><xsl:param name="n"/><xsl:sequence select="2 * xs:integer($n)"/></xsl:function>'
        + rule("b", '<sch:assert id="r" test="key(\'by\', string(u:twice(@n)))"/>')
    )

    assert [one.path for one in hold(cage, program_of(schematron(inside))).findings] == ["/a/b[2]"]


@pytest.mark.parametrize(
    ("expression", "context"),
    [("xs:integer(.) gt 0", "b"), ("true()", "b[xs:integer(.) gt 0]"), ("true()", "b[xs:integer(.) gt 0] | c"),
     ("error()", "b"), ("u:none(.)", "b"), ("count(1 to 10) idiv 0 = 1", "c")],
)  # fmt: skip
def test_rules_that_break_off_are_no_verdict(cage: Cage, expression: str, context: str) -> None:
    """An error in a test, and in a context too, which XSLT would take as a rule that does not fit."""
    inside = rule(context, f'<sch:assert id="r" test="{expression}"/>')
    with pytest.raises(Caged) as caught:
        hold(cage, program_of(schematron(inside)))

    assert caught.value.reason in ("run", "compile")


@pytest.mark.parametrize(
    "output",
    [b"", b"<run/>", b"<run><p/></run>", b"<run><end/></run>", b"<run><p/><p/><end/></run>", b"<run><p/><end/>",
     b"<run><end/><p/></run>", b"<other><p/><end/></other>", b'<run><f a="7" e="1"/><p/><end/></run>',
     b'<run><f a="x" e="1"/><p/><end/></run>'],
)  # fmt: skip
def test_half_an_output_is_no_verdict(output: bytes) -> None:
    """Unless every pattern says that it was done, nothing is valid (planted: a run that stops half-way)."""
    program = program_of(schematron(rule("b", '<sch:assert id="r" test="@n"/>')))
    with pytest.raises(Misconfigured) as caught:
        read_outcome(program, output, parse(DOCUMENT.encode()), set())

    assert caught.value.code == "validate.rules.broken"


def test_many_findings_are_cut(cage: Cage) -> None:
    """A document that breaks a rule thousands of times gives the limit of findings and a note."""
    document = "<a>" + "<b/>" * 5000 + "</a>"
    outcome = hold(cage, program_of(schematron(rule("b", '<sch:assert id="r" test="@n"/>'))), document)

    assert (len(outcome.findings), outcome.findings[-1].rule) == (201, "too-many-findings")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (schematron(rule("b", '<sch:assert/>')), "validate.rules.broken"),
        (schematron('<sch:pattern><sch:rule><sch:assert test="x"/></sch:rule></sch:pattern>'), "validate.rules.broken"),
        (schematron('<sch:pattern is-a="nobody"/>'), "validate.rules.broken"),
        (schematron(rule("b", '<sch:extends rule="nobody"/>')), "validate.rules.broken"),
        (schematron(rule("b", '<sch:assert test="x" diagnostics="none"/>')), "validate.rules.broken"),
        (schematron("<sch:unknown/>"), "validate.rules.broken"),
        (schematron(rule("b", "<sch:unknown/>")), "validate.rules.broken"),
        (schematron("", binding="xquery"), "validate.rules.broken"),
        (schematron("", binding="exslt"), "validate.rules.broken"),
        (schematron('<sch:let name="x" value="1"/><sch:let name="x" value="2"/>'), "validate.rules.broken"),
        (schematron('<sch:include href="none.sch"/>'), "validate.rules.broken"),
        (schematron(PHASES, attributes='defaultPhase="three"'), "validate.rules.broken"),
        (schematron(rule("b[. = current()/c]", '<sch:assert test="x"/>')), "validate.rules.broken"),
        ('<schema xmlns="http://www.ascc.net/xml/schematron"/>', "validate.rules.broken"),
        ("<schema>", "validate.rules.broken"),
    ],
)  # fmt: skip
def test_what_we_do_not_run_is_refused(text: str, code: str) -> None:
    """A Schematron with a part that would be left out is not run at all."""
    with pytest.raises(Misconfigured) as caught:
        program_of(text)

    assert caught.value.code == code


@pytest.mark.parametrize("case", range(30))
def test_the_oracle_agrees(cage: Cage, case: int) -> None:
    """Generated rules in XSLT 1 find as many broken assertions as the ISO skeleton does."""
    contexts = ["b", "c/d", "/a", "b[2]", "*", "b[@n]", "c | d"]
    tests = ["@n", "not(*)", "string-length(.) &gt; 1", "count(../b) = 2", "../../a", "position() &gt; 0"]
    rules = [
        f'<sch:rule context="{contexts[(case * 3 + n * 5) % 7]}"><sch:assert test="{tests[(case + n) % 6]}"/></sch:rule>'
        for n in range(3)
    ]
    patterns = f"<sch:pattern>{''.join(rules)}</sch:pattern><sch:pattern>{rules[1]}</sch:pattern>"
    text = schematron(patterns, binding="xslt")
    oracle = isoschematron.Schematron(etree.fromstring(text), store_report=True)
    oracle.validate(etree.fromstring(DOCUMENT))
    svrl = "{http://purl.oclc.org/dsdl/svrl}failed-assert"

    assert len(hold(cage, program_of(text)).findings) == len(list(oracle.validation_report.getroot().iter(svrl)))


def test_a_schematron_says_what_it_is() -> None:
    """Binding, patterns and assertions are what is written."""
    read = read_schematron(package_of({"regeln.sch": schematron(PHASES)}), "regeln.sch")

    assert (read.binding, len(read.patterns), [one.id for one in read.assertions]) == ("xslt3", 2, ["1", "2"])


def test_warnings_before_do_not_hide_where_an_error_is(cage: Cage) -> None:
    """Findings and warnings are cut each by itself, and every finding that is shown has its place."""
    document = "<a>" + "<b/>" * 2000 + "<c/></a>"
    inside = rule("b", '<sch:assert id="w" role="warning" test="@n"/>') + rule("c", '<sch:assert id="r" test="@n"/>')
    outcome = hold(cage, program_of(schematron(inside, binding="xslt")), document)

    assert [(one.rule, one.path) for one in outcome.findings] == [("r", "/a/c")]
    assert len(outcome.warnings) == 201


def test_more_output_than_anybody_reads_is_one_finding() -> None:
    """Half a million broken rules refuse the document without being read one by one."""
    program = program_of(schematron(rule("b", '<sch:assert id="r" test="@n"/>')))
    output = b"<run>" + b'<f a="0" e="1" n=""/>' * 300_000 + b"<p/><end/></run>"

    assert [one.rule for one in read_outcome(program, output, parse(b"<b/>"), set()).findings] == ["too-many-findings"]
