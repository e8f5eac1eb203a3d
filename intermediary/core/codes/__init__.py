"""The catalogue of fault codes: what each means, who heals it, and what that person does.

One module per stage holds the table of its codes; this page joins them. A code is an interface (Quittungen, scripts and
runbooks name it): it is never renamed, only added. `docs/reference/codes.md` is generated from here.
"""

from __future__ import annotations

from types import MappingProxyType

from intermediary.core.codes import (
    cmis,
    connect,
    deliver,
    dialog,
    intake,
    mapping,
    operate,
    route,
    scan,
    target,
    trust,
    unseal,
    validate,
    xta,
)
from intermediary.core.codes.code import HEALERS, Code, Healer

__all__ = ["CATALOGUE", "HEALERS", "Code", "Healer"]

_STAGES = (intake, unseal, trust, scan, validate, route, mapping, deliver, connect, target, cmis, dialog, xta, operate)

CATALOGUE: MappingProxyType[str, Code] = MappingProxyType(
    {code.name: code for stage in _STAGES for code in stage.CODES}
)

if len(CATALOGUE) != sum(len(stage.CODES) for stage in _STAGES):
    raise ValueError("a fault code is defined twice")
