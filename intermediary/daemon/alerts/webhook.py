"""A webhook: one POST with JSON to an address of the operator's; nothing is followed, no proxy is used."""

from __future__ import annotations

from pathlib import Path

import httpx2

from intermediary.connect.watchdog import Watchdog
from intermediary.core.faults import Misconfigured
from intermediary.daemon.alerts.way import Letter, NotTold
from intermediary.osci.client.http import tls_context

_TOTAL_SECONDS = 15.0
_TIMEOUT = httpx2.Timeout(5.0)


class WebhookWay:
    """POSTs `Letter.body()`; any 2xx means that it was taken. The header `Idempotency-Key` is the id of the alert."""

    name = "webhook"

    def __init__(self, url_file: Path, ca_file: Path | None = None) -> None:
        self._url_file = url_file
        self._ca_file = ca_file

    def tell(self, letter: Letter) -> None:
        try:
            url = self._url_file.read_text(encoding="utf-8").strip()
            context = tls_context(self._ca_file, "alerts")
        except (OSError, UnicodeDecodeError, Misconfigured) as failure:
            raise NotTold("webhook_url_file or webhook_ca_file cannot be read") from failure
        try:
            with (
                Watchdog(_TOTAL_SECONDS) as dog,
                httpx2.Client(verify=context, timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client,
                client.stream(
                    "POST",
                    url,
                    json=letter.body(),
                    headers={"User-Agent": "intermediary", "Idempotency-Key": letter.id},
                    extensions={"trace": dog.trace},
                ) as response,
            ):
                status = response.status_code
        except (httpx2.HTTPError, httpx2.InvalidURL) as failure:
            raise NotTold(type(failure).__name__) from failure
        if not httpx2.codes.is_success(status):
            raise NotTold(f"HTTP {status}")
