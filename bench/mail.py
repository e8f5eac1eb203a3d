"""Sealed messages to measure with, and the keyring that opens them: RSA-3072 throughout, one reader."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from intermediary.keys.ring import Keyring
from intermediary.osci.write import Attachment, Letter, Parties, seal
from intermediary.testing.pki import CA_FILE, Pki, make_pki, write_pki
from intermediary.testing.samples import sample_application

KIBIBYTE, MEBIBYTE = 1024, 1024 * 1024

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_OURS = ("recipient-cipher", "recipient-signature", "intermediary-cipher")
_READER = "intermediary-cipher"


@dataclass(frozen=True, slots=True)
class Post:
    """Who writes and who opens. The reader is a member with RSA-3072, and not the one the transport is for."""

    pki: Pki
    keyring: Keyring

    @property
    def parties(self) -> Parties:
        """The usual cast with that reader."""
        return replace(self.pki.parties, readers=(self.pki.members[_READER],))

    def message(self, payload_bytes: int, attachment_bytes: int = 0) -> bytes:
        """Signed and encrypted in content and transport, both AES-256-GCM; the attachment is random."""
        attachments: tuple[Attachment, ...] = ()
        if attachment_bytes:
            attachments = (Attachment("Anlage.bin", "application/octet-stream", secrets.token_bytes(attachment_bytes)),)
        letter = Letter(message_id="urn:bench:1", contents=(payload(payload_bytes),), attachments=attachments)
        return seal(letter, parties=self.parties, random=secrets.token_bytes, now=NOW)


def make_post(folder: Path) -> Post:
    """New keys, written into `folder` and read again as the keyring a daemon would have."""
    pki = make_pki(valid_from=NOW - timedelta(days=1), valid_until=NOW + timedelta(days=365))
    write_pki(pki, folder, random=secrets.token_bytes)
    keys = "".join(f'[[key]]\np12 = "{name}.p12"\npassword_file = "{name}.pass"\n' for name in _OURS)
    trust = f'[[trust]]\npem = "{CA_FILE}"\npurpose = ["transport", "content"]\n'
    ring = folder / "bench.toml"
    ring.write_text(f'policy = "osci"\nrequire = ["transport-signature", "content-signature"]\n{keys}{trust}')
    return Post(pki, Keyring.load(ring))


def payload(length: int, seed: int = 0) -> bytes:
    """An application, its last line indented until it has this length."""
    lines, _, end = sample_application(seed).rstrip().rpartition(b"\n")
    return lines + b"\n" + b" " * (length - len(lines) - len(end) - 1) + end
