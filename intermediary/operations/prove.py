"""The audit trail for people: verify it, export it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from intermediary.audit.second_place import read_heads
from intermediary.audit.verify import Problem, Report, verify
from intermediary.wiring import Installation


def export(installation: Installation) -> Iterator[str]:
    """Every event of one moment as a line of JSON (docs/reference/audit-format.md)."""
    for entry in installation.store.all_events():
        yield entry.line()


def verify_installation(installation: Installation, *, heads_folder: Path | None = None) -> Report:
    """Check chains, log and heads of the store against the heads in the second place."""
    second_place = read_heads(heads_folder or installation.settings.audit.heads_folder)
    with installation.store.audit_snapshot() as snapshot:
        return verify(
            (entry.line() for entry in snapshot.entries),
            snapshot.heads,
            [installation.signing.public_pem()],
            second_place=second_place,
            ends=snapshot.ends,
        )


def as_json(report: Report) -> dict[str, Any]:
    """The result for scripts: counts, and every problem with its place."""
    return {
        "ok": report.is_ok,
        "events": report.events,
        "sealed": report.sealed,
        "unsealed": report.unsealed,
        "lastHead": report.last_head,
        "problems": [{"defect": p.defect.value, **_place(p)} for p in report.problems],
    }


def as_text(report: Report) -> str:
    """The result in German, one line; with a problem, the first bad entry."""
    counts = f"{report.events} Ereignisse, davon {report.sealed} unter signierten Köpfen, {report.unsealed} noch nicht"
    if report.first_bad is None:
        return f"Audit geprüft: unversehrt ({counts})"
    place = " ".join(f"{name}={value}" for name, value in _place(report.first_bad).items())
    return f"Audit VERLETZT: {report.first_bad.defect.value} bei {place} ({len(report.problems)} Mängel; {counts})"


def _place(problem: Problem) -> dict[str, Any]:
    place = {name: getattr(problem, name) for name in ("line", "number", "upto", "chain", "seq")}
    return {name: value for name, value in place.items() if value not in (None, "")}
