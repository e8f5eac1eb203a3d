"""The audit trail for people: verify it, export it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from intermediary.audit.second_place import read_heads
from intermediary.audit.verify import Report, verify
from intermediary.wiring import Installation


def export(installation: Installation) -> Iterator[str]:
    """Every event of one moment as a line of JSON (docs/reference/audit-format.md)."""
    for entry in installation.store.all_events():
        yield entry.line()


def verify_installation(installation: Installation, *, heads_folder: Path | None = None) -> Report:
    """Check chains, log and heads of the store against the heads in the second place."""
    second = read_heads(heads_folder or installation.settings.audit.heads_folder)
    return verify(
        export(installation),
        heads=installation.store.heads(),
        second_place=second,
        public_key=installation.signing.public_pem(),
    )
