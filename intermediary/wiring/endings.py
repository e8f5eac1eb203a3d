"""What ends by itself: every certificate in force, by purpose and owner, with the moment it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509

from intermediary.pipeline import Werkbank
from intermediary.settings.channels import Channel
from intermediary.settings.models import Settings

Purpose = Literal["reader", "signature", "partner-cipher", "partner-signature", "partner-client", "tls"]


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate: `owner` is a Mandant, a partner, a channel or its account, never a name from the certificate."""

    purpose: Purpose
    owner: str
    until: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends; below 0 when it has."""
        return (self.until - now).days


def endings(settings: Settings, bank: Werkbank) -> tuple[Ending, ...]:
    """For each purpose and owner the newest certificate: an old one that stays to open old messages may end."""
    newest: dict[tuple[Purpose, str], datetime] = {}
    for ending in _all(settings, bank):
        key = (ending.purpose, ending.owner)
        newest[key] = max(newest.get(key, ending.until), ending.until)
    return tuple(Ending(purpose, owner, until) for (purpose, owner), until in sorted(newest.items()))


def _all(settings: Settings, bank: Werkbank) -> Iterator[Ending]:
    for name, schluessel in bank.schluessel.items():
        for certificate in schluessel.keyring.certificates():
            yield Ending("reader", name, certificate.not_valid_after_utc)
        signer = schluessel.keyring.signature_key()
        if signer is not None:
            yield Ending("signature", name, signer.certificate.not_valid_after_utc)
    for partner in bank.circles.partners.all():
        for certificate in partner.cipher:
            yield Ending("partner-cipher", partner.kennung, certificate.not_valid_after_utc)
        for certificate in partner.signature:
            yield Ending("partner-signature", partner.kennung, certificate.not_valid_after_utc)
        for certificate in partner.account.clients if partner.account is not None else ():
            yield Ending("partner-client", partner.kennung, certificate.not_valid_after_utc)
    for channel in settings.channel:
        yield from _of_channel(channel)
    if settings.callbacks is not None and settings.callbacks.tls_cert is not None:
        with suppress(OSError, ValueError):
            yield Ending("tls", "[callbacks]", _leaf(settings.callbacks.tls_cert))


def _of_channel(channel: Channel) -> Iterator[Ending]:
    """What its endpoint shows, and what its accounts elsewhere do."""
    door = channel.osci_passive or channel.xta_passive
    shown = {channel.name: door.tls_cert} if door is not None and door.tls_cert is not None else {}
    if channel.xta_fetch is not None:
        shown |= {f"{channel.name}/{one.identifier}": one.tls_cert for one in channel.xta_fetch.account}
    for owner, file in shown.items():
        with suppress(OSError, ValueError):
            yield Ending("tls", owner, _leaf(file))


def _leaf(file: Path) -> datetime:
    return x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
