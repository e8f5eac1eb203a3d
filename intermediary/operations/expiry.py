"""`doctor` of what ends by itself: certificates, exceptions of partners, revocation material; with the days left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from cryptography import x509

from intermediary.core.faults import Misconfigured
from intermediary.keys.material import Revocation
from intermediary.keys.partners import Partner
from intermediary.keys.ring import Keyring
from intermediary.operations.diagnosis import Diagnosis, counted
from intermediary.settings.models import Settings
from intermediary.settings.xta import XtaAccount
from intermediary.unseal.policy import profile
from intermediary.wiring.configuration import read_partners

DAYS = (30, 14, 3)
"""When something that ends is told: first, again more urgently, and last."""

_URGENCY = {30: "plan the change", 14: "the change is due", 3: "change it now"}


def expiry(settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    """Keys, profiles and revocation material of every Mandant, accounts at XTA services, then every partner.

    What does not load, lint or the door has said.
    """
    for mandant in settings.mandant:
        try:
            ring = Keyring.load(mandant.keyring)
        except Misconfigured:
            continue
        signer = ring.signature_key()
        for certificate in (*ring.certificates(), *((signer.certificate,) if signer else ())):
            yield _own_certificate(mandant.name, certificate, now)
        yield _profile(mandant.name, ring, now)
        yield from _revocation(mandant.name, ring, now)
    for channel in settings.channel:
        for account in channel.xta_fetch.account if channel.xta_fetch is not None else ():
            yield from _account(channel.name, account, now)
    try:
        partners = read_partners(settings).all()
    except Misconfigured:
        return
    for partner in partners:
        yield from _partner(partner, now)


def _own_certificate(mandant: str, certificate: x509.Certificate, now: datetime) -> Diagnosis:
    subject = f"key {mandant}: {certificate.subject.rfc4514_string()}"
    days = (certificate.not_valid_after_utc - now).days
    if days < 0:
        return Diagnosis(subject, "warning", "expired", "messages already sealed for it still open; renew it")
    return ending(subject, f"{counted(days, 'day')} left", days, "renew it and add the new key beside it")


def _account(channel: str, account: XtaAccount, now: datetime) -> Iterator[Diagnosis]:
    """What we log in with at a service, which may close the connection without a word once it has expired."""
    try:
        certificate = x509.load_pem_x509_certificate(account.tls_cert.read_bytes())
    except (OSError, ValueError):
        return
    subject, days = f"account {channel}: {account.identifier}", _days(certificate.not_valid_after_utc, now)
    hint = f"get a new one from the operator of the service, put it in place of {account.tls_cert}"
    if days < 0:
        yield Diagnosis(subject, "bad", "expired: the service lets nobody in", hint)
    else:
        yield ending(subject, f"{counted(days, 'day')} left", days, hint)


def ending(subject: str, what: str, days: int, hint: str) -> Diagnosis:
    """`ok` until the first of DAYS; the hint says how urgent it is."""
    reached = [limit for limit in DAYS if days < limit]
    if not reached:
        return Diagnosis(subject, "ok", what)
    return Diagnosis(subject, "warning", what, f"{_URGENCY[reached[-1]]}: {hint}")


def _profile(mandant: str, ring: Keyring, now: datetime) -> Diagnosis:
    subject, label = f"policy {mandant}", profile(ring.policy).label
    if ring.policy_until is None:
        return Diagnosis(subject, "ok", label)
    days = _days(ring.policy_until, now)
    if ring.policy_until <= now:
        return Diagnosis(subject, "bad", f"{label} has ended: every message is refused", "set policy or policy_until")
    return ending(subject, f"{label}, {counted(days, 'day')} left", days, "afterwards every message is refused")


def _partner(partner: Partner, now: datetime) -> Iterator[Diagnosis]:
    subject = f"partner {partner.kennung}"
    yield _exception(subject, partner, now)
    for role, certificates in (("cipher", partner.cipher), ("signature", partner.signature)):
        for certificate in certificates:
            name = f"{subject} {role}: {certificate.subject.rfc4514_string()}"
            days = (certificate.not_valid_after_utc - now).days
            if days < 0:
                yield Diagnosis(name, "warning", "expired", "remove it from the directory, or add its successor")
            else:
                yield ending(
                    name, f"{counted(days, 'day')} left", days, "ask the partner for its successor, add it beside"
                )


def _exception(subject: str, partner: Partner, now: datetime) -> Diagnosis:
    if partner.policy is None:
        return Diagnosis(subject, "ok", "policy of the Mandant")
    until = partner.policy_until
    label = profile(partner.policy, until=until, partner=partner.kennung).label
    reason = f" ({partner.reason})" if partner.reason else ""
    if until is None:
        return Diagnosis(subject, "ok", label + reason)
    if until <= now:
        hint = "what still needs it is refused (policy.expired); remove it from the directory"
        return Diagnosis(subject, "warning", f"{label}: ended{reason}", hint)
    days = _days(until, now)
    return ending(subject, f"{label}, {counted(days, 'day')} left{reason}", days, "afterwards what needs it is refused")


def _revocation(mandant: str, ring: Keyring, now: datetime) -> Iterator[Diagnosis]:
    revocation, subject = ring.revocation, f"revocation {mandant}"
    if revocation.mode == "off":
        return
    material = revocation.material
    for name in material.unreadable:
        yield Diagnosis(f"{subject}: {name}", "warning", "neither a CRL nor an OCSP answer", "fetch it again")
    for entry in material.all_crls:
        yield _age(f"{subject}: {entry.file}", entry.crl.last_update_utc, entry.crl.next_update_utc, now, revocation)
    ends = [
        single.next_update_utc or single.this_update_utc
        for answer in material.all_responses
        for single in answer.response.responses
    ]
    if ends:
        stale = sum(now > end + revocation.grace for end in ends)
        what = f"{len(ends)} OCSP answers, {stale} of them stale"
        yield Diagnosis(f"{subject}: OCSP", "warning" if stale else "ok", what, "fetch them again, or remove them")
    yield from _unlisted(subject, ring, has_answers=bool(ends))


def _age(subject: str, made: datetime, until: datetime | None, now: datetime, revocation: Revocation) -> Diagnosis:
    age = f"made {_span(now - made)} ago"
    if until is None:
        return Diagnosis(subject, "warning", "says no end and is not used", "ask its authority for a proper list")
    if now <= until:
        return Diagnosis(subject, "ok", f"{age}, holds for {_span(until - now)}")
    hint = "fetch the list again: the job that does it seems to stand still"
    if now <= until + revocation.grace:
        return Diagnosis(subject, "warning", f"{age}, ended {_span(now - until)} ago: in its grace", hint)
    stale = f"{age}, stale for {_span(now - until)}"
    if revocation.mode == "hard":
        return Diagnosis(subject, "bad", f"{stale}: signers are undetermined", hint)
    return Diagnosis(subject, "warning", f"{stale}: signers pass unchecked", hint)


def _unlisted(subject: str, ring: Keyring, *, has_answers: bool) -> Iterator[Diagnosis]:
    """Authorities without any list; where OCSP answers are kept they may do without."""
    anchors = {*ring.anchors("transport"), *ring.anchors("content")}
    for authority in sorted(
        _authorities([*anchors, *ring.intermediates]), key=lambda one: one.subject.rfc4514_string()
    ):
        if not ring.revocation.material.crls(authority.subject) and not has_answers:
            name = authority.subject.rfc4514_string()
            yield Diagnosis(f"{subject}: {name}", "warning", "no list of this authority", "put one into the folder")


def _authorities(certificates: Iterable[x509.Certificate]) -> Iterator[x509.Certificate]:
    for certificate in certificates:
        try:
            if certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
                yield certificate
        except (x509.ExtensionNotFound, ValueError):
            continue


def _days(until: datetime, now: datetime) -> int:
    return (until - now).days


def _span(span: timedelta) -> str:
    return f"{span.days} days" if span.days else f"{span.seconds // 3600} hours"
