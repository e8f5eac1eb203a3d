"""Asks a broker whether it answers and whether a queue exists, for `doctor`; without any effect."""

from __future__ import annotations

import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from intermediary.core.faults import Misconfigured, Transient


def probe_queue(url: str, queue: str, *, connect_seconds: float) -> None:
    """Raise `Transient("receipt.unreachable")` when the broker does not answer, `Misconfigured("receipt.undeliverable")`
    when it does not know the queue. An empty `queue` asks for the broker only.
    """
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = connect_seconds
    try:
        connection = pika.BlockingConnection(parameters)
    except (AMQPError, OSError) as error:
        raise Transient("receipt.unreachable") from error
    try:
        if queue:
            connection.channel().queue_declare(queue, passive=True)
    except ChannelClosedByBroker as error:
        raise Misconfigured("receipt.undeliverable", where=f"queue {queue}") from error
    except AMQPError as error:
        raise Transient("receipt.unreachable") from error
    finally:
        if connection.is_open:
            connection.close()
