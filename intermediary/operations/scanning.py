"""The line of `doctor` on the virus scan: is there one, and does it answer."""

from __future__ import annotations

from collections.abc import Iterator

from intermediary.core.faults import Fault
from intermediary.operations.diagnosis import Diagnosis, bad
from intermediary.settings.models import Settings
from intermediary.wiring.work import scanner_of


def scanning(settings: Settings) -> Iterator[Diagnosis]:
    """One line: clamd with its version and that of its signatures, or that nothing is scanned."""
    scanner = scanner_of(settings)
    if scanner is None:
        yield Diagnosis("scan", "ok", "no virus scan is configured: attachments are passed on as they are")
        return
    try:
        engine = scanner.version()
    except Fault as fault:
        yield bad("scan", fault)
        return
    yield Diagnosis("scan", "ok", f"{scanner.address} answers: {engine}; files up to {scanner.max_bytes} bytes")
