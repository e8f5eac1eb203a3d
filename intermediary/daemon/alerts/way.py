"""What every way of telling is given, and what it must do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from intermediary.daemon.telling import as_json, headline, lines
from intermediary.store.alerts import Alert

_WORDS = {"opened": "Störung", "ended": "Störung vorbei", "test": "Probe"}


class NotTold(Exception):
    """It did not arrive, or nobody knows; `reason` has no secrets: the kind of failure and, at most, a status."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Letter:
    """One alert, ready to be told. `id` is the same in every attempt; `subject` and `text` are German."""

    id: str
    kind: Literal["opened", "ended", "test"]
    installation: str
    subject: str
    text: str
    incident: dict[str, Any]

    def body(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "id": self.id,
            "event": f"incident.{self.kind}",
            "installation": self.installation,
            "subject": self.subject,
            "incident": self.incident,
        }


class Way(Protocol):
    """Tells people. `tell` returns when the other side has it, and raises `NotTold`; within half a minute either way.

    It is called again with the same letter after `NotTold`, and after a crash: the other side tells by `id`.
    """

    @property
    def name(self) -> str: ...

    def tell(self, letter: Letter) -> None: ...


def letter_of(alert: Alert, installation: str) -> Letter:
    """What an alert says."""
    one = alert.incident
    word = _WORDS[alert.phase]
    return Letter(
        id=alert.id,
        kind=alert.phase,
        installation=installation,
        subject=f"[{installation}] {word}: {headline(one)}",
        text="\n".join((f"{word} in der Installation {installation}.", "", *lines(one), _look_at(one.id), "")),
        incident=as_json(one),
    )


def _look_at(incident_id: str) -> str:
    return f"Ansehen:    intermediary incidents show {incident_id[:13]}"


def probe_letter(letter_id: str, installation: str) -> Letter:
    """A letter that says only that telling works."""
    text = f"Dies ist eine Probe der Installation {installation}. Es ist nichts zu tun.\n"
    return Letter(letter_id, "test", installation, f"[{installation}] Probe: Meldungen kommen an", text, {})
