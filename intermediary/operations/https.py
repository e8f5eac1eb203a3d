"""`doctor` of an HTTPS door: can its certificate be used, for how long, and can its answers be signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509

from intermediary.core.faults import Misconfigured
from intermediary.keys.ring import Keyring
from intermediary.keys.tls import TlsFiles, server_context
from intermediary.operations.diagnosis import Diagnosis, bad, counted
from intermediary.operations.expiry import ending
from intermediary.settings.channels import Channel, OsciPassiveDoor
from intermediary.settings.listening import ListeningDoor
from intermediary.settings.models import Settings
from intermediary.settings.xta_passive import XtaPassiveDoor


def https(
    subject: str, channel: Channel, door: OsciPassiveDoor, settings: Settings, now: datetime
) -> Iterator[Diagnosis]:
    """A line for the address with its certificate, and one for each Mandant whose answers nobody signs."""
    yield certificate(subject, door, now)
    for mandant in channel.mandanten:
        try:
            ring = Keyring.load(settings.mandant_named(mandant).keyring)
        except Misconfigured:
            continue  # said where keys are looked at
        if ring.signature_key() is None:
            what = f"answers for {mandant} are unsigned; an intermediary reports 3802"
            yield Diagnosis(subject, "warning", what, "name our signature key in the keyring: [[sign]]")


def certificate(subject: str, door: ListeningDoor | XtaPassiveDoor, now: datetime) -> Diagnosis:
    """The address of a door with its certificate, and how long that is valid."""
    if door.tls_cert is None or door.tls_key is None:
        return Diagnosis(subject, "ok", f"{door.listen}, plain HTTP")
    try:
        server_context(TlsFiles(door.tls_cert, door.tls_key, door.client_ca))
        own = x509.load_pem_x509_certificate(door.tls_cert.read_bytes())
    except Misconfigured as fault:
        return bad(subject, fault)
    except (OSError, ValueError):
        return Diagnosis(subject, "bad", f"{door.tls_cert} is no certificate (PEM)", "replace it")
    days = (own.not_valid_after_utc - now).days
    if days < 0:
        return Diagnosis(subject, "bad", f"the certificate {door.tls_cert} has expired", "renew it under the same name")
    return ending(
        subject, f"{door.listen}, certificate {counted(days, 'day')} left", days, "renew it under the same name"
    )
