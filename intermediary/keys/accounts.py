"""What a partner may do who connects to us: by which certificates it is known, and in whose name it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from intermediary.keys.entries import EntryReader

_ACCOUNT = ("client", "identifiers", "services", "locked")


@dataclass(frozen=True, slots=True)
class Account:
    """The account of a partner at our XTA server.

    `clients` are its TLS certificates (several: an overlap rotation), `identifiers` the Kennungen it may name as Author and
    that are addressed as its own, `services` the services it has booked (None: all). A locked one is turned away.
    """

    clients: tuple[x509.Certificate, ...] = field(default=(), repr=False)
    identifiers: tuple[str, ...] = ()
    services: tuple[str, ...] | None = None
    locked: bool = False

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """What the server sees of each certificate: SHA-256 of its DER form, in hex."""
        return tuple(sha256(one.public_bytes(Encoding.DER)).hexdigest() for one in self.clients)


class AccountReader(EntryReader):
    """The part of a reader that knows `[partner.account]`."""

    def _account(self, entry: Mapping[str, Any], place: str, kennung: str) -> Account | None:
        if "account" not in entry:
            return None
        table, inside = entry["account"], f"{place}.account"
        if not isinstance(table, dict):
            self._note(self._code, inside, hint="written as [partner.account]")
            return None
        self._known(table, _ACCOUNT, inside)
        locked = table.get("locked", False)
        if not isinstance(locked, bool):
            self._note(self._code, f"{inside}.locked", hint="true or false")
        clients = tuple(self._certificate_files(table.get("client", []), f"{inside}.client"))
        if not clients and not table.get("client"):
            self._note(self._code, f"{inside}.client", hint="at least one PEM file with a TLS client certificate")
        return Account(
            clients=clients,
            identifiers=self._texts(table.get("identifiers", [kennung]), f"{inside}.identifiers") or (kennung,),
            services=self._texts(table["services"], f"{inside}.services") if "services" in table else None,
            locked=locked is True,
        )

    def _texts(self, value: object, place: str) -> tuple[str, ...]:
        if isinstance(value, list) and all(isinstance(one, str) and one and one == one.strip() for one in value):
            return tuple(value)
        self._note(self._code, place, hint="a list of texts")
        return ()
