"""What `lint` and `doctor` see of our XTA server: who may come in, and whether what is laid into a box can be fetched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from intermediary.core.faults import Misconfigured
from intermediary.keys.partners import Partner
from intermediary.operations.diagnosis import Diagnosis, bad, counted
from intermediary.operations.https import certificate
from intermediary.route.table import RoutingTable
from intermediary.settings.finding import Finding
from intermediary.settings.models import Settings
from intermediary.settings.xta_passive import XtaPassiveDoor
from intermediary.wiring.configuration import read_partners

_CONNECTOR = "xta_postfach"


def lint_post_boxes(settings: Settings, table: RoutingTable) -> Iterator[Finding]:
    """A box needs a server that serves its Mandant, and a reader with an account there: else nobody ever fetches."""
    file = settings.installation.routes
    served = {mandant for one in settings.channel if one.xta_passive for mandant in one.mandanten}
    try:
        partners = read_partners(settings)
    except Misconfigured:
        return  # the lint of the directory has said it
    for route in table.routes:
        for target in route.targets:
            if target.connector != _CONNECTOR:
                continue
            path = f"route[{route.name}].target[{target.name}]"
            if route.mandant not in served:
                what = f'no channel of type "xta_passive" serves "{route.mandant}": nobody can fetch from this box'
                yield Finding(file, f"{path}.connector", what, "add the channel, or this Mandant to its `mandanten`")
            reader = str(target.settings.get("account", ""))
            if reader and (reader not in partners or partners.named(reader).account is None):
                what = f'the directory of partners has no account for "{reader}": nobody can fetch from this box'
                yield Finding(
                    file, f"{path}.settings.account", what, "add [partner.account] with its client certificate"
                )


def xta_server(subject: str, door: XtaPassiveDoor, settings: Settings, now: datetime) -> Iterator[Diagnosis]:
    """A line for the address with its certificate, one for the accounts, and one for each that no certificate opens."""
    yield certificate(subject, door, now)
    try:
        partners = read_partners(settings).all()
    except Misconfigured as fault:
        yield bad(subject, fault)
        return
    known = [one for one in partners if one.account is not None]
    locked = sum(one.account is not None and one.account.locked for one in known)
    said = f"{counted(len(known), 'account')} may connect" + (f", {locked} of them locked" if locked else "")
    if not known:
        yield Diagnosis(subject, "warning", "no partner has an account: nobody can connect", "add [partner.account]")
        return
    yield Diagnosis(subject, "ok", said)
    authorities = _authorities(door)
    for one in known:
        clients = _in_force(one, now)
        if not clients:
            what = f"no client certificate of {one.kennung} is in force"
            yield Diagnosis(subject, "warning", what, "have its new certificate sent, and list it beside the old one")
        elif authorities and not any(_is_issued(client, authorities) for client in clients):
            what = f"no client certificate of {one.kennung} was issued by a CA of {door.client_ca}"
            hint = "put that CA into `client_ca` and start anew; else only clients that send it in their chain get in"
            yield Diagnosis(subject, "warning", what, hint)


def _in_force(partner: Partner, now: datetime) -> list[x509.Certificate]:
    clients = partner.account.clients if partner.account is not None else ()
    return [one for one in clients if one.not_valid_before_utc <= now <= one.not_valid_after_utc]


def _authorities(door: XtaPassiveDoor) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(door.client_ca.read_bytes())
    except (OSError, ValueError):
        return []  # the line of the address has told it


def _is_issued(certificate: x509.Certificate, authorities: list[x509.Certificate]) -> bool:
    for authority in authorities:
        with suppress(ValueError, TypeError, InvalidSignature):
            certificate.verify_directly_issued_by(authority)
            return True
    return False
