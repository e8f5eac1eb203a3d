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

    A signature counts if it is valid and not weak; with `trusted` it counts only if its signer is trusted too.
    `content-signature` wants every content and every attachment covered by a content signature that counts, at each
    place where it stands (`Part.covered_by`; names and places decide nothing). `trusted` wants some signature to count,
    and every part covered by one that counts; a transport signature covers all of them.
    """
    counted = {
        position: fact for position, fact in enumerate(opened.signatures) if _counts(fact, trusted=TRUSTED in require)
    }
    has_transport = any(fact.layer == "transport" for fact in counted.values())
    content = frozenset(position for position, fact in counted.items() if fact.layer == "content")
    is_covered = all(_is_covered(part, content) for part in (*opened.contents, *opened.attachments))
    unmet = []
    if TRANSPORT_SIGNATURE in require and not has_transport:
        unmet.append(TRANSPORT_SIGNATURE)
    if CONTENT_SIGNATURE in require and not is_covered:
        unmet.append(CONTENT_SIGNATURE)
    if TRUSTED in require and not (has_transport or (content and is_covered)):
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


def _is_covered(part: Part, counted: frozenset[int]) -> bool:
    return bool(part.covered_by) and all(not counted.isdisjoint(facts) for facts in part.covered_by)
