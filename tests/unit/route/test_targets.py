"""Which targets there are: one for each system of a Mandant."""

from __future__ import annotations

from intermediary.core.breaker import RestRules
from intermediary.core.turns import Limits
from intermediary.route.table import RoutingTable, parse_routes
from intermediary.route.targets import lint_limits, target_refs

HEAD = """
[[route]]
name = "{route}"
mandant = "{mandant}"
mapping = "bauantrag@1"
when = {{ service = "{route}" }}
"""
TARGET = """
[[route.target]]
name = "{name}"
connector = "ordner"
{limits}
settings = {{ drop = "{drop}" }}
"""


def table_of(*targets: tuple[str, str, str, str, str]) -> RoutingTable:
    """One route for each (mandant, route, target, drop folder, limits)."""
    text = "".join(
        HEAD.format(route=route, mandant=mandant) + TARGET.format(name=name, drop=drop, limits=limits)
        for mandant, route, name, drop, limits in targets
    )
    return parse_routes(text)


def test_equal_settings_are_one_target() -> None:
    """Two routes of a Mandant with the same folder share a target; another folder or another Mandant has its own."""
    table = table_of(
        ("musterstadt", "b", "eakte", "akte", ""),
        ("musterstadt", "a", "akte", "akte", ""),
        ("musterstadt", "c", "eakte", "anderswo", ""),
        ("beispielhausen", "b", "eakte", "akte", ""),
    )
    refs = target_refs(table, RestRules())

    assert refs["musterstadt/b/eakte"] is refs["musterstadt/a/akte"]
    assert "musterstadt/a/akte" == refs["musterstadt/b/eakte"].id
    assert {"musterstadt/a/akte", "musterstadt/b/eakte"} == refs["musterstadt/b/eakte"].names
    assert 3 == len({ref.id for ref in refs.values()})


def test_of_different_limits_the_lower_holds() -> None:
    """Each limit for itself; lint says that they differ, and is silent where they do not."""
    differing = table_of(
        ("musterstadt", "a", "akte", "akte", "max_per_minute = 60\nmax_parallel = 4"),
        ("musterstadt", "b", "akte", "akte", "max_per_minute = 30"),
    )
    alike = table_of(
        ("musterstadt", "a", "akte", "akte", "max_parallel = 4"),
        ("musterstadt", "b", "akte", "akte", "max_parallel = 4"),
    )

    assert Limits(30, 4) == target_refs(differing, RestRules())["musterstadt/b/akte"].limits
    assert ["target.limits.differ"] == [befund.code for befund in lint_limits(differing)]
    assert [] == list(lint_limits(alike))
