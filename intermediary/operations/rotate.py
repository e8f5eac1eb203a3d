"""Changing the key that signs the audit heads: the old one announces its successor, then the successor takes its place.

Every step is durable before the next, and a call after a crash goes on where the last one ended: the event, the head over
it by the old key, the file. Until the file is exchanged the old key signs, which is no harm.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from intermediary.audit.second_place import copy_missing
from intermediary.audit.verify import KEY_CHANGED, fingerprint
from intermediary.core.faults import Misconfigured, Transient
from intermediary.keys.signing import SigningKey, create_signing_key, replace_signing_key
from intermediary.operations.approvals import Approvals, Wish
from intermediary.operations.person import Request
from intermediary.wiring import SIGNING_KEY, Installation


@dataclass(frozen=True, slots=True)
class Rotated:
    """The fingerprints (SHA-256), and where the old public key lies: to be named in `audit.previous_keys`."""

    old: str
    new: str
    old_public: Path


def rotate_key(
    installation: Installation, request: Request, *, now: datetime, approvals: Approvals | None = None
) -> Rotated:
    """Exchange the signing key; a running daemon signs with the new one from its next head on.

    Raises like `Approvals.demand` where `key-change` needs a second person. What was announced is brought to its end
    without asking again.
    """
    path = installation.settings.installation.data / SIGNING_KEY
    if approvals is not None and not path.with_name(f"{SIGNING_KEY}.next").exists():
        lines = ("der Schlüssel, der die Köpfe des Audits signiert, wird gewechselt",)
        approvals.demand(Wish("key-change", {"old": fingerprint(SigningKey(path).public_pem())}, lines=lines), request)
    successor = path.with_name(f"{SIGNING_KEY}.next")
    with suppress(FileExistsError):
        create_signing_key(successor)
    old_pem = SigningKey(path).public_pem()
    old, new = fingerprint(old_pem), fingerprint(SigningKey(successor).public_pem())
    old_public = path.with_name(f"audit-{old[:16]}.pub.pem")
    _keep(old_public, old_pem)
    if not _is_announced(installation, old, new):
        fields = {"old_key": old, "new_key": new, "reason": request.reason}
        installation.store.record_of_installation(KEY_CHANGED, now=now, actor=request.actor, fields=fields)
    installation.store.seal_heads(installation.signing.sign, now)
    with suppress(Transient):  # a daemon, or `audit verify`, says that the place is away
        copy_missing(installation.settings.audit.heads_folder, installation.store.heads)
    replace_signing_key(path, successor)
    return Rotated(old, new, old_public)


def public_keys(installation: Installation) -> tuple[bytes, ...]:
    """The present public key and those of `audit.previous_keys`; `Misconfigured("key.unavailable")` names a bad file."""
    pems = [installation.signing.public_pem()]
    for file in installation.settings.audit.previous_keys:
        try:
            pem = file.read_bytes()
            fingerprint(pem)
        except (OSError, ValueError) as wrong:
            raise Misconfigured("key.unavailable", where=f"audit.previous_keys: {file}") from wrong
        pems.append(pem)
    return tuple(pems)


def _is_announced(installation: Installation, old: str, new: str) -> bool:
    events = (entry.event for entry in installation.store.events_of_installation())
    last = next((one for one in reversed([*events]) if one.name == KEY_CHANGED), None)
    return last is not None and (last.fields["old_key"], last.fields["new_key"]) == (old, new)


def _keep(file: Path, pem: bytes) -> None:
    draft = file.with_name(f".{file.name}.new")
    draft.write_bytes(pem)
    draft.replace(file)
