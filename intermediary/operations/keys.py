"""Every key of an installation: what it is for, until when, where it lies, and whether it can be used now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.core.faults import Fault, Misconfigured
from intermediary.keys.private import ReaderKey
from intermediary.keys.ring import Keyring, key_entries
from intermediary.keys.sources import KeyEntry
from intermediary.keys.wrap import KekFiles, MandantKeys
from intermediary.operations.diagnosis import Diagnosis, bad
from intermediary.settings.models import Mandant, Settings

Use = Literal["decrypt", "sign", "kek"]


@dataclass(frozen=True, slots=True)
class OwnKey:
    """One key of one Mandant.

    `place` is its path in `file`, the keyring or the settings; `name` its file, or what it is called on its token.
    `fingerprint` is the SHA-256 of the certificate in hex, empty where that could not be read. `trouble` is why it cannot be
    used now.
    """

    mandant: str
    use: Use
    file: Path
    place: str
    name: str
    is_on_token: bool = False
    algorithm: str = ""
    certificate: x509.Certificate | None = field(default=None, repr=False)
    trouble: Fault | None = None
    reader: ReaderKey | None = field(default=None, repr=False)

    @property
    def fingerprint(self) -> str:
        return "" if self.certificate is None else sha256(self.der).hexdigest()

    @property
    def der(self) -> bytes:
        """The certificate in DER form; empty where there is none."""
        return b"" if self.certificate is None else self.certificate.public_bytes(Encoding.DER)

    @property
    def not_after(self) -> datetime | None:
        return None if self.certificate is None else self.certificate.not_valid_after_utc

    def days_left(self, now: datetime) -> int | None:
        """Whole days until the certificate ends, negative afterwards; None where there is none."""
        return None if self.not_after is None else (self.not_after - now).days


def own_keys(settings: Settings) -> Iterator[OwnKey]:
    """Every key of every Mandant, in the order of the settings and of each keyring; keys on tokens are used once.

    What is wrong with one is said in its line and hides no other.
    """
    for mandant in settings.mandant:
        try:
            entries = key_entries(mandant.keyring)
        except Misconfigured as fault:
            yield OwnKey(mandant.name, "decrypt", mandant.keyring, "", mandant.keyring.name, trouble=fault)
            entries = ()
        yield from (_of_keyring(mandant, entry) for entry in entries)
        yield from _keks(mandant, settings.file)


def keys_on_tokens(settings: Settings) -> Iterator[Diagnosis]:
    """The lines of `doctor` on keys that lie on tokens: each is used once."""
    for key in own_keys(settings):
        if key.is_on_token:
            subject = f"token {key.mandant}: {key.name}"
            yield Diagnosis(subject, "ok", "works") if key.trouble is None else bad(subject, key.trouble, str(key.file))


def usable_keyring(keys: Sequence[OwnKey], mandant: str) -> Keyring:
    """A keyring of those keys of a Mandant that open something now; without anchors or demands."""
    mine = [key.reader for key in keys if key.mandant == mandant and key.trouble is None]
    return Keyring([reader for reader in mine if reader is not None])


def as_json(key: OwnKey, now: datetime, waiting: list[str] | None) -> dict[str, Any]:
    """One line of `keys list --json`; `waiting` are the ids of the Nachrichten that need it, None if nobody looked."""
    return {
        "mandant": key.mandant,
        "use": key.use,
        "source": "token" if key.is_on_token else "file",
        "name": key.name,
        "file": str(key.file),
        "place": key.place,
        "algorithm": key.algorithm,
        "subject": "" if key.certificate is None else key.certificate.subject.rfc4514_string(),
        "fingerprint": key.fingerprint,
        "notAfter": None if key.not_after is None else key.not_after.isoformat(),
        "daysLeft": key.days_left(now),
        "loadable": key.trouble is None,
        "code": "" if key.trouble is None else key.trouble.code,
        "why": "" if key.trouble is None else why(key.trouble),
        "waiting": waiting,
    }


def why(trouble: Fault) -> str:
    """What the operator looks at first: the hint of the first finding, or the place."""
    return next((one.hint for one in trouble.findings if one.hint), "") or trouble.where


def _of_keyring(mandant: Mandant, entry: KeyEntry) -> OwnKey:
    certificate = entry.certificate
    return OwnKey(
        mandant.name,
        entry.use,
        mandant.keyring,
        entry.place,
        entry.name or entry.place,
        entry.is_on_token,
        "" if certificate is None else _algorithm(certificate),
        certificate,
        entry.trouble(),
        entry.reader,
    )


def _keks(mandant: Mandant, file: Path) -> Iterator[OwnKey]:
    places = [("kek_file", mandant.kek_file)]
    places += [(f"previous_kek_files[{i}]", path) for i, path in enumerate(mandant.previous_kek_files, 1)]
    for place, path in places:
        trouble: Fault | None = None
        try:
            MandantKeys({mandant.name: KekFiles(path)})
        except Misconfigured as fault:
            trouble = fault
        dotted = f"mandant[{mandant.name}].{place}"
        yield OwnKey(mandant.name, "kek", file, dotted, path.name, algorithm="AES 256", trouble=trouble)


def _algorithm(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return f"EC {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__
