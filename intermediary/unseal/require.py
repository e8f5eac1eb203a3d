"""What a keyring or route demands of the signatures of a message; unsigned is never taken for valid."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from intermediary.core.faults import Rejected
from intermediary.core.values import Opened, Part, SignatureFact

TRANSPORT_SIGNATURE = "transport-signature"
CONTENT_SIGNATURE = "content-signature"
TRUSTED = "trusted"


def missing(opened: Opened, require: Collection[str]) -> tuple[str, ...]:
    """The demands that are not met, of `transport-signature`, `content-signature` and `trusted`.

    A signature counts if it is valid and not weak; with `trusted` it counts only if its signer is trusted too, and some
    signature must count. `content-signature` wants every content and every attachment covered.
    """
    counted = [fact for fact in opened.signatures if _counts(fact, trusted=TRUSTED in require)]
    unmet = []
    if TRANSPORT_SIGNATURE in require and not any(fact.layer == "transport" for fact in counted):
        unmet.append(TRANSPORT_SIGNATURE)
    parts = (*opened.contents, *opened.attachments)
    if CONTENT_SIGNATURE in require and not all(_is_covered(part, counted) for part in parts):
        unmet.append(CONTENT_SIGNATURE)
    if TRUSTED in require and not counted:
        unmet.append(TRUSTED)
    return tuple(unmet)


def check(opened: Opened, require: Collection[str]) -> None:
    """Raises `Rejected("signature.required")` with the first demand that is not met as `where`."""
    unmet = missing(opened, require)
    if unmet:
        raise Rejected("signature.required", where=unmet[0])


def check_transport(signatures: Iterable[SignatureFact], require: Collection[str]) -> None:
    """Raises `Rejected("osci.transport-signature.missing")` before any content is opened."""
    if TRANSPORT_SIGNATURE not in require:
        return
    if not any(fact.layer == "transport" and _counts(fact, trusted=TRUSTED in require) for fact in signatures):
        raise Rejected("osci.transport-signature.missing")


def _counts(fact: SignatureFact, *, trusted: bool) -> bool:
    return fact.valid and not fact.weak and (not trusted or fact.trusted is True)


def _is_covered(part: Part, facts: Iterable[SignatureFact]) -> bool:
    return any(fact.layer == "content" and part.place.startswith(f"{fact.place}/") for fact in facts)
