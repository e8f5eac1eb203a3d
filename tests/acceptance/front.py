"""nginx before a target: TLS, certificates of clients, and bodies that are passed on as they come."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import tenacity

from intermediary.testing.servers import free_ports
from tests.acceptance.certificates import Certificates

_CONFIG = """\
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl; listen 127.0.0.2:{port} ssl; server_name localhost;
    ssl_certificate {pki.server}; ssl_certificate_key {pki.server_key};
    ssl_client_certificate {pki.ca}; ssl_verify_client on;
    location / {{
      proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_request_buffering off; proxy_read_timeout 600s;
    }}
    location /closed {{ return 503; }}
    location /moved {{ return 302 https://elsewhere.example/; }}
  }}
}}
"""


@contextmanager
def nginx_before(behind: int, folder: Path, pki: Certificates) -> Iterator[str]:
    """The address of a private nginx that passes on to the port `behind` whoever shows a certificate of our CA.

    Without nginx the test is skipped, or fails if INTERMEDIARY_SERVERS_REQUIRED=1.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        missing = "nginx is missing: apt-get install nginx-light"
        if os.environ.get("INTERMEDIARY_SERVERS_REQUIRED") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    folder.mkdir(exist_ok=True)
    (port,) = free_ports(1)
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, pki=pki, behind=behind))
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(config), "-e", str(folder / "nginx.log")],
        stdin=quiet,
        stdout=quiet,
        stderr=quiet,
    )
    try:
        _await_listening(port)
        yield f"https://localhost:{port}"
    finally:
        process.kill()
        process.wait()


@tenacity.retry(
    stop=tenacity.stop_after_delay(30),
    wait=tenacity.wait_fixed(0.02),
    retry=tenacity.retry_if_exception_type(OSError),
    reraise=True,
)
def _await_listening(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
