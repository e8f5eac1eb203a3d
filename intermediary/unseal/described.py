"""What may be said of an opened submission in the store and the audit trail: no content, no names of people."""

from __future__ import annotations

import re
from typing import Any

from intermediary.core.values import Opened, Part, SignatureFact

_LEIKA = re.compile(r"(?<![0-9])99[0-9]{12}(?![0-9])")


def describe(opened: Opened) -> dict[str, Any]:
    """Format, service, algorithms, signature facts, lengths and hashes, JSON-ready."""
    return {
        "format": opened.format,
        "message_type": opened.message_type,
        "service": opened.facts.get("service", ""),
        "leika": leika(opened),
        "policy": opened.policy,
        "algorithms": list(opened.algorithms),
        "signatures": [_signature(fact) for fact in opened.signatures],
        "contents": [_hash_of(part) for part in opened.contents],
        "attachments": [_hash_of(part) for part in opened.attachments],
    }


def revocation_pins(opened: Opened) -> dict[str, str]:
    """The revocation material that was used, to be pinned; `none` where a signer was trusted without any, as allowed."""
    used = {source for fact in opened.signatures for source in fact.revocation}
    gone_on = any(fact.reason == "signature.revocation-unknown" for fact in opened.signatures)
    told = " ".join([*sorted(used), *(["none"] if gone_on else [])])
    return {"revocation": told} if told else {}


def _signature(fact: SignatureFact) -> dict[str, Any]:
    told = {"layer": fact.layer, "algorithm": fact.algorithm, "intact": fact.intact, "valid": fact.valid}
    told["trusted"] = fact.trusted
    more = {"reason": fact.reason, "partner": fact.partner, "revocation": list(fact.revocation)}
    return told | {name: value for name, value in more.items() if value}


def leika(opened: Opened) -> str:
    """The LeikaId the sender names, by itself or inside the service's URI; empty when there is none."""
    found = _LEIKA.search(opened.facts.get("leika", "") or opened.facts.get("service", ""))
    return found.group() if found else ""


def _hash_of(part: Part) -> dict[str, Any]:
    return {"length": part.content.length, "sha256": part.content.sha256}
