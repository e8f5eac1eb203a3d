"""What stays the same when an intermediary delivers a message again: its content package, not the transport around it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from intermediary.unseal.mime import MimePart
from intermediary.unseal.osci.structure import Structure
from intermediary.xml import canonical


def delivery_sha256(structure: Structure, parts: Mapping[str, MimePart]) -> str:
    """SHA-256 (lower-case hex) of content package and MIME parts; equal for every delivery of one message.

    Challenge, transport signature, transport encryption and the prefixes of the envelope do not count; the package does
    in exclusive canonical form, a part with its name and its octets after transfer decoding. Empty for a message that
    carries nothing.
    """
    if structure.package is None:
        return ""
    package = hashlib.sha256()
    for piece in structure.texts.filled(canonical.exclusive(structure.package)):
        package.update(piece)
    digest = hashlib.sha256(package.digest())
    for name in sorted(parts):
        digest.update(hashlib.sha256(name.encode()).digest())
        digest.update(bytes.fromhex(parts[name].content.sha256))
    return digest.hexdigest()
