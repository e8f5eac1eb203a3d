"""Which changes a second person has to approve (Vier-Augen-Prinzip)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, get_args

from pydantic import Field

from intermediary.settings.kinds import Count
from intermediary.settings.table import Table

ApprovalVerb = Literal[
    "replay",
    "redeliver",
    "resume",
    "send-again",
    "confirm-delivered",
    "reject",
    "discard",
    "pass",
    "reveal",
    "mandant-delete",
    "hold-release",
    "key-change",
]

VERBS: tuple[ApprovalVerb, ...] = get_args(ApprovalVerb)

LOOSEN: Literal["loosen"] = "loosen"
"""To demand less than was demanded before: no configuration can say that this needs no second person."""

AskedVerb = ApprovalVerb | Literal["loosen"]
"""What a second person may be asked for."""

COVERED: Mapping[ApprovalVerb, tuple[ApprovalVerb, ...]] = MappingProxyType(
    {
        "replay": ("redeliver", "resume", "send-again"),
        "discard": ("mandant-delete",),
        "hold-release": ("mandant-delete",),
    }
)
"""What a verb includes: whoever may not do it alone may not take the side doors either."""


class Approvals(Table):
    """Which changes need a second person: one asks, another one approves (docs/howto/approvals.md)."""

    required: tuple[ApprovalVerb, ...] = Field(
        default=(),
        description="Changes that another person has to approve before they are carried out. `replay` includes "
        "`redeliver`, `resume` and `send-again`; `discard` and `hold-release` include `mandant-delete`.",
    )
    expiry_hours: Count = Field(
        default=24, description="After so many hours a request can neither be approved nor carried out any more."
    )
    same_person: tuple[tuple[str, ...], ...] = Field(
        default=(),
        description='Accounts that belong to one person, as `[["adler", "adler-admin"]]`: they count as one, so that '
        "nobody approves what they asked for themselves.",
    )

    def needs(self, verb: AskedVerb) -> bool:
        """Whether a change of this kind needs a second person."""
        return verb == LOOSEN or any(verb == one or verb in COVERED.get(one, ()) for one in self.required)

    def person(self, account: str) -> str:
        """The name under which an account counts: the first of its group in `same_person`, else its own."""
        return next((group[0] for group in self.same_person if account in group), account)

    def joined(self, required: Iterable[str], same_person: Iterable[Iterable[str]]) -> Approvals:
        """These rules and what else is demanded; groups that share an account become one."""
        groups: list[set[str]] = []
        for accounts in (*self.same_person, *same_person):
            group = set(accounts)
            apart = [one for one in groups if not one & group]
            groups = [*apart, group.union(*(one for one in groups if one & group))]
        verbs = tuple(sorted({*self.required, *required}))
        return self.model_copy(update={"required": verbs, "same_person": tuple(tuple(sorted(one)) for one in groups)})
