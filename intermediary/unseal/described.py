"""What may be said of an opened submission in the store and the audit trail: no content, no names of people."""

from __future__ import annotations

import re
from typing import Any

from intermediary.core.values import Opened, Part

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
        "signatures": [
            {"layer": s.layer, "algorithm": s.algorithm, "intact": s.intact, "valid": s.valid, "trusted": s.trusted}
            for s in opened.signatures
        ],
        "contents": [_hash_of(part) for part in opened.contents],
        "attachments": [_hash_of(part) for part in opened.attachments],
    }


def leika(opened: Opened) -> str:
    """The LeikaId the sender names, by itself or inside the service's URI; empty when there is none."""
    found = _LEIKA.search(opened.facts.get("leika", "") or opened.facts.get("service", ""))
    return found.group() if found else ""


def _hash_of(part: Part) -> dict[str, Any]:
    return {"length": part.content.length, "sha256": part.content.sha256}
