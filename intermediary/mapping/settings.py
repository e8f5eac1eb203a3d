"""A mapping's own settings: the `[route.settings]` table as the frozen dataclass the mapping declares."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from intermediary.core.faults import Misconfigured
from intermediary.core.tables import build

S = TypeVar("S")


def read_settings(kind: type[S], given: Mapping[str, str]) -> S:
    """The settings of one route; a mapping calls it first.

    `kind` is a frozen dataclass of texts and choices whose fields carry help texts; it raises `ValueError` itself
    when a text cannot be used. Raises `Misconfigured("mapping.setting.invalid")` with all findings; the Nachricht
    waits until the operator has changed the route.
    """
    settings, findings = build(kind, given, base=Path())
    if settings is None or findings:
        where = ", ".join(finding.path for finding in findings if finding.path)
        raise Misconfigured("mapping.setting.invalid", where=where, findings=tuple(findings))
    return settings
