"""Receivers of alerts: a webhook and a mail relay of our own, on free ports, that remember what they got."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


class Webhook:
    """Answers POSTs with what `status` says for the n-th one; keeps bodies and headers of all."""

    def __init__(self, status: Callable[[int], int] = lambda _: 204) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.bodies.append(json.loads(body))
                receiver.headers.append(dict(self.headers))
                code = status(len(receiver.bodies))
                self.send_response(code)
                self.send_header("Content-Length", "0")
                if code // 100 == 3:
                    self.send_header("Location", f"{receiver.url}/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/alerts"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class MailRelay:
    """As much of SMTP as a client needs; keeps envelope and text of every mail.

    `refuse` is an answer to DATA, `knows` what it says it can do (`AUTH PLAIN`).
    """

    def __init__(self, refuse: str = "", knows: str = "") -> None:
        self.mails: list[tuple[str, list[str], str]] = []
        relay = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                sender, receivers = "", []
                self.wfile.write(b"220 relay\r\n")
                while line := self.rfile.readline().decode().strip():
                    verb = line.upper()
                    if verb.startswith("EHLO") and knows:
                        self.wfile.write(b"250-relay\r\n250 " + knows.encode() + b"\r\n")
                        continue
                    if verb.startswith("MAIL FROM:"):
                        sender = line[10:].split(">")[0].strip("<> ")
                    elif verb.startswith("RCPT TO:"):
                        receivers.append(line[8:].split(">")[0].strip("<> "))
                    elif verb == "DATA" and not refuse:
                        self.wfile.write(b"354 go on\r\n")
                        lines = []
                        while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                            lines.append(text)
                        relay.mails.append((sender, receivers, "\n".join(lines)))
                    elif verb == "QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                    self.wfile.write((refuse if verb == "DATA" and refuse else "250 ok").encode() + b"\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
