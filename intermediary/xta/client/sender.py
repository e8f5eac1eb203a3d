"""Sends one message so that it arrives once: an id of the service's, and its report before another one is taken.

A gateway knows its orders by the id it gave out. Whoever repeats under the same id is told that it is taken (9024); whether
the order under it is complete, the TransportReport says. Only where there is none the message goes out under a new id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from intermediary.core.faults import Misconfigured, Rejected, Transient, Unclear
from intermediary.unseal.xta.container import ContentContainer
from intermediary.unseal.xta.values import MessageMetaData
from intermediary.xta.client.client import XtaClient
from intermediary.xta.wire.entity import SealedXml
from intermediary.xta.wire.report import RED, TransportReport

_UNKNOWN = "xta.message-id.unknown"
_USED = "xta.message-id.used"
_REFUSED = "xta.parameter"


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the gateway has: the id of its order, and whether its report is what told so."""

    message_id: str
    by_report: bool = False


class Sender:
    """Sends messages of one client. `known` and `remember` are the memory for the id of one message, across attempts."""

    def __init__(self, client: XtaClient) -> None:
        self._client = client

    def send(
        self,
        order: MessageMetaData,
        container: ContentContainer | SealedXml,
        *,
        known: str = "",
        remember: Callable[[str], None] = lambda _message_id: None,
    ) -> Sent:
        """Hand the message over under an id of the service. `order.message_id` is not looked at.

        `known` is the id of an earlier attempt whose outcome is not known: it is asked for first. `remember` is called with
        a new id before anything goes out under it. Raises as `XtaClient.send_message`; `Unclear` says that the id is to be
        remembered, and so does `Transient`.
        """
        if known and self._has_arrived(known):
            return Sent(known, by_report=True)
        message_id = known or self._new(remember)
        try:
            self._client.send_message(_under(order, message_id), container)
        except (Unclear, Misconfigured) as fault:
            if fault.code == _USED:
                if self._has_arrived(message_id):
                    return Sent(message_id, by_report=True)
            elif not (known and fault.code == _REFUSED):  # an id of long ago may not be taken any more
                raise
            message_id = self._new(remember)
            self._client.send_message(_under(order, message_id), container)
        return Sent(message_id)

    def report(self, message_id: str) -> TransportReport | None:
        """What became of an order; None if the gateway has none of this id."""
        try:
            return self._client.transport_report(message_id)
        except Transient as fault:
            if fault.code == _UNKNOWN:
                return None
            raise

    def outcome(self, message_id: str) -> bool | None:
        """Whether an order has reached its reader: None while it is under way. `Rejected` when it has failed for good."""
        report = self.report(message_id)
        if report is None or not report.is_final:
            return None
        if report.status >= RED:
            raise Rejected("xta.refused.delivery", where=f"{self._client.where}: status {report.status}")
        return True

    def _has_arrived(self, message_id: str) -> bool:
        report = self.report(message_id)
        return report is not None and report.status < RED

    def _new(self, remember: Callable[[str], None]) -> str:
        message_id = self._client.create_message_id()
        remember(message_id)
        return message_id


def _under(order: MessageMetaData, message_id: str) -> MessageMetaData:
    return replace(order, identification=replace(order.identification, message_id=message_id))
