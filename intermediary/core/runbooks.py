"""Where an operator reads on: the hand-written runbook of a code, or else its row in the list of codes."""

from __future__ import annotations

RUNBOOKS_PAGE = "docs/howto/runbooks.md"
CODES_PAGE = "docs/reference/codes.md"

_BEGINNINGS = {
    "alert.": "meldung",
    "audit.": "audit",
    "bug.": "entwicklung",
    "certificate.": "zertifikat",
    "clock.": "uhr",
    "daemon.": "prozess",
    "delivery.deadline.near": "frist",
    "delivery.deadline": "ziel",
    "delivery.": "ungewiss",
    "dialog.": "gegenstelle",
    "intake.conflict": "konflikt",
    "intake.door.closed": "tuer",
    "intake.decrypt.alarm": "angriff",
    "intake.malformed.alarm": "angriff",
    "intake.disk.": "platz",
    "intake.mandant.full": "rueckstau",
    "key.": "schluessel",
    "keyring.": "schluessel",
    "mapping.version.": "route",
    "output.changed": "ungewiss",
    "payload.corrupt": "datentraeger",
    "payload.missing": "datentraeger",
    "plugin.": "route",
    "poison.": "entwicklung",
    "receipt.": "quittung",
    "route.": "route",
    "split-verdict": "geteilt",
    "store.unavailable": "datenbank",
    "suspect": "entwicklung",
    "target.": "ziel",
}


def runbook(code: str) -> str:
    """Page and anchor, as a path within the documentation."""
    for beginning, anchor in _BEGINNINGS.items():
        if code.startswith(beginning):
            return f"{RUNBOOKS_PAGE}#{anchor}"
    return f"{CODES_PAGE}#{code}"
