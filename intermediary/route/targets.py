"""Which targets there are: one for each system of a Mandant, however many routes lead to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType

from intermediary.core.breaker import RestRules
from intermediary.core.targets import TargetRef, target_name
from intermediary.core.turns import Limits
from intermediary.core.values import Befund
from intermediary.route.table import Route, RoutingTable, Target

_Known = tuple[str, Target]


def target_refs(table: RoutingTable, rules: RestRules) -> Mapping[str, TargetRef]:
    """Every target of the table by each of its names (`mandant/route/target`).

    Equal connector and equal settings within one Mandant are one target. It has the first of its names in alphabetical
    order, and of different limits the lower.
    """
    found: dict[str, TargetRef] = {}
    for group in _groups(table):
        names = frozenset(name for name, _ in group)
        ref = TargetRef(min(names), names, _lowest(target for _, target in group), rules)
        found.update(dict.fromkeys(names, ref))
    return MappingProxyType(found)


def own_deadlines(table: RoutingTable) -> Mapping[str, timedelta]:
    """The targets of the table (`mandant/route/target`) that do not have the installation's deadline."""
    return {
        target_name(route.mandant, route.name, target.name): timedelta(hours=target.deadline_hours)
        for route in table.routes
        for target in route.targets
        if target.deadline_hours is not None
    }


def lint_limits(table: RoutingTable) -> Iterator[Befund]:
    """Limits of one target that differ from route to route: the lower one holds, which surprises whoever reads the other."""
    for group in _groups(table):
        if len({(target.max_per_minute, target.max_parallel) for _, target in group}) > 1:
            first, *others = sorted(name for name, _ in group)
            _, route, target = first.split("/")
            hint = f"one target with {', '.join(others)}: write the same max_per_minute and max_parallel there"
            yield Befund(code="target.limits.differ", path=f"route[{route}].target[{target}]", hint=hint)


def lint_order(table: RoutingTable) -> Iterator[Befund]:
    """Routes that keep the order of a Vorgang at a target which others reach past them, or under another name."""
    order: dict[tuple[str, ...], str] = {(route.mandant, route.name): route.order for route in table.routes}
    for group in _groups(table):
        reached = [tuple(name.split("/")) for name, _ in group]
        kept = sorted(one for one in reached if order[one[:2]] == "vorgang")
        if not kept:
            continue
        _, owner, called = kept[0]
        for one in reached:
            path = f"route[{one[1]}].target[{one[2]}]"
            if order[one[:2]] == "none":
                hint = f'route "{owner}" keeps the order there: set order = "vorgang" here too'
                yield Befund(code="route.order.mixed", path=path, hint=hint)
            elif one[2] != called:
                hint = f'it is called "{called}" in route "{owner}": give it the same name here'
                yield Befund(code="route.order.mixed", path=path, hint=hint)


def _groups(table: RoutingTable) -> list[list[_Known]]:
    """The targets of each Mandant, those that are one together; settings have no hash and are compared."""
    groups: list[tuple[Route, list[_Known]]] = []
    for route in table.routes:
        for target in route.targets:
            known = (target_name(route.mandant, route.name, target.name), target)
            for owner, group in groups:
                if owner.mandant == route.mandant and _is_one(group[0][1], target):
                    group.append(known)
                    break
            else:
                groups.append((route, [known]))
    return [group for _, group in groups]


def _is_one(one: Target, other: Target) -> bool:
    return (one.connector, one.settings) == (other.connector, other.settings)


def _lowest(targets: Iterator[Target]) -> Limits:
    limits = [(target.max_per_minute, target.max_parallel) for target in targets]
    per_minute = [one for one, _ in limits if one is not None]
    parallel = [other for _, other in limits if other is not None]
    return Limits(min(per_minute, default=None), min(parallel, default=None))
