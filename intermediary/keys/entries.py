"""Reads the tables of a file of ours that names keys or certificates, and collects every mistake with its dotted path."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar

from cryptography import x509

from intermediary.core.faults import Misconfigured
from intermediary.core.values import Befund
from intermediary.keys import private

_Text = TypeVar("_Text", bound=str)
Purpose = Literal["transport", "content"]
PURPOSES: tuple[Purpose, ...] = ("transport", "content")
POLICIES = ("strict", "osci", "legacy")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A certificate that ends a path, and what it is trusted for."""

    certificate: x509.Certificate
    purposes: frozenset[str]


class EntryReader:
    """The base of what reads a keyring or a partner directory: notes mistakes, and refuses with all of them at once.

    `code` is the fault of the file's own shape. A place is written `key[1].p12`, counted from
    1; names of files are relative to the file.
    """

    def __init__(self, path: Path, code: str) -> None:
        self._folder = path.parent
        self._name = path.name
        self._code = code
        self._faults: list[Misconfigured] = []

    def _check(self) -> None:
        """Raises the first mistake, with all of them as findings; nothing when there is none."""
        if self._faults:
            self._refuse()

    def _refuse(self) -> NoReturn:
        findings = tuple(finding for fault in self._faults for finding in fault.findings)
        raise Misconfigured(self._faults[0].code, where=self._faults[0].where, findings=findings)

    def _policy(self, value: object, place: str = "policy") -> str:
        if not isinstance(value, str):
            self._note(self._code, place, hint=_allowed(POLICIES))
            return ""
        if value not in POLICIES:
            self._note("policy.unknown", place, near=_nearest(value, POLICIES), hint=_allowed(POLICIES))
        return value

    def _moment(self, value: object, place: str) -> datetime | None:
        if value is None or (isinstance(value, datetime) and value.tzinfo is not None):
            return value
        self._note(self._code, place, hint="a moment with a time zone")
        return None

    def _trust(self, entry: Mapping[str, Any], place: str) -> list[Anchor]:
        self._known(entry, ("pem", "purpose"), place)
        name = self._string(entry, "pem", place)
        purposes = frozenset(self._strings(entry.get("purpose", list(PURPOSES)), f"{place}.purpose", PURPOSES))
        return [Anchor(certificate, purposes) for certificate in self._certificates(name, f"{place}.pem")]

    def _certificates(self, name: str, place: str) -> list[x509.Certificate]:
        """All certificates of a PEM file; none for an empty name, which was noted where it was read."""
        if not name:
            return []
        try:
            return x509.load_pem_x509_certificates(private.read_file(self._folder / name, name))
        except (ValueError, Misconfigured):
            self._unavailable(name, place)
            return []

    def _certificate_files(self, value: object, place: str) -> list[x509.Certificate]:
        """The certificates of a list of PEM files."""
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            self._note(self._code, place, hint="a list of PEM files, relative to this file")
            return []
        return [one for i, name in enumerate(value, 1) for one in self._certificates(name, f"{place}[{i}]")]

    def _tables(self, table: Mapping[str, Any], name: str, place: str = "") -> list[Mapping[str, Any]]:
        entries = table.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._note(self._code, f"{place}.{name}" if place else name, hint=f"written as [[{name}]]")
            return []
        return entries

    def _string(self, entry: Mapping[str, Any], name: str, place: str, hint: str = "") -> str:
        """A text that is not empty, by default the name of a file; empty when it was none, which is noted then."""
        value = entry.get(name)
        if not isinstance(value, str) or not value:
            dotted = f"{place}.{name}" if place else name
            self._note(self._code, dotted, hint=hint or "the name of a file, relative to this file")
            return ""
        return value

    def _choice(self, value: object, place: str, allowed: tuple[_Text, ...]) -> _Text:
        for one in allowed:
            if one == value:
                return one
        near = _nearest(value, allowed) if isinstance(value, str) else ""
        self._note(self._code, place, near=near, hint=_allowed(allowed))
        return allowed[0]

    def _strings(self, value: object, place: str, allowed: tuple[str, ...]) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._note(self._code, place, hint=f"a list; {_allowed(allowed)}")
            return []
        for item in value:
            if item not in allowed:
                self._note(self._code, place, near=_nearest(item, allowed), hint=_allowed(allowed))
        return value

    def _known(self, table: Mapping[str, Any], allowed: tuple[str, ...], place: str) -> None:
        for name in table:
            if name not in allowed:
                dotted = f"{place}.{name}" if place else name
                self._note(self._code, dotted, near=_nearest(name, allowed), hint=_allowed(allowed))

    def _unavailable(self, name: str, place: str) -> None:
        finding = Befund(
            "key.unavailable", path=place, hint=f"check {self._folder / name}, its password and its rights"
        )
        self._faults.append(Misconfigured("key.unavailable", where=name, findings=(finding,)))

    def _note(self, code: str, place: str, *, near: str = "", hint: str = "") -> None:
        question = f"did you mean {near}?" if near else ""
        where = f"{self._name}: {place}" + (f" ({question})" if question else "")
        finding = Befund(code, path=place, hint=" ".join(part for part in (question, hint) if part))
        self._faults.append(Misconfigured(code, where=where, findings=(finding,)))


def _nearest(name: str, allowed: tuple[str, ...]) -> str:
    return next(iter(difflib.get_close_matches(name, allowed, n=1)), "")


def _allowed(names: tuple[str, ...]) -> str:
    return f"allowed: {', '.join(names)}"
