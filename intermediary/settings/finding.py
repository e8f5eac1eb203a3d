"""What is wrong with a configuration: what, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How much a finding weighs: only a warning lets `lint` end with 0.

    What keeps a single target from working is an error that lets the installation start all the same.
    """

    ERROR = "error"
    MISSING_SECRET = "missing-secret"  # noqa: S105
    TARGET = "target"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake in a configuration file.

    `path` is the dotted path of the setting; an entry of a list stands there by its name in brackets, else by its
    position counted from 1. `what` names no value of a secret. `hint` says what to do and may be empty.
    """

    file: Path
    path: str
    what: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    @property
    def is_blocking(self) -> bool:
        """Whether an installation with this finding should not start."""
        return self.severity not in (Severity.WARNING, Severity.TARGET)

    @property
    def is_error(self) -> bool:
        """Whether `lint` does not call the configuration sound."""
        return self.severity is not Severity.WARNING

    def lines(self) -> tuple[str, ...]:
        """The finding as an operator reads it on stderr: one line, and a second one with the hint."""
        word = "warning" if self.severity is Severity.WARNING else "error"
        place = f"{self.file}: {self.path}" if self.path else f"{self.file}"
        message = f"intermediary: {word}: {place}: {self.what}"
        return (message, f"intermediary: hint: {self.hint}") if self.hint else (message,)


class ConfigurationError(Exception):
    """The configuration cannot be used; `findings` has every reason, not only the first."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(line for finding in self.findings for line in finding.lines()))
