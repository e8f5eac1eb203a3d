"""A connection to the target's broker for one call, and what each of its ends says about what was published (G4)."""

from __future__ import annotations

import ipaddress
import re
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pika
from pika import exceptions as trouble
from pika import frame as frames
from pika import spec
from pika.adapters.blocking_connection import BlockingChannel

from connectors.amqp.settings import AmqpSettings, Tls
from intermediary.connect.api import Fault, Misconfigured, Transient, Unclear, read_secret

_MALFORMED = (ValueError, OverflowError, OSError, RecursionError, struct.error, IndexError, trouble.ProtocolSyntaxError)
_ACCESS = (
    trouble.AuthenticationError,
    trouble.ProbableAuthenticationError,
    trouble.ProbableAccessDeniedError,
)
_OF_OUR_CERTIFICATE = re.compile(r"ALERT_([A-Z]+_)?CERTIFICATE|ALERT_UNKNOWN_CA|ALERT_ACCESS_DENIED")
_NOT_FOUND, _NO_ACCESS, _NOT_ALLOWED, _PRECONDITION = 404, 403, 530, 406
_REFUSED = {
    _NOT_FOUND: "target.unroutable",
    _NO_ACCESS: "target.credentials",
    _NOT_ALLOWED: "target.credentials",
    _PRECONDITION: "target.document.too-large",
}


class _Connection(pika.SelectConnection):
    """A connection that no answer can break: properties that pika cannot decode arrive as none at all (threat T25)."""

    def _read_frame(self) -> Any:
        try:
            return super()._read_frame()  # type: ignore[misc]
        except _MALFORMED:
            buffer: bytes = self._frame_buffer  # type: ignore[attr-defined]  # not in the stubs
            kind, channel, size = struct.unpack(">BHL", buffer[:7])
            if kind != spec.FRAME_HEADER:
                raise
            (body_size,) = struct.unpack_from(">Q", buffer, 11)
            end = spec.FRAME_HEADER_SIZE + size + spec.FRAME_END_SIZE
            return end, frames.Header(channel, body_size, spec.BasicProperties())

    def end_after(self, seconds: float) -> None:
        """End the connection if it still stands then: a queue without a leader confirms nothing and denies nothing."""
        self._adapter_call_later(seconds, lambda: self._terminate_stream(trouble.AMQPHeartbeatTimeout()))  # type: ignore[attr-defined]  # not in the stubs


@contextmanager
def opened(settings: AmqpSettings) -> Iterator[BlockingChannel]:
    """A channel of a connection of its own: no idle one that just ended makes an unclear outcome.

    Raises `Misconfigured` (address, TLS, credentials) or `Transient("target.unreachable")`; nothing was published then.
    Heartbeats are answered while a call waits or sends, however long that takes.
    """
    connection = _connected(settings)
    try:
        connection._impl.end_after(settings.confirm_seconds)  # type: ignore[attr-defined]  # not in the stubs
        try:
            channel = connection.channel()
        except (trouble.AMQPError, OSError) as error:
            raise _fault_before(error, _place(connection)) from error
        yield channel
    finally:
        with suppress(trouble.AMQPError, OSError):
            if connection.is_open:
                connection.close()


def publish(channel: BlockingChannel, settings: AmqpSettings, properties: pika.BasicProperties, body: bytes) -> None:
    """Publish one message with `mandatory` and wait for the broker's confirm.

    Returns when the broker has stored it. `Misconfigured("target.unroutable")` when no queue got it, `Unclear` when the
    confirm did not come, or the broker could not say yes.
    """
    try:
        channel.confirm_delivery()
    except (trouble.AMQPError, OSError) as error:
        raise _fault_before(error, _place(channel.connection)) from error
    try:
        channel.basic_publish(settings.exchange, settings.routing_key, body, properties, mandatory=True)
    except trouble.UnroutableError as error:
        raise Misconfigured("target.unroutable", where="routing_key") from error
    except trouble.NackError as error:
        if settings.nack_is_full:
            raise Transient("target.full", where="routing_key") from error
        raise Unclear("target.no-answer", where="nack") from error
    except trouble.ChannelClosedByBroker as error:
        raise _refusal(error) or Unclear("target.no-answer", where="channel") from error
    except (trouble.AMQPError, OSError) as error:
        raise Unclear("target.no-answer", where="confirm") from error


def examine(settings: AmqpSettings) -> None:
    """Read the address and the files of certificates, without the network; raises `Misconfigured`."""
    _parameters(settings)


def probe_queue(settings: AmqpSettings, queue: str) -> None:
    """Whether the queue is there, asked by a passive declaration; without effect."""
    with opened(settings) as channel:
        try:
            channel.queue_declare(queue, passive=True)
        except (trouble.AMQPError, OSError) as error:
            raise fault_asking(error, channel) from error


def fault_asking(error: Exception, channel: BlockingChannel) -> Fault:
    """What the end of a connection means to somebody who only asked."""
    refusal = _refusal(error) if isinstance(error, trouble.ChannelClosedByBroker) else None
    return refusal or Transient("target.unreachable", where=_place(channel.connection))


def _connected(settings: AmqpSettings) -> pika.BlockingConnection:
    parameters = _parameters(settings)
    try:
        return pika.BlockingConnection(parameters, _impl_class=_Connection)  # type: ignore[arg-type]  # stubs want an instance
    except (trouble.AMQPError, OSError) as error:
        raise _fault_before(error, _named(parameters)) from error


def _place(connection: pika.BlockingConnection) -> str:
    parameters: pika.URLParameters = connection._impl.params  # type: ignore[attr-defined]  # not in the stubs
    return _named(parameters)


def _named(parameters: pika.URLParameters) -> str:
    """Which broker is meant: of the URL nothing but host and port."""
    return f"url_file: {parameters.host}:{parameters.port}"


def _parameters(settings: AmqpSettings) -> pika.URLParameters:
    scheme, parameters = _address(read_secret(settings.url_file).strip())
    if parameters is None:
        raise Misconfigured("target.misconfigured", where="url_file: no amqp URL")
    host = parameters.host
    if scheme == "amqp" and not _is_this_machine(host):
        raise Misconfigured("target.tls", where="url_file: amqps is needed to another machine")
    parameters.ssl_options = pika.SSLOptions(_context(settings.tls), host) if scheme == "amqps" else None
    parameters.heartbeat = settings.heartbeat_seconds
    parameters.connection_attempts = 1
    parameters.socket_timeout = settings.connect_seconds
    parameters.stack_timeout = settings.connect_seconds
    parameters.blocked_connection_timeout = settings.confirm_seconds
    parameters.client_properties = {"connection_name": "intermediary connector amqp"}
    return parameters


def _address(url: str) -> tuple[str, pika.URLParameters | None]:
    """The scheme of an AMQP URL and what pika makes of it, or None."""
    try:
        scheme = urlsplit(url).scheme
        return scheme, pika.URLParameters(url) if scheme in ("amqp", "amqps") else None
    except Exception:  # pika raises what it likes, with the URL and its password inside: nothing of it is chained
        return "", None


def _context(tls: Tls) -> ssl.SSLContext:
    setting = "tls.ca_file"
    try:
        context = ssl.create_default_context(cafile=None if tls.ca_file is None else str(tls.ca_file))
        if tls.client_cert is not None:
            setting = "tls.client_cert, tls.client_key"
            context.load_cert_chain(tls.client_cert, tls.client_key, password=_no_password)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise Misconfigured("target.tls", where=setting) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _fault_before(error: BaseException, place: str) -> Fault:
    """What a failure means while certainly nothing was published."""
    causes = tuple(_causes(error))
    if any(_is_tls(one) for one in causes):
        return Misconfigured("target.tls", where=place)
    if any(isinstance(one, _ACCESS) for one in causes):
        return Misconfigured("target.credentials", where=place)
    for one in causes:
        if isinstance(one, trouble.ConnectionClosedByBroker | trouble.ChannelClosedByBroker):
            return _refusal(one) or Transient("target.unreachable", where=place)
    return Transient("target.unreachable", where=place)


def _is_tls(error: BaseException) -> bool:
    """With TLS 1.3 a broker refuses our certificate after the handshake; of that pika keeps only the text."""
    if isinstance(error, ssl.SSLError):
        return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    return isinstance(error, trouble.AMQPError) and _OF_OUR_CERTIFICATE.search(str(error.args)) is not None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all it holds: pika keeps causes as arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *(part for part in one.args if isinstance(part, BaseException))]


def _refusal(error: trouble.ConnectionClosedByBroker | trouble.ChannelClosedByBroker) -> Misconfigured | None:
    """The broker said why it took nothing (AMQP 0-9-1, 1.2: 403, 404, 406, 530)."""
    code = _REFUSED.get(error.reply_code)
    return None if code is None else Misconfigured(code, where=f"broker: {error.reply_code}")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _no_password() -> str:
    """Without this, OpenSSL asks the terminal for the passphrase of an encrypted key."""
    raise ValueError("the key of a client certificate has no passphrase")
