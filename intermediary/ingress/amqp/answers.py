"""Publishes Quittungen to the sender's queue, and says so only when the broker has stored them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import TimeoutError as NotInTime

from intermediary.core.faults import Misconfigured, Transient
from intermediary.ingress.amqp.line import LineDown
from intermediary.ingress.amqp.outlet import NotConfirmed, Outgoing, Publisher, Unroutable
from intermediary.ingress.amqp.probe import probe_queue

QUITTUNG_TYPE = "application/vnd.intermediary.quittung+json"


class AmqpAnswers:
    """The way back of an AMQP channel; one per channel and worker process, usable from all its threads.

    The connection is opened with the first Quittung and anew after it has ended. `queue` is used where the sender named
    no `reply_to`. The queues belong to whoever reads them: they are not declared here.
    """

    def __init__(
        self,
        url: str,
        *,
        queue: str,
        name: str = "intermediary answers",
        confirm_seconds: float = 15.0,
        connect_seconds: float = 5.0,
        heartbeat_seconds: int = 30,
    ) -> None:
        self._url = url
        self._connect_seconds = connect_seconds
        self._publisher = Publisher(
            url, name=name, connect_seconds=connect_seconds, heartbeat_seconds=heartbeat_seconds
        )
        self._queue = queue
        self._confirm_seconds = confirm_seconds

    def answer(
        self, quittung: bytes, *, quittung_id: str, message_id: str, correlation_id: str, reply_to: str
    ) -> Mapping[str, str]:
        """Publish one Quittung, persistent and mandatory, and return what proves that the broker has it.

        Raises `Misconfigured("receipt.undeliverable")` when the queue does not exist and
        `Transient("receipt.unreachable")` when the broker cannot take it now. Then it may have been published all the
        same: the next attempt has the same `quittung_id`.
        """
        queue = reply_to or self._queue
        if not queue:
            return {"sent": "the sender named no queue, and none is configured"}
        if self._publisher.is_blocked:
            raise Transient("receipt.unreachable")
        message = Outgoing(
            queue=queue,
            body=quittung,
            content_type=QUITTUNG_TYPE,
            message_id=quittung_id,
            correlation_id=_fitting(correlation_id) or _fitting(message_id),
        )
        try:
            future = self._publisher.submit(message)
        except OSError as error:  # this process may open nothing more
            raise Transient("receipt.unreachable") from error
        try:
            future.result(self._confirm_seconds)
        except Unroutable as error:
            raise Misconfigured("receipt.undeliverable") from error
        except (LineDown, NotConfirmed) as error:
            raise Transient("receipt.unreachable") from error
        except NotInTime as error:
            future.cancel()
            raise Transient("receipt.unreachable") from error
        return {"amqp_queue": queue, "amqp_message_id": quittung_id, "sha256": hashlib.sha256(quittung).hexdigest()}

    def probe(self) -> None:
        """Raise the fault that an answer would meet now, without sending one."""
        probe_queue(self._url, self._queue, connect_seconds=self._connect_seconds)

    def close(self) -> None:
        """End the connection, at the end of the process."""
        self._publisher.close()


def _fitting(value: str) -> str:
    """A property holds 255 bytes of UTF-8; what a folder or another channel allowed may be longer and is left out."""
    return value if len(value.encode()) <= 255 else ""
