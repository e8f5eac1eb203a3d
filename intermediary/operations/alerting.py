"""The lines of `doctor` on alerts: is there an address, and does the relay answer; nothing is sent."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from urllib.parse import urlsplit

from intermediary.operations.diagnosis import Diagnosis
from intermediary.settings.kinds import host_of, port_of
from intermediary.settings.models import Settings

_SECONDS = 5.0
_TRY = "`intermediary incidents test` sends a probe"


def alerting(settings: Settings) -> Iterator[Diagnosis]:
    """A line for each way that is configured, or one that says that only the log tells."""
    asked = settings.alerts
    if asked.webhook_url_file is None and asked.mail_server is None:
        yield Diagnosis("alerts", "ok", "only the log of the daemon tells of incidents")
    if asked.webhook_url_file is not None:
        yield _webhook(settings)
    if asked.mail_server is not None:
        yield _relay(asked.mail_server, is_wrapped=asked.mail_tls == "tls")


def _webhook(settings: Settings) -> Diagnosis:
    file = settings.alerts.webhook_url_file
    try:
        url = urlsplit(file.read_text(encoding="utf-8").strip()) if file is not None else urlsplit("")
        is_address = url.scheme in ("http", "https") and bool(url.hostname)
    except OSError as failure:
        return Diagnosis("alerts webhook", "bad", f"{file} cannot be read: {failure.strerror}", "check path and rights")
    except ValueError:
        is_address = False
    if not is_address:
        return Diagnosis("alerts webhook", "bad", f"what stands in {file} is no address", "write https://host/path")
    return Diagnosis("alerts webhook", "ok", f"an address is there; {_TRY}")


def _relay(address: str, *, is_wrapped: bool) -> Diagnosis:
    try:
        if not is_wrapped:
            with smtplib.SMTP(host_of(address), port_of(address), timeout=_SECONDS) as relay:
                relay.noop()
    except (smtplib.SMTPException, OSError) as failure:
        what = f"{address} does not answer as a mail relay ({type(failure).__name__})"
        return Diagnosis("alerts mail", "bad", what, "check alerts.mail_server, alerts.mail_tls and the network")
    return Diagnosis("alerts mail", "ok", f"{address}{'' if is_wrapped else ' answers'}; {_TRY}")
