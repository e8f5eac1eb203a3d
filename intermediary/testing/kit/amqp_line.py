"""A line to a broker that understands what passes (AMQP 0-9-1): spoils a publication before the broker has it, or after."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

from pika import frame, spec

from intermediary.testing.kit.target import Trouble

_PIECE = 1 << 16
_DRIP_SECONDS = 0.02
_HUGE = 16 << 20
_HEARTBEAT = frame.Heartbeat().marshal()
_FORCED = frame.Method(0, spec.Connection.Close(320, "CONNECTION_FORCED", 0, 0)).marshal()
_INTERNAL = frame.Method(0, spec.Connection.Close(541, "INTERNAL_ERROR", 0, 0)).marshal()
_ACCESS = frame.Method(0, spec.Connection.Close(403, "ACCESS_REFUSED", 0, 0)).marshal()

BEFORE = frozenset({Trouble.BURST, Trouble.RESET_BEFORE, Trouble.ERROR_BODY})
AFTER = frozenset(
    {
        Trouble.RESET_AFTER,
        Trouble.ERROR_AFTER,
        Trouble.GATEWAY_AFTER,
        Trouble.SILENT_AFTER,
        Trouble.DRIP_AFTER,
        Trouble.HUGE_AFTER,
        Trouble.WRONG_TYPE_AFTER,
        Trouble.FOREIGN_ID_AFTER,
    }
)
AT_THE_DOOR = frozenset({Trouble.BUSY, Trouble.UNAUTHORIZED})


class AmqpLine:
    """Listens on a free port of 127.0.0.1 and forwards to the broker. `mood` is asked once per publication, and at the door.

    A publication that is spoilt before never reaches the broker; one that is spoilt after has been confirmed by it.
    """

    def __init__(self, broker_port: int, mood: Callable[[frozenset[Trouble]], Trouble | None]) -> None:
        self._broker_port = broker_port
        self._mood = mood
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._listen, name="amqp-line", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """No new connections; those that stand are cut."""
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for one in tuple(self._open):
            _cut(one)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        trouble = self._mood(AT_THE_DOOR)
        with client, contextlib.suppress(OSError):
            if trouble is Trouble.BUSY:
                _cut(client)
                return
            with socket.create_connection(("127.0.0.1", self._broker_port)) as broker:
                self._open |= {client, broker}
                passage = _Passage(client, broker, self._mood, self._over, is_let_in=trouble is None)
                back = threading.Thread(target=_until_the_end, args=(passage.back,), daemon=True)
                back.start()
                _until_the_end(passage.there)
                _cut(broker)
                back.join()
                self._open -= {client, broker}


class _Passage:
    """One connection: what goes there and what comes back."""

    def __init__(
        self,
        client: socket.socket,
        broker: socket.socket,
        mood: Callable[[frozenset[Trouble]], Trouble | None],
        over: threading.Event,
        *,
        is_let_in: bool,
    ) -> None:
        self._client, self._broker = client, broker
        self._mood, self._over = mood, over
        self._is_let_in = is_let_in
        self._trouble: Trouble | None = None

    def there(self) -> None:
        """Frames of the client, until it ends or is cut."""
        self._broker.sendall(_exactly(self._client, 8))  # the protocol header
        is_swallowed = False
        for index, data in _frames(self._client):
            if index == spec.Connection.StartOk.INDEX and not self._is_let_in:
                self._client.sendall(_ACCESS)
                is_swallowed = True
            if index == spec.Basic.Publish.INDEX:
                self._trouble = self._mood(BEFORE | AFTER)
                if self._trouble in BEFORE:
                    self._spoil_before(data)
                    is_swallowed = True
            if not is_swallowed:
                self._broker.sendall(data)

    def back(self) -> None:
        """Frames of the broker; a confirm meets its trouble here."""
        for index, data in _frames(self._broker):
            if index == spec.Basic.Ack.INDEX and self._trouble in AFTER:
                self._spoil_after(data)
            else:
                self._client.sendall(data)

    def _spoil_before(self, publication: bytes) -> None:
        """The broker does not get it."""
        channel = struct.unpack(">H", publication[1:3])[0]
        match self._trouble:
            case Trouble.RESET_BEFORE:
                _cut(self._client)
            case Trouble.BURST:
                self._client.sendall(_INTERNAL)
            case Trouble.ERROR_BODY:  # nobody wants it, and that is confirmed
                self._client.sendall(
                    frame.Method(channel, spec.Basic.Return(312, "NO_ROUTE", "", "")).marshal()
                    + frame.Header(channel, 0, spec.BasicProperties()).marshal()
                    + frame.Method(channel, spec.Basic.Ack(1)).marshal()
                )

    def _spoil_after(self, confirm: bytes) -> None:
        """The broker has it, and its word for that is lost or changed."""
        channel = struct.unpack(">H", confirm[1:3])[0]
        if self._trouble is Trouble.RESET_AFTER:
            _cut(self._client)
        if self._trouble is Trouble.DRIP_AFTER:  # signs of life for ever, byte by byte, and never the confirm
            while not self._over.is_set():
                for byte in _HEARTBEAT:
                    self._client.sendall(bytes([byte]))
                    self._over.wait(_DRIP_SECONDS)
        instead = {
            Trouble.ERROR_AFTER: frame.Method(channel, spec.Basic.Nack(1)).marshal(),
            Trouble.FOREIGN_ID_AFTER: frame.Method(channel, spec.Basic.Ack(4711)).marshal(),
            Trouble.GATEWAY_AFTER: _FORCED,
            Trouble.WRONG_TYPE_AFTER: b"HTTP/1.1 200 OK\r\n\r\n<html>Anmeldung</html>",
            Trouble.HUGE_AFTER: struct.pack(">BHL", spec.FRAME_METHOD, channel, _HUGE) + bytes(_HUGE),
        }
        if self._trouble in instead:
            self._client.sendall(instead[self._trouble])


def _frames(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Each frame as it came, with the number of its method (0 for any other kind); ends with the connection."""
    while True:
        head = _exactly(connection, 7)
        kind, _, size = struct.unpack(">BHL", head)
        payload = _exactly(connection, size + 1)
        index = struct.unpack(">L", payload[:4])[0] if kind == spec.FRAME_METHOD else 0
        yield index, head + payload


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        piece = connection.recv(min(count - len(data), _PIECE))
        if not piece:
            raise ConnectionResetError
        data += piece
    return bytes(data)


def _until_the_end(pump: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        pump()


def _cut(connection: socket.socket) -> None:
    """End it so that both sides notice: RST to the other one, and an end to whoever waits for it here."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
