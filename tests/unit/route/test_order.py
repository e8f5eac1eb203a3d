"""The order of a Vorgang as the routes file says it, and what lint says of routes that undermine it."""

from __future__ import annotations

import pytest

from intermediary.core.codes import CATALOGUE
from intermediary.core.faults import Misconfigured
from intermediary.route.table import RoutingTable, parse_routes
from intermediary.route.targets import lint_order

ROUTE = """
[[route]]
name = "{route}"
mandant = "musterstadt"
mapping = "bauantrag@1"
{order}
when = {{ service = "{route}" }}
[[route.target]]
name = "{target}"
connector = "ordner"
settings = {{ drop = "{drop}" }}
"""
KEPT, NONE = 'order = "vorgang"', ""


def table_of(*routes: tuple[str, str, str, str]) -> RoutingTable:
    """One route for each (name, order, target, drop folder)."""
    return parse_routes("".join(ROUTE.format(route=n, order=o, target=t, drop=d) for n, o, t, d in routes))


def test_no_order_is_kept_unless_a_route_says_so() -> None:
    """The default is none; anything but the two words is refused."""
    assert ["none", "vorgang"] == [
        route.order for route in table_of(("a", NONE, "akte", "x"), ("b", KEPT, "akte", "y")).routes
    ]
    with pytest.raises(Misconfigured):
        table_of(("a", 'order = "vorgaenge"', "akte", "x"))


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (("b", NONE, "akte", "x"), ["route[b].target[akte]"]),
        (("b", KEPT, "archiv", "x"), ["route[b].target[archiv]"]),
        (("b", KEPT, "akte", "x"), []),
        (("b", NONE, "akte", "y"), []),
    ],
    ids=["past it", "another name", "alike", "another target"],
)
def test_a_target_reached_past_the_order_is_found(other: tuple[str, str, str, str], found: list[str]) -> None:
    """One system of a Mandant, two routes: both keep the order under one name, or lint names the one that does not."""
    befunde = list(lint_order(table_of(("a", KEPT, "akte", "x"), other)))

    assert found == [befund.path for befund in befunde]
    assert all(befund.code in CATALOGUE and '"a"' in befund.hint for befund in befunde)


def test_without_any_order_nothing_is_mixed() -> None:
    """Two routes to one target are the rule where no route keeps the order."""
    assert [] == list(lint_order(table_of(("a", NONE, "akte", "x"), ("b", NONE, "archiv", "x"))))
