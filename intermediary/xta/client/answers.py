"""Quittungen by XTA: to the author of the message, through the service that it was fetched from."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs

from intermediary.core.faults import Fault, Misconfigured, Transient, Unclear
from intermediary.core.values import MemoryContent
from intermediary.unseal.xta.container import ContentContainer, Piece
from intermediary.unseal.xta.values import (
    CodeValue,
    DeliveryAttributes,
    MessageMetaData,
    MessageType,
    MsgIdentification,
    Party,
    ProcessId,
    Qualifier,
)
from intermediary.xta.client.client import XtaClient
from intermediary.xta.client.sender import Sender

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Label:
    """How the order of a Quittung is labelled, as agreed with whoever gets it."""

    service: str
    scenario: str
    message_type: MessageType


class XtaAnswers:
    """The way back of a channel through its XTA service; usable from all threads of a worker.

    `client` gives the client of an account by type and identifier, None if the channel has it no more; `accounts` are those
    a probe asks for. The id of a Quittung's order is remembered while the process lives: a repetition after an unclear
    attempt asks for its report first, and arrives once.
    """

    def __init__(
        self,
        label: Label,
        client: Callable[[str, str], XtaClient | None],
        accounts: Callable[[], tuple[XtaClient, ...]],
        *,
        clock: Callable[[], datetime],
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._label = label
        self._client = client
        self._accounts = accounts
        self._clock = clock
        self._close = close
        self._lock = threading.Lock()
        self._ids: OrderedDict[str, str] = OrderedDict()

    def answer(
        self, quittung: bytes, *, quittung_id: str, message_id: str, correlation_id: str, reply_to: str
    ) -> Mapping[str, str]:
        """Send one Quittung to whom the message's order names; what proves that the service has it.

        Raises `Misconfigured` when there is no way back or the service refuses it, `Transient("receipt.unreachable")` when
        it cannot be told now or nobody knows whether it was.
        """
        to, client = self._way(reply_to)
        order = self._order(to, client.account, message_id, correlation_id, quittung_id)
        name = f"quittung-{quittung_id}.json"
        container = ContentContainer(
            Piece(MemoryContent(quittung), "application/json", filename=name, encoding="UTF-8")
        )
        try:
            sent = Sender(client).send(
                order, container, known=self._id(quittung_id), remember=lambda one: self._remember(quittung_id, one)
            )
        except Misconfigured:
            raise
        except (Transient, Unclear) as fault:
            raise Transient("receipt.unreachable", where=_place(fault)) from fault
        except Fault as fault:
            raise Misconfigured("receipt.undeliverable", where=_place(fault)) from fault
        self._forget(quittung_id)
        return {
            "xta_service": client.where,
            "xta_message_id": sent.message_id,
            "xta_told_by": "TransportReport" if sent.by_report else "sendMessage",
            "sha256": hashlib.sha256(quittung).hexdigest(),
        }

    def probe(self) -> None:
        """Raise the fault that an answer would meet now: every account is asked whether it is active."""
        for client in self._accounts():
            client.check_account_active()

    def close(self) -> None:
        """End the connections, at the end of the process."""
        self._close()

    def _way(self, reply_to: str) -> tuple[Party, XtaClient]:
        """Whom a Nachricht is answered to, and by which account (`mailbox.reply_way`)."""
        kind, _mark, query = reply_to.partition(":?")
        said = {name: values[0] for name, values in parse_qs(query).items()} if kind == "xta" else {}
        client = self._client(said.get("own_type", ""), said.get("own_id", ""))
        if "id" not in said or client is None:
            raise Misconfigured("receipt.undeliverable", where="xta: no account for this message")
        to = Party(said["id"], said.get("type", "xoev"), said.get("name", ""), said.get("category", ""))
        return to, client

    def _order(
        self, to: Party, account: Party, message_id: str, correlation_id: str, quittung_id: str
    ) -> MessageMetaData:
        process = ProcessId(correlation_id) if correlation_id else None
        now = self._clock().astimezone(UTC).isoformat(timespec="seconds")
        return MessageMetaData(
            author=account,
            reader=to,
            identification=MsgIdentification("", (message_id,), process),
            qualifier=Qualifier(
                self._label.service, self._label.scenario, self._label.message_type, f"Quittung {quittung_id}"
            ),
            delivery=DeliveryAttributes(origin=now),
        )

    def _id(self, quittung_id: str) -> str:
        with self._lock:
            return self._ids.get(quittung_id, "")

    def _remember(self, quittung_id: str, message_id: str) -> None:
        with self._lock:
            self._ids[quittung_id] = message_id
            while len(self._ids) > _REMEMBERED:
                self._ids.popitem(last=False)

    def _forget(self, quittung_id: str) -> None:
        with self._lock:
            self._ids.pop(quittung_id, None)


def label_of(service: str, scenario: str, code: str, *, list_uri: str, list_version: str, payload_schema: str) -> Label:
    """The label from what the settings say."""
    return Label(service, scenario, MessageType(CodeValue(code, list_uri, list_version), payload_schema))


def _place(fault: Fault) -> str:
    return f"{fault.code}: {fault.where}"
