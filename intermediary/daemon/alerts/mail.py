"""Mail by a relay of the operator's (SMTP, RFC 5321), over TLS unless the path is trusted."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Literal

from intermediary.core.faults import Misconfigured
from intermediary.daemon.alerts.way import Letter, NotTold
from intermediary.osci.client.http import tls_context

_SECONDS = 5.0


class MailWay:
    """Sends one plain text mail per letter to everybody; the id of the alert is the Message-ID.

    `now` gives the date of the mail. Each step of the conversation has a limit, so that all stays within half a minute.
    """

    name = "mail"

    def __init__(
        self,
        *,
        host: str,
        port: int,
        tls: Literal["starttls", "tls", "none"],
        ca_file: Path | None,
        sender: str,
        receivers: tuple[str, ...],
        user: str | None,
        password_file: Path | None,
        now: Callable[[], datetime],
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._ca_file = ca_file
        self._sender = sender
        self._receivers = receivers
        self._user = user
        self._password_file = password_file
        self._now = now

    def tell(self, letter: Letter) -> None:
        try:
            context = tls_context(self._ca_file, "alerts")
            password = self._password_file.read_text(encoding="utf-8").strip() if self._password_file else ""
        except (OSError, UnicodeDecodeError, Misconfigured) as failure:
            raise NotTold("mail_password_file or mail_ca_file cannot be read") from failure
        try:
            with self._connect(context) as relay:
                if self._tls == "starttls":
                    relay.starttls(context=context)
                if self._user is not None:
                    relay.login(self._user, password)
                relay.send_message(self._mail(letter), self._sender, list(self._receivers))
        except smtplib.SMTPResponseException as failure:
            raise NotTold(f"SMTP {failure.smtp_code}") from failure
        except UnicodeError:  # SMTP has no way for it; the failure itself holds the text
            raise NotTold("mail_user or mail_password_file is not ASCII") from None
        except (smtplib.SMTPException, OSError) as failure:
            raise NotTold(type(failure).__name__) from failure

    def _connect(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self._tls == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_SECONDS, context=context)
        return smtplib.SMTP(self._host, self._port, timeout=_SECONDS)

    def _mail(self, letter: Letter) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._receivers)
        mail["Subject"] = letter.subject
        mail["Date"] = format_datetime(self._now())
        mail["Message-ID"] = f"<{letter.id}@{self._sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        return mail
