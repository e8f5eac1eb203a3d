"""Ways a call can end other than well, and what its client reads then."""

from __future__ import annotations

from intermediary.core.faults import Rejected
from intermediary.xta.wire.faults import Kind, XtaError, error
from intermediary.xta.wire.operations import Operation

LATER_SECONDS = 30


class Refused(Exception):
    """The call is answered with this exception of XTA; `number` as in its code list."""

    def __init__(self, number: str, kind: Kind | None = None) -> None:
        super().__init__(number)
        self.number = number
        self.error: XtaError = error(number, kind)


class Later(Exception):
    """It cannot be done now (a store away, a door being closed): 503 with 9030; the client asks again after `seconds`."""

    def __init__(self, seconds: float = LATER_SECONDS) -> None:
        super().__init__()
        self.seconds = seconds


class NoCall(Exception):
    """What came is no call of XTA: a fault of SOAP (`Sender`, `VersionMismatch`, `MustUnderstand`) with its HTTP status."""

    def __init__(self, reason: str, code: str = "Sender", status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.status = status


def unreadable(refusal: Rejected) -> NoCall:
    """What is said of an envelope that cannot be read: the code and no more."""
    if refusal.code == "xta.soap.version":
        return NoCall("Erwartet wird SOAP 1.2", "VersionMismatch")
    if refusal.code == "xta.soap.not-understood":
        return NoCall("Ein verlangter Kopfblock ist hier nicht bekannt", "MustUnderstand")
    if refusal.code == "xta.content-type":
        return NoCall("Erwartet wird SOAP 1.2 (application/soap+xml, oder multipart/related mit XOP)", status=415)
    return NoCall(f"Die Anfrage ist nicht lesbar ({refusal.code})")


def unfit(refusal: Rejected, operation: Operation | None) -> Refused | NoCall:
    """What is said of a known operation whose parts are not as they must be.

    Where it has no exception for that (the mailbox port, reports), it is no call: 9030 would have it repeated for ever.
    """
    refused = Refused("9023" if refusal.code == "xta.too-large" else "9022")
    is_known = operation is not None and refused.error.kind in operation.exceptions
    return refused if is_known else unreadable(refusal)
