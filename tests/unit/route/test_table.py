"""The routing table: read with all findings, chosen from by specificity, linted between its lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermediary.core.faults import Misconfigured
from intermediary.route.table import Route, RoutingTable, lint_routes, parse_routes, select

FACTS = {"mandant": "m", "root": "{urn:a}antrag", "service": "s", "leika": "99012013001000", "message_type": "t"}


def route(name: str, *, mandant: str = "m", stage: str = "production", drop: str = "", **when: str) -> str:
    conditions = "\n".join(f'{key} = "{value}"' for key, value in when.items())
    return f"""
[[route]]
name = "{name}"
mandant = "{mandant}"
stage = "{stage}"
mapping = "bewohnerparken@1"
[route.when]
{conditions}
[[route.target]]
name = "eakte"
connector = "ordner"
settings = {{ drop = "{drop or name}" }}
"""


def choose(text: str, *, is_test: bool = False, **facts: str) -> str:
    return select(parse_routes(text), **{**FACTS, **facts}, is_test=is_test).name


def fault_of(text: str, **named: object) -> Misconfigured:
    with pytest.raises(Misconfigured) as raised:
        choose(text, **named)  # type: ignore[arg-type]
    return raised.value


def test_a_reader_is_a_condition_like_any_other() -> None:
    """One office, one service, two readers: each has a route of its own, and nobody else's is taken."""
    text = route("amt-a", service="s", reader="ags:05999044") + route("amt-b", service="s", reader="ags:05999055")

    assert "amt-a" == choose(text, reader="ags:05999044")
    assert "amt-b" == choose(text, reader="ags:05999055")
    assert "route.missing" == fault_of(text).code
    assert 'reader = "ags:7"' in fault_of(text, reader="ags:7").where


def test_example_is_read(project: Path) -> None:
    """The example in the repository is a routing table without findings."""
    table = parse_routes((project / "config/example/routes.toml").read_text(encoding="utf-8"))
    first = table.routes[0]

    assert () == lint_routes(table, mandanten=["musterstadt", "beispielhausen"])
    assert first is table.by_name("musterstadt", "bewohnerparken-musterstadt")
    assert ("bewohnerparken@1", ("content-signature",), "test") == (first.mapping, first.require, first.stage)
    assert "ordner" == first.targets[0].connector
    assert table.knows_root(first.when.root or "")
    assert not table.knows_root("{urn:other}x")
    assert table.by_name("beispielhausen", "bewohnerparken-musterstadt") is None


@pytest.mark.parametrize(
    ("old", "new", "code", "path", "hint"),
    [
        ("[route.when]", "[route.wenn]", "config.key.unknown", "route[a].wenn", 'did you mean "when"?'),
        ('root =', 'rooot =', "config.key.unknown", "route[a].when.rooot", 'did you mean "root"?'),
        ("connector =", "conector =", "config.key.unknown", "route[a].target[eakte].conector", None),
        ('"production"', '"productive"', "config.value.invalid", "route[a].stage", 'did you mean "production"?'),
        ('"bewohnerparken@1"', '"bewohnerparken"', "config.value.invalid", "route[a].mapping", None),
        ('"bewohnerparken@1"', '"bewohnerparken@0"', "config.value.invalid", "route[a].mapping", None),
        ('mandant = "m"', 'mandant = "M"', "config.value.invalid", "route[a].mandant", None),
        ('mandant = "m"', 'mandant = "m"\nrequire = ["trustd"]', "config.value.invalid", "route[a].require[1]",
         'did you mean "trusted"?'),
        ("{urn:a}antrag", "", "config.value.invalid", "route[a].when", None),
        ("[route.when]", '[route.when]\nleika = "123"', "config.value.invalid", "route[a].when.leika", None),
        ('connector = "ordner"', 'connector = "ordner"\nrequired = false', "config.value.invalid", "route[a]", None),
        ('connector = "ordner"', 'connector = "ordner"\ndeadline_hours = 0', "config.value.invalid",
         "route[a].target[eakte].deadline_hours", "at least 1"),
        ("[route.when]", "[route.settings]\naktenplan = 112\n[route.when]", "config.type.wrong",
         "route[a].settings.aktenplan", "expected text in quotes"),
    ],
)  # fmt: skip
def test_mistake_is_found_where_it_stands(old: str, new: str, code: str, path: str, hint: str | None) -> None:
    """A wrong key or value is a finding with its dotted path and the nearest name."""
    text = route("a", root="{urn:a}antrag")
    assert old in text
    with pytest.raises(Misconfigured) as raised:
        parse_routes(text.replace(old, new))
    found = {finding.path: finding for finding in raised.value.findings}

    assert "route.table.invalid" == raised.value.code
    assert code == found[path].code
    assert hint in (None, found[path].hint)


def test_broken_toml_names_its_line() -> None:
    """A file that is no TOML is one finding with the line."""
    with pytest.raises(Misconfigured) as raised:
        parse_routes('\n\n[[route]\nname = "a"', where="routen.toml")

    assert ("config.syntax", 3) == (raised.value.findings[0].code, raised.value.findings[0].line)
    assert "routen.toml" == raised.value.where


def test_names_are_used_once() -> None:
    """Two routes of one Mandant, or two targets of one route, cannot share a name; two Mandanten can."""
    target = '[[route.target]]\nname = "eakte"\nconnector = "ordner"\n'
    parse_routes(route("a") + route("a", mandant="n"))
    with pytest.raises(Misconfigured) as twice:
        parse_routes(route("a") + target + route("b") + route("b"))

    assert {"route[b].name", "route[a].target[eakte].name"} == {finding.path for finding in twice.value.findings}


def test_route_without_required_target_is_refused() -> None:
    """A route whose targets are all optional would never give the sender an answer."""
    with pytest.raises(Misconfigured):
        parse_routes('[[route]]\nname = "a"\nmandant = "m"\nmapping = "x@1"\ntarget = []\n')


def test_empty_file_is_an_empty_table() -> None:
    """No routes is a valid table: everything waits for one."""
    assert RoutingTable() == parse_routes("")


def test_all_conditions_must_hold() -> None:
    """A route applies only to its Mandant and only when every condition holds."""
    text = route("a", root="{urn:a}antrag", leika="99012013001000")

    assert "a" == choose(text)
    for facts in ({"mandant": "n"}, {"root": "{urn:b}antrag"}, {"leika": ""}, {"leika": "99012013001001"}):
        assert "route.missing" == fault_of(text, **facts).code


def test_most_specific_route_wins() -> None:
    """The route with the most conditions is chosen, whatever the order of the file."""
    parts = [route("all"), route("one", root="{urn:a}antrag"), route("two", root="{urn:a}antrag", service="s")]

    assert "two" == choose("".join(parts)) == choose("".join(reversed(parts)))
    assert "one" == choose("".join(parts), service="other")
    assert "all" == choose("".join(parts), root="{urn:b}x")


def test_equally_specific_routes_are_ambiguous() -> None:
    """Two routes that fit equally well are the operator's to tell apart; the fault names them."""
    fault = fault_of(route("b", service="s") + route("a", root="{urn:a}antrag"))

    assert ("route.ambiguous", "routes a, b") == (fault.code, fault.where)


def test_missing_route_tells_the_root() -> None:
    """The operator learns which root and service have no route; what a sender wrote into them forges no log line."""
    fault = fault_of("", root="{urn:\nfake}" + "x" * 500)

    assert fault.where.startswith('mandant m: root = "{urn:?fake}xxx')
    assert "\n" not in fault.where
    assert 500 == len(fault.where)
    assert fault_of("", root="{urn:b}x").where.startswith('mandant m: root = "{urn:b}x", service = "s"')


def test_test_message_never_meets_a_production_route() -> None:
    """A test message goes through a test route, or waits as test.message."""
    production, test = route("p", root="{urn:a}antrag"), route("t", stage="test")

    assert "t" == choose(production + test, is_test=True)
    assert ("test.message", "routes p") == (
        fault_of(production, is_test=True).code,
        fault_of(production, is_test=True).where,
    )
    assert "route.missing" == fault_of(production, is_test=True, root="{urn:b}x").code


def test_real_message_prefers_production() -> None:
    """A more specific test route does not draw real applications away; alone it takes them, as tests."""
    test = route("t", stage="test", root="{urn:a}antrag")

    assert "p" == choose(route("p") + test)
    assert "t" == choose(test)


def test_lint_finds_ambiguous_pairs() -> None:
    """Pairs that can fit equally well are found before a message meets them."""
    table = parse_routes(route("a", root="{urn:a}antrag") + route("b", service="s"))
    found = lint_routes(table)

    assert [("route.ambiguous", "route[a].when")] == [(finding.code, finding.path) for finding in found]


@pytest.mark.parametrize(
    "text",
    [
        route("a", root="{urn:a}antrag") + route("b", root="{urn:b}antrag"),
        route("a", root="{urn:a}antrag") + route("b", root="{urn:a}antrag", service="s"),
        route("a", root="{urn:a}antrag") + route("b", root="{urn:a}antrag", mandant="n"),
        route("a", root="{urn:a}antrag") + route("b", root="{urn:a}antrag", stage="test"),
        route("a", root="{urn:a}x") + route("b", service="s") + route("c", root="{urn:a}x", service="s"),
    ],
    ids=["other value", "more specific", "other Mandant", "other stage", "settled by a third"],
)
def test_lint_accepts_routes_that_cannot_tie(text: str) -> None:
    """Routes of which at most one wins for any message are no finding."""
    assert () == lint_routes(parse_routes(text))


def test_lint_finds_tests_in_production_targets() -> None:
    """A test route that writes into a production target's folder is found."""
    table = parse_routes(route("p", drop="same") + route("t", stage="test", drop="same"))

    assert [("test.message", "route[t].target[eakte]")] == [(f.code, f.path) for f in lint_routes(table)]


def test_lint_finds_unknown_mandanten() -> None:
    """A Mandant that the installation does not know is named with the nearest one."""
    found = lint_routes(parse_routes(route("a", mandant="musterstad")), mandanten=["musterstadt"])

    assert [("route.mandant.unknown", 'did you mean "musterstadt"?')] == [(f.code, f.hint) for f in found]


_VALUES = st.sampled_from(["x", "y"])
_WHEN = st.fixed_dictionaries({}, optional={"root": _VALUES, "service": _VALUES, "message_type": _VALUES})


@given(whens=st.lists(st.tuples(_WHEN, st.sampled_from(["production", "test"])), min_size=1, max_size=5))
def test_lint_finds_every_ambiguity_a_message_can_meet(whens: list[tuple[dict[str, str], str]]) -> None:
    """No message meets `route.ambiguous` in a table that lint passes, and no test a production route."""
    text = "".join(route(f"r{n}", stage=stage, **when) for n, (when, stage) in enumerate(whens))
    table = parse_routes(text)
    met = any(
        _code(table, root=root, service=service, message_type=kind, is_test=is_test) == "route.ambiguous"
        for root in "xyz"
        for service in "xyz"
        for kind in "xyz"
        for is_test in (False, True)
    )
    reported = any(finding.code == "route.ambiguous" for finding in lint_routes(table))

    assert reported or not met


def _code(table: RoutingTable, *, root: str, service: str, message_type: str, is_test: bool) -> str:
    try:
        chosen: Route = select(
            table, mandant="m", root=root, service=service, leika="", message_type=message_type, is_test=is_test
        )
    except Misconfigured as fault:
        return fault.code
    assert chosen.stage == "test" or not is_test
    return ""
