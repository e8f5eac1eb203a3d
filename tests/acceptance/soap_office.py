"""A Fachverfahren with a SOAP service that is not of our making: PHP's ext-soap, and nginx for TLS in front of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2
import tenacity

from intermediary.testing.servers import free_ports
from tests.acceptance.certificates import Certificates

PAGES = Path(__file__).parent / "soap"
WSDL = PAGES / "antrag.wsdl"

_NGINX = """\
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl; server_name localhost;
    ssl_certificate {pki.server}; ssl_certificate_key {pki.server_key};
    ssl_client_certificate {pki.ca}; ssl_verify_client on;
    location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_read_timeout 600s; }}
  }}
}}
"""


class ServerMissing(Exception):
    """PHP or nginx is not installed here; the message is the one line that installs it."""


@dataclass
class SoapOffice:
    """One office on 127.0.0.1: `url` is plain HTTP to PHP itself, `tls_url` goes through nginx and wants a certificate.

    `moods` says what goes wrong with the next calls, `journal` every effect, `forgets` makes it take a key again and again.
    """

    folder: Path
    pki: Certificates | None = None
    forgets: bool = False
    port: int = field(default_factory=lambda: free_ports(1)[0])
    tls_port: int = field(default_factory=lambda: free_ports(1)[0])
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/annahme"

    @property
    def tls_url(self) -> str:
        return f"https://localhost:{self.tls_port}/annahme"

    def __enter__(self) -> Self:
        (self.folder / "cases").mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start and return when it answers."""
        for program in ("php", "nginx"):
            if shutil.which(program) is None:
                raise ServerMissing(f"{program} is missing: apt-get install php-cli php-soap nginx-light")
        limits = ("-d", "memory_limit=1G", "-d", "error_reporting=0")
        self._run(["php", *limits, "-S", f"127.0.0.1:{self.port}", str(PAGES / "server.php")])
        if self.pki is not None:
            config = self.folder / "nginx.conf"
            config.write_text(_NGINX.format(folder=self.folder, port=self.tls_port, pki=self.pki, behind=self.port))
            self._run(["nginx", "-p", str(self.folder), "-c", str(config), "-e", str(self.folder / "nginx.log")])
        self._answers(lambda: httpx2.get(self.url))

    def kill(self) -> None:
        """SIGKILL to all of it; what it had committed stays in the folder."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()

    def moods(self, *moods: str) -> None:
        """What the next calls of `einreichen` meet, in order."""
        (self.folder / "moods").write_text("".join(f"{mood}\n" for mood in moods))

    @property
    def left_moods(self) -> list[str]:
        """The moods that no call has met yet."""
        return (self.folder / "moods").read_text().splitlines()

    def decide(self, key: str, state: str) -> None:
        """The case of this key has another state from now on."""
        (self.folder / "cases" / key).write_text(state)

    def answer(self, key: str, document: bytes) -> None:
        """From now on `abfragen` has this document for the key."""
        (self.folder / "answers").mkdir(exist_ok=True)
        (self.folder / "answers" / key).write_bytes(document)

    @property
    def journal(self) -> list[dict[str, Any]]:
        """Every effect so far, as ext-soap has read it."""
        file = self.folder / "journal"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    @property
    def envelope(self) -> bytes:
        """The last envelope, with the parts of MTOM in their places."""
        return (self.folder / "envelope.xml").read_bytes()

    def _run(self, command: list[str]) -> None:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "OFFICE_FOLDER": str(self.folder),
            **({"OFFICE_FORGETS": "1"} if self.forgets else {}),
        }
        quiet = subprocess.DEVNULL
        self._processes.append(subprocess.Popen(command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet))

    def _answers(self, ask: Callable[[], object]) -> None:
        waiting = tenacity.Retrying(
            stop=tenacity.stop_after_delay(30),
            wait=tenacity.wait_fixed(0.02),
            retry=tenacity.retry_if_exception_type(httpx2.TransportError),
            reraise=True,
        )
        waiting(ask)
