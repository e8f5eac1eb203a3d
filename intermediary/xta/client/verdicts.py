"""What the number in a gateway's exception means for us: who can heal it (digest §7)."""

from __future__ import annotations

from intermediary.core.faults import Fault, Misconfigured, Rejected, Transient, Unclear
from intermediary.xta.wire.faults import Kind, SoapFault
from intermediary.xta.wire.operations import Operation

Verdict = tuple[type[Fault], str]

_BUSY: Verdict = (Transient, "xta.busy")
_PARAMETER: Verdict = (Misconfigured, "xta.parameter")
_SCHEMA: Verdict = (Rejected, "xta.refused.schema")
_SYNC_ASYNC: Verdict = (Misconfigured, "xta.sync-async")
_CANCEL: Verdict = (Rejected, "xta.cancel.denied")

VERDICTS: dict[str, Verdict] = {
    "9010": (Misconfigured, "xta.certificate.expired"),
    "9011": (Misconfigured, "xta.account.locked"),
    "9012": (Misconfigured, "xta.account.unknown"),
    "9013": (Misconfigured, "xta.service.not-booked"),
    "9014": (Misconfigured, "xta.certificate.mismatch"),
    "9020": _PARAMETER,
    "9021": _PARAMETER,
    "9022": _PARAMETER,
    "9023": (Rejected, "xta.refused.too-large"),
    "9024": (Unclear, "xta.message-id.used"),
    "9030": _BUSY,
    "9031": _BUSY,
    "9032": _BUSY,
    "9050": _SCHEMA,
    "9051": _SCHEMA,
    "9052": _SCHEMA,
    "9060": (Rejected, "xta.refused.virus"),
    "9070": (Transient, "xta.message-id.unknown"),
    "9080": _SYNC_ASYNC,
    "9081": _SYNC_ASYNC,
    "9100": _CANCEL,
    "9101": _CANCEL,
}
"""Every number but 9000, which says nothing of its own."""

_BY_KIND: dict[Kind, Verdict] = {
    Kind.PERMISSION_DENIED: (Misconfigured, "xta.denied"),
    Kind.PARAMETER_IS_NOT_VALID: _PARAMETER,
    Kind.TECHNICAL_PROBLEM: _BUSY,
    Kind.MESSAGE_SCHEMA_VIOLATION: _SCHEMA,
    Kind.MESSAGE_VIRUS_DETECTION: (Rejected, "xta.refused.virus"),
    Kind.INVALID_MESSAGE_ID: (Transient, "xta.message-id.unknown"),
    Kind.SYNC_ASYNC: _SYNC_ASYNC,
    Kind.CANCEL_DENIED: _CANCEL,
}
"""What an exception says whose number is 9000 or unknown."""


def fault_of(fault: SoapFault, operation: Operation, *, where: str) -> Fault:
    """Our fault for a fault of the gateway; its number stands in `where`, its words nowhere.

    A gateway in trouble (`xta.busy`) may have carried out what changes something before it said so: then it is `Unclear`.
    """
    error = fault.error
    number = "" if error is None else error.number
    place = f"{where}: {operation.name}: {number or fault.code or 'no code'}"
    if error is None:
        # SOAP's own fault: what we sent was not understood (`Sender`, …), or the service has trouble (`Receiver`).
        kind, code = _BUSY if fault.code == "Receiver" else _PARAMETER
    else:
        kind, code = VERDICTS.get(number, _BY_KIND[error.kind])
    if (kind, code) == _BUSY and operation.changes:
        kind = Unclear
    return kind(code, where=_printable(place))


def _printable(text: str) -> str:
    """The number is the other side's text."""
    return "".join(one if one.isprintable() else "?" for one in text)[:200]
