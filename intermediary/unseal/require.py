"""What a keyring or route demands of the signatures of a message; unsigned is never taken for valid."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from intermediary.core.faults import Rejected
from intermediary.core.values import Befund, Opened, Part, SignatureFact

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
    return _missing(opened, require, frozenset({True}))


def is_undetermined(opened: Opened, require: Collection[str]) -> bool:
    """Whether demands are unmet only because it is not known if a signer is trusted: then the operator can heal it."""
    return bool(missing(opened, require)) and not _missing(opened, require, frozenset({True, None}))


def _missing(opened: Opened, require: Collection[str], enough: frozenset[bool | None]) -> tuple[str, ...]:
    wanted = enough if TRUSTED in require else None
    counted = {position: fact for position, fact in enumerate(opened.signatures) if _counts(fact, wanted)}
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
    """Raises `Rejected("signature.required")` with the first demand that is not met as `where`.

    `Rejected("signature.undetermined")` when it is only not known whether a signer is trusted; whoever can wait, waits.
    """
    unmet = missing(opened, require)
    if unmet:
        code = "signature.undetermined" if is_undetermined(opened, require) else "signature.required"
        raise Rejected(code, where=unmet[0], findings=reasons(opened.signatures))


def reasons(signatures: Iterable[SignatureFact]) -> tuple[Befund, ...]:
    """Why signers are not trusted, one finding each."""
    return tuple(Befund(fact.reason, path=fact.place or fact.layer) for fact in signatures if fact.reason)


def check_transport(signatures: Iterable[SignatureFact], require: Collection[str]) -> None:
    """Raises `Rejected("osci.transport-signature.missing")` before any content is opened, or `signature.undetermined`."""
    if TRANSPORT_SIGNATURE not in require:
        return
    facts = [fact for fact in signatures if fact.layer == "transport"]
    wanted = frozenset({True}) if TRUSTED in require else None
    if any(_counts(fact, wanted) for fact in facts):
        return
    if any(_counts(fact, frozenset({True, None})) for fact in facts):
        raise Rejected("signature.undetermined", where=TRANSPORT_SIGNATURE, findings=reasons(facts))
    raise Rejected("osci.transport-signature.missing", findings=reasons(facts))


def _counts(fact: SignatureFact, trusted: frozenset[bool | None] | None) -> bool:
    """A valid and strong signature; `trusted` says which answers about its signer are enough, None that any is."""
    return fact.valid and not fact.weak and (trusted is None or fact.trusted in trusted)


def _is_covered(part: Part, counted: frozenset[int]) -> bool:
    return bool(part.covered_by) and all(not counted.isdisjoint(facts) for facts in part.covered_by)
