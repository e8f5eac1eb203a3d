"""The accounts of channels at XTA services: exchanges, clients, boxes, and the way back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from functools import partial

from intermediary.ingress.doors import DoorRules, Take
from intermediary.ingress.fetching.door import FetchDoor, FetchSettings, Speech
from intermediary.ingress.fetching.pace import Rhythm
from intermediary.ingress.gate import OPEN, Gate
from intermediary.keys.spool import Spool
from intermediary.keys.tls import TlsFiles
from intermediary.settings.channels import Channel
from intermediary.settings.xta import XtaAccount, XtaFetchDoor
from intermediary.unseal.xta.message import XTA_TYPE
from intermediary.unseal.xta.names import MAX_ENTITY_BYTES
from intermediary.unseal.xta.values import Party
from intermediary.xta.client.answers import XtaAnswers, label_of
from intermediary.xta.client.client import XtaClient
from intermediary.xta.client.http import Address, Exchange, HttpExchange, HttpLimits
from intermediary.xta.client.mailbox import MailBox
from intermediary.xta.wire.operations import Port

QUITTUNG_LIMITS = HttpLimits(connect_seconds=5.0, idle_seconds=20.0, total_seconds=25.0, max_answer_bytes=4 * 1024**2)
"""Less than the grace of a stop: what a service says of a Quittung is short."""

_SPEECH = Speech(XTA_TYPE, "xta", "xta.delivery.stuck")
_PORTS: tuple[Port, ...] = ("management", "send", "msgbox")


class Accounts:
    """The clients of one channel, made once per process; connections are opened when they are needed."""

    def __init__(self, channel: Channel, *, spool: Spool, limits: HttpLimits) -> None:
        if channel.xta_fetch is None:
            raise ValueError("the channel fetches from no XTA service")
        door = channel.xta_fetch
        self._clients = {account: _client(channel.name, door, account, spool, limits) for account in door.account}

    def all(self) -> tuple[XtaClient, ...]:
        """In the order of the settings."""
        return tuple(self._clients.values())

    def of(self, account: XtaAccount) -> XtaClient:
        """The client of an account of the channel."""
        return self._clients[account]

    def named(self, kind: str, identifier: str) -> XtaClient | None:
        """The client of an account by its type and identifier."""
        return next(
            (
                client
                for account, client in self._clients.items()
                if (account.identifier_type, account.identifier) == (kind, identifier)
            ),
            None,
        )

    def close(self) -> None:
        """End all connections."""
        for client in self._clients.values():
            client.close()


def open_xta_fetch(
    channel: Channel,
    rules: DoorRules,
    *,
    take: Take,
    spool: Spool,
    clock: Callable[[], datetime],
    gate: Gate = OPEN,
) -> FetchDoor:
    """The door of a channel of type `xta_fetch`: a box for each account."""
    door = channel.xta_fetch
    if door is None:
        raise ValueError("the channel fetches from no XTA service")
    limits = HttpLimits(max_answer_bytes=min(channel.max_bytes, MAX_ENTITY_BYTES))
    accounts = Accounts(channel, spool=spool, limits=limits)
    boxes = [
        MailBox(f"{account.mandant}/{account.identifier}", account.mandant, partial(accounts.of, account))
        for account in door.account
    ]
    how = FetchSettings(rhythm=Rhythm(door.poll_seconds, door.poll_most_seconds), threads=door.threads)
    return FetchDoor(how, rules, boxes, _SPEECH, take=take, clock=clock, gate=gate, close=accounts.close)


def open_xta_answers(channel: Channel, *, spool: Spool, clock: Callable[[], datetime]) -> XtaAnswers:
    """The way back of a channel of type `xta_fetch` through its service."""
    answer = channel.answer
    if answer is None or answer.xta is None:
        raise ValueError("the channel answers by no XTA service")
    accounts = Accounts(channel, spool=spool, limits=QUITTUNG_LIMITS)
    said = answer.xta
    label = label_of(
        said.service,
        said.scenario,
        said.code,
        list_uri=said.list_uri,
        list_version=said.list_version,
        payload_schema=said.payload_schema,
    )
    return XtaAnswers(label, accounts.named, accounts.all, clock=clock, close=accounts.close)


def probe_xta(channel: Channel, *, spool: Spool) -> int:
    """Raise the fault that fetching would meet now: each account is asked whether it is active, nothing is fetched.

    Without a management endpoint each box is listed instead. How many accounts there are.
    """
    accounts = Accounts(channel, spool=spool, limits=HttpLimits(connect_seconds=5.0, total_seconds=30.0))
    has_management = channel.xta_fetch is not None and channel.xta_fetch.management is not None
    try:
        for client in accounts.all():
            if has_management:
                client.check_account_active()
            client.look()
    finally:
        accounts.close()
    return len(accounts.all())


def _client(channel: str, door: XtaFetchDoor, account: XtaAccount, spool: Spool, limits: HttpLimits) -> XtaClient:
    tls = TlsFiles(account.tls_cert, account.tls_key)
    where = f"channel {channel}, account {account.mandant}"
    exchanges: dict[Port, Exchange] = {}
    for port in _PORTS:
        address = door.addresses.get(port)
        if address is not None:
            place = Address(address.url, address.ca_file)
            exchanges[port] = HttpExchange(place, tls, where=f"{where}, {port}", spool=spool, limits=limits)
    party = Party(account.identifier, account.identifier_type)
    return XtaClient(exchanges, party, where=where, spool=spool, random=secrets.token_bytes)
