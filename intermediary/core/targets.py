"""A target as operators see it: one system, however many routes lead to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from intermediary.core.breaker import RestRules
from intermediary.core.turns import Limits

POST_BOX = "post_box"
"""The entry of a correlation that says in whose box a Zustellung lies: the Behoerdenkennung of the reader.

Only connectors of ours may say so: a vendor's could lay its messages into any reader's box.
"""


@dataclass(frozen=True, slots=True)
class TargetRef:
    """A target by its `id`, `mandant/route/target`, and what it may be given.

    Targets of one Mandant with the same connector and the same settings are one: they rest together and share limits.
    `names` are all that it is known by; `id` is the first of them.
    """

    id: str
    names: frozenset[str]
    limits: Limits = field(default_factory=Limits)
    rules: RestRules = field(default_factory=RestRules)

    def is_in(self, scope: str) -> bool:
        """Whether a scope names it: a Mandant, one of its routes, or a target by any of its names."""
        return any(name == scope or name.startswith(f"{scope}/") for name in self.names)


def target_name(mandant: str, route: str, target: str) -> str:
    """What people call a target of a route."""
    return f"{mandant}/{route}/{target}"


def in_scope(ref: TargetRef, scopes: Iterable[str]) -> str | None:
    """The first of the scopes that names the target."""
    return next((scope for scope in scopes if ref.is_in(scope)), None)
