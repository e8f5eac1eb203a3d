"""Who calls: the account of a client certificate, and whether it may speak in the name it gives (faults 9010–9014)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from intermediary.keys.accounts import Account
from intermediary.keys.partners import Partners
from intermediary.xta.server.refusal import Refused


@dataclass(frozen=True, slots=True)
class Client:
    """An account that was let in; `certificate` is the SHA-256 of the one it showed."""

    kennung: str
    certificate: str
    account: Account = field(repr=False)

    def demand_name(self, identifier: str) -> None:
        """Refuse an Author who is another one (9014)."""
        if identifier not in self.account.identifiers:
            raise Refused("9014")

    def has_booked(self, service: str) -> bool:
        """Whether the account may use a service."""
        return self.account.services is None or service in self.account.services

    def demand_service(self, service: str) -> None:
        """Refuse a service the account has not booked (9013)."""
        if not self.has_booked(service):
            raise Refused("9013")


def let_in(partners: Partners, certificate: str, now: datetime) -> Client:
    """The account of a client certificate (SHA-256, hex), or `Refused`.

    TLS has proven already that a listed CA vouches for it and that it holds its key; here it must be listed itself
    (9012), be in force still (9010: a connection may outlive its certificate), and its account be open (9011).
    """
    partner = partners.by_client(certificate)
    account = partner.account if partner is not None else None
    if partner is None or account is None:
        raise Refused("9012")
    (shown,) = [one for one, known in zip(account.clients, account.fingerprints, strict=True) if known == certificate][
        :1
    ]
    if not shown.not_valid_before_utc <= now <= shown.not_valid_after_utc:
        raise Refused("9010")
    if account.locked:
        raise Refused("9011")
    return Client(partner.kennung, certificate, account)
