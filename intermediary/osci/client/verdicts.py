"""What a partner's error code means for us: who can heal it (digest §15). `docs/reference/osci-send.md` shows the table.

Whether a request was executed follows from the code: `Transient` says that it was not, `Unclear` that it may have been.
"""

from __future__ import annotations

from collections.abc import Iterable

from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear

Verdict = tuple[type[Fault], str]

_BUSY: Verdict = (Transient, "dialog.busy")
_BROKEN: Verdict = (Transient, "dialog.broken")
_REFUSED: Verdict = (Misconfigured, "dialog.refused")
_OWN: Verdict = (Misconfigured, "dialog.certificate.own")
_PARTNER: Verdict = (Misconfigured, "dialog.certificate.partner")
_RECIPIENT: Verdict = (Misconfigured, "dialog.certificate.recipient")
_CHUNKS: Verdict = (Misconfigured, "dialog.chunks")
_MAYBE: Verdict = (Unclear, "dialog.no-answer")

VERDICTS: dict[str, Verdict] = {
    "9000": _BUSY,
    "9100": _REFUSED,
    "9200": _PARTNER,
    "9201": _PARTNER,
    "9202": _PARTNER,
    "9300": _REFUSED,
    "9400": _BROKEN,
    "9500": _OWN,
    "9501": _OWN,
    "9502": _OWN,
    "9503": _BUSY,
    "9600": _OWN,
    "9601": _OWN,
    "9602": _OWN,
    "9603": _BUSY,
    "9700": _OWN,
    "9701": _OWN,
    "9704": _OWN,
    "9705": _OWN,
    "9706": _RECIPIENT,
    "9707": _RECIPIENT,
    "9708": _RECIPIENT,
    "9709": _RECIPIENT,
    "9710": _BUSY,
    "9711": _RECIPIENT,
    "9712": _RECIPIENT,
    "9800": _REFUSED,
    "9801": _MAYBE,
    "9802": _REFUSED,
    "9803": _REFUSED,
    "9804": _REFUSED,
    "9805": (Rejected, "target.refused"),
    "9806": _MAYBE,
    "9807": _MAYBE,
    "9808": _MAYBE,
    "9809": _BUSY,
    "9810": _MAYBE,
    "9811": _MAYBE,
    "9900": _MAYBE,
    "9901": _CHUNKS,
    "9902": _CHUNKS,
    "9903": _CHUNKS,
    "9904": _CHUNKS,
    "9905": _CHUNKS,
    "9950": _REFUSED,
}
"""Every error code of OSCI 1.2. Where more is known of the request, its sender decides first (`send.py`)."""

FAULT_CODES = frozenset(code for code in VERDICTS if code < "9600")
"""The codes of the message level, which travel in SOAP faults (digest §15)."""


def fault_of(codes: Iterable[str], *, where: str) -> Fault:
    """The fault for these error codes of a partner; the first one decides, and stands in the fault.

    A code that OSCI 1.2 does not know, or none at all, is a refusal nobody can interpret: `Unclear`.
    """
    code = next(iter(codes), "")
    kind, name = VERDICTS.get(code, _MAYBE)
    return kind(name, where=f"{where}: {code or 'no code'}")
